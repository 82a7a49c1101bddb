"""A raw LSP client over streams: sends what a test says, keeps what the server sends, checks nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devloop.rpc import encode, read_message

EVERYTHING: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create", "rename", "delete"]},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
        "semanticTokens": {"refreshSupport": True},
        "diagnostics": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "didChangeConfiguration": {"dynamicRegistration": True},
        "textDocumentContent": {"dynamicRegistration": True},
    },
    "window": {"workDoneProgress": True, "showMessage": {}, "showDocument": {"support": True}},
    "textDocument": {
        "publishDiagnostics": {
            "relatedInformation": True,
            "codeDescriptionSupport": True,
            "dataSupport": True,
            "versionSupport": True,
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "completion": {
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown"],
                "resolveSupport": {"properties": ["documentation", "detail"]},
                "insertReplaceSupport": True,
                "labelDetailsSupport": True,
            }
        },
        "codeAction": {
            "dataSupport": True,
            "isPreferredSupport": True,
            "disabledSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor", "source"]}},
        },
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True, "labelSupport": True},
        "foldingRange": {"lineFoldingOnly": True, "foldingRange": {"collapsedText": True}},
        "rename": {"prepareSupport": True},
        "codeLens": {"resolveSupport": {"properties": ["command"]}},
        "definition": {"linkSupport": True},
        "documentLink": {"tooltipSupport": True},
    },
    "experimental": {"devloop": {"status": True, "event": True}},
}
"""A client that can do everything but ask for diagnostics (see `PULLS`); give another mapping for one that can't."""
PULLS: dict[str, Any] = {**EVERYTHING, "textDocument": {**EVERYTHING["textDocument"], "diagnostic": {}}}


LOOK_S = 0.05


