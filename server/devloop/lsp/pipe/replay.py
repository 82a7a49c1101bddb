"""What a new daemon has to be told, so that an editor does not notice that the old one is gone.

Everything is kept as the bytes that the client sent. Of a document: its `didOpen` and every `didChange` since,
collapsed whenever a `didSave` brings the text (we announce `save: {includeText: true}`). With more than `MAX_LOG` bytes
of changes since the last save the log is dropped: should the daemon end then, the next one answers from the file, and
the document's next save or reopening makes it known again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.lsp.pipe.frames import body_of
from devloop.lsp.pipe.initialize import at

MAX_LOG = 16 * 1024 * 1024
"""Bytes of changes that are kept for one document: weeks of typing without a save."""
MAX_FOLDERS = 1000
"""Changes of the workspace's folders that are kept."""

OPEN, CHANGE, SAVE, CLOSE = (f"textDocument/did{name}" for name in ("Open", "Change", "Save", "Close"))
DOCUMENTS = frozenset({OPEN, CHANGE, SAVE, CLOSE, "textDocument/willSave"})


class Document:
    """One open document: the bytes that lead to its text."""

    def __init__(self, opened: bytes) -> None:
        self._opened, self._saved = opened, b""
        self._version = self._saved_version = 0
        self._changes: list[bytes] = []
        self._size = 0
        self.complete = True

    def changed(self, body: bytes, version: Any) -> None:
        self._version = version
        if self.complete:
            self._changes.append(body)
            self._size += len(body)
            if self._size > MAX_LOG:
                self.complete = False
                self._changes.clear()

    def saved(self, body: bytes) -> None:
        """The whole text is known again."""
        if self._changes or not self.complete:
            self._saved, self._saved_version = body, self._version
            self._changes.clear()
            self._size, self.complete = 0, True

    def messages(self) -> Iterator[bytes]:
        if self._saved:
            document = json.loads(self._opened)["params"]["textDocument"]
            text = json.loads(self._saved)["params"]["text"]
            params = {"textDocument": {**document, "version": self._saved_version, "text": text}}
            yield body_of({"jsonrpc": "2.0", "method": OPEN, "params": params})
        else:
            yield self._opened
        yield from self._changes


class Replay:
    """Everything that makes a new daemon know what the old one knew about this editor."""

    def __init__(self, initialize: bytes) -> None:
        self.initialize = initialize
        self._initialized = self._configuration = b""
        self._folders: list[bytes] = []
        self._documents: dict[str, Document] = {}
        self._unknown: set[str] = set()

    @property
    def gaps(self) -> bool:
        """Whether the present daemon lacks a document that the client has open."""
        return bool(self._unknown)

    def note(self, method: str, message: Mapping[str, Any], body: bytes) -> None:
        """Remember a notification of the client if a later daemon has to know it."""
        if method in DOCUMENTS:
            self._note_document(method, message, body)
        elif method == "workspace/didChangeConfiguration":
            self._configuration = body
        elif method == "workspace/didChangeWorkspaceFolders":
            if len(self._folders) < MAX_FOLDERS:
                self._folders.append(body)
        elif method == "initialized":
            self._initialized = body

    def _note_document(self, method: str, message: Mapping[str, Any], body: bytes) -> None:
        uri = at(message, "params", "textDocument", "uri")
        if not isinstance(uri, str):
            return
        if method == OPEN:
            self._documents[uri] = Document(body)
        elif method == CLOSE:
            self._documents.pop(uri, None)
        elif (document := self._documents.get(uri)) is None:
            return
        elif method == CHANGE:
            document.changed(body, at(message, "params", "textDocument", "version"))
        elif method == SAVE and isinstance(at(message, "params", "text"), str):
            document.saved(body)

    def begin(self) -> tuple[list[bytes], list[str]]:
        """What follows `initialize` on a new connection, and the URIs of documents that can't be told."""
        first = [body for body in (self._initialized, *self._folders, self._configuration) if body]
        self._unknown = {uri for uri, document in self._documents.items() if not document.complete}
        for document in self._documents.values():
            if document.complete:
                first += document.messages()
        return first, sorted(self._unknown)

    def for_daemon(self, method: str, message: Mapping[str, Any], body: bytes) -> list[bytes]:
        """What the daemon gets for a notification: itself, unless the daemon does not know its document."""
        if not self._unknown or method not in DOCUMENTS:
            return [body]
        uri = at(message, "params", "textDocument", "uri")
        if uri not in self._unknown:
            return [body]
        document = self._documents.get(uri)
        if method == OPEN or document is None:
            self._unknown.discard(uri)
            return [body] if method == OPEN else []
        if document.complete:  # a save brought the text back
            self._unknown.discard(uri)
            return list(document.messages())
        return []