class Failed(Exception):
    """An error response; `error` is its object."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.error = dict(error)


class Editor:
    """`notifications` and `asked` hold (method, params) in order. `answers`: method → what to answer the server's
    requests (a value, or a function of the params); without one the answer is null. `hold` keeps them unanswered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, root: Path) -> None:
        self.reader, self.writer, self.root = reader, writer, root
        self.notifications: list[tuple[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.withdrawn: list[Any] = []
        self.answers: dict[str, Any] = {}
        self.refuse: set[str] = set()
        """Methods that are answered with an error."""
        self.numbers: list[tuple[Any, str]] = []
        """Id and method of what the server asked, in order."""
        self.texts: dict[str, tuple[int, str]] = {}
        self.closed = False
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._read())

    # Talking

    def send(self, message: Mapping[str, Any]) -> None:
        self.writer.write(encode({"jsonrpc": "2.0", **message}))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> tuple[int, asyncio.Future[Any]]:
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self.send({"id": number, "method": method, **({} if params is None else {"params": params})})
        return number, future

    async def request(self, method: str, params: Any = None, seconds: float = 20) -> Any:
        """The result. Raises `Failed` for an error response."""
        async with asyncio.timeout(seconds):
            return await self.ask(method, params)[1]

    async def initialize(self, capabilities: Mapping[str, Any] | None = None, **more: Any) -> Any:
        declared = EVERYTHING if capabilities is None else capabilities
        params = {"processId": None, "rootUri": self.root.as_uri(), "capabilities": declared, **more}
        found = await self.request("initialize", params)
        self.notify("initialized", {})
        return found

    # Texts

    def uri(self, path: str = ".devloop/plan.md") -> str:
        return (self.root / path).as_uri()

    def open(self, path: str = ".devloop/plan.md", text: str | None = None, language: str = "markdown") -> str:
        """Open a file (or a text under its name) as version 1. Answers with its URI."""
        uri = self.uri(path)
        found = (self.root / path).read_bytes().decode() if text is None else text
        self.texts[uri] = (1, found)
        document = {"uri": uri, "languageId": language, "version": 1, "text": found}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def replace(self, uri: str, text: str) -> int:
        """Send a whole new text; answers with its version."""
        version = self.texts[uri][0] + 1
        self.texts[uri] = (version, text)
        changes = [{"text": text}]
        self.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        )
        return version

    def type(self, uri: str, line: int, character: int, text: str, *, remove: int = 0) -> int:
        """Insert text (or replace `remove` characters) at a position counted from 0; answers with the version."""
        version, before = self.texts[uri]
        lines = before.split("\n")
        at = sum(len(each) + 1 for each in lines[:line]) + character
        self.texts[uri] = (version + 1, before[:at] + text + before[at + remove :])
        end = {"line": line, "character": character + remove}
        change = {"range": {"start": {"line": line, "character": character}, "end": end}, "text": text}
        document = {"uri": uri, "version": version + 1}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        return version + 1

    def apply(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Do a `workspace/applyEdit` as an editor would: change the text, tell the new version, answer."""
        for document in params["edit"].get("documentChanges", []):
            uri = document["textDocument"]["uri"]
            version, text = self.texts[uri]
            if document["textDocument"]["version"] not in (None, version):
                return {"applied": False, "failureReason": "another version"}
            self.replace(uri, apply_edits(text, document["edits"]))
        return {"applied": True}

    def close_document(self, uri: str) -> None:
        del self.texts[uri]
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    # Listening

    async def until(self, found: Callable[[], Any], what: str = "something", seconds: float = 20) -> Any:
        """Wait until `found()` is true; checked with each message that comes in, and now and then: what a test waits
        for may happen without a message to this editor."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := found()):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S), self._news:
                            await self._news.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"not in {seconds} s: {what}; last: {self.notifications[-3:]}") from None

    async def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """The diagnostics that were pushed for a version (the newest push without one)."""

        def found() -> Any:
            pushed = [
                params
                for method, params in self.notifications
                if method == "textDocument/publishDiagnostics" and params["uri"] == uri
            ]
            right = [params for params in pushed if version is None or params.get("version") == version]
            return right[-1:]

        return (await self.until(found, f"diagnostics of version {version}"))[0]["diagnostics"]

    def told(self, method: str) -> list[Any]:
        return [params for found, params in self.notifications if found == method]

    async def leave(self) -> None:
        with contextlib.suppress(Exception):
            await self.request("shutdown", seconds=5)
            self.notify("exit")
        await self.vanish()

    async def vanish(self) -> None:
        """Go without a word."""
        self._task.cancel()
        self.writer.close()
        with contextlib.suppress(ConnectionError, OSError):
            await self.writer.wait_closed()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (message := await read_message(self.reader)) is not None:
                self._take(message)
                async with self._news:
                    self._news.notify_all()
        self.closed = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the server closed the connection"))
                future.exception()
        async with self._news:
            self._news.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            future = self._waiting.pop(number, None)
            if future is None or future.done():
                self.notifications.append(("", message))
            elif "error" in message:
                future.set_exception(Failed(message["error"]))
            else:
                future.set_result(message["result"])
        elif number is None:
            if method == "$/cancelRequest":
                self.withdrawn.append(message["params"]["id"])
            self.notifications.append((method, message.get("params")))
        else:
            self.asked.append((method, message.get("params")))
            self.numbers.append((number, method))
            if method in self.refuse:
                self.send({"id": number, "error": {"code": -32601, "message": "not here"}})
                return
            answer = self.answers.get(method)
            if answer is not HOLD:
                result = answer(message.get("params")) if callable(answer) else answer
                self.send({"id": number, "result": result})


HOLD = object()
"""As an answer: the question stays open."""


def apply_edits(text: str, edits: list[dict[str, Any]]) -> str:
    """The text after LSP edits (UTF-16 columns), as an editor applies them."""
    starts = [0]
    for index, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            starts.append(index + 1)

    def offset(position: Mapping[str, int]) -> int:
        if position["line"] >= len(starts):
            return len(text)
        at, units = starts[position["line"]], 0
        while units < position["character"] and at < len(text) and text[at] not in "\r\n":
            units += 2 if text[at] > "\uffff" else 1
            at += 1
        return at

    pieces = [(offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"]) for edit in edits]
    for start, end, new in sorted(pieces, key=lambda piece: piece[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text
