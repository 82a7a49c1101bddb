"""One editor: what is known of it, what it has open, and how it is told and asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t
from pygls.uris import to_fs_path

from devloop.errors import DevloopError, StaleEdit, Unavailable
from devloop.lsp import options
from devloop.lsp.buffers import Buffer
from devloop.lsp.client import ANSWER_S, Client
from devloop.lsp.own_file import OwnFile
from devloop.lsp.positions import Positions
from devloop.lsp.protocol import Protocol

if TYPE_CHECKING:
    from devloop.daemon.board import Board
    from devloop.daemon.service import Service

log = logging.getLogger(__name__)

MAX_UNREAD = 32 * 1024 * 1024
"""Bytes that an editor may leave unread before it counts as dead."""


class Editor(ABC):
    """`service` is what every front-end calls. Attributes below are set by `initialize`."""

    def __init__(self, service: Service, writer: asyncio.StreamWriter, protocol: Protocol) -> None:
        self.service, self.protocol = service, protocol
        self.client = Client({})
        self.positions = Positions()
        self.options = self.given = options.Options()
        """What counts now, and what `initializationOptions` said."""
        self.buffers: dict[str, Buffer] = {}
        self.own_files: dict[str, OwnFile] = {}
        """Open documents that are no plans, and of which devloop knows what is wrong in them."""
        self.left = asyncio.Event()
        self.quiet = False
        """It asked to be told nothing more: `shutdown`."""
        self.hangs = False
        """It did not change its text when it was asked to, and has answered nothing since."""
        self._writer = writer
        self._tasks: set[asyncio.Task[Any]] = set()
        self._at_end: list[Callable[[], None]] = []

    @abstractmethod
    async def execute(self, command: str, arguments: Sequence[Any] | None) -> dict[str, Any]:
        """Carry out what a person chose in a message, as if the editor had asked for it (see `lsp.commands`)."""

    @property
    def board(self) -> Board:
        return self.service.board

    @property
    def root(self) -> Path:
        return self.service.root

    @property
    def pulls(self) -> bool:
        """Whether the editor asks for diagnostics instead of being told. Both would show everything twice, and one
        that can't be told to ask again would never see that a run waits."""
        return self.client.can("textDocument.diagnostic") and self.client.takes(t.WORKSPACE_DIAGNOSTIC_REFRESH)

    def at_end(self, action: Callable[[], None]) -> None:
        """Called once when the editor is gone: listeners are taken back here."""
        self._at_end.append(action)

    # What is open

    def find(self, uri: str) -> Buffer | None:
        return self.buffers.get(uri)

    @property
    def versions(self) -> bool:
        """Whether the editor understands for which version of a text an edit is meant."""
        return self.client.can("workspace.workspaceEdit.documentChanges")

    def workspace_edit(self, uri: str, version: int, edits: Sequence[t.TextEdit]) -> t.WorkspaceEdit:
        """Edits of one document, with its version where the editor understands that. Where it does not, an edit of a
        text that was changed since is worse than none: raises `StaleEdit`."""
        if not self.versions:
            buffer = self.buffers.get(uri)
            if buffer is None or buffer.version != version:
                raise StaleEdit("The text was changed meanwhile.", hint="Try again.")
            return t.WorkspaceEdit(changes={uri: list(edits)})
        document = t.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
        return t.WorkspaceEdit(document_changes=[t.TextDocumentEdit(document, list(edits))])

    def main_plan(self) -> Path | None:
        """The workspace's plan; None where there is none."""
        try:
            return self.service.documents.find()[0].resolve()
        except DevloopError:
            return None

    # Sending

    def notify(self, method: str, params: Any = None) -> bool:
        """Tell the editor, if it declared that it takes this; False when it did not."""
        if self.left.is_set() or self.quiet or not self.client.takes(method):
            return False
        self.protocol.notify(method, params)
        return True

    async def ask(self, method: str, params: Any = None, *, seconds: float | None = None) -> Any:
        """Ask the editor. Raises `Unavailable` when it did not declare this, refuses, leaves, or takes longer than
        `seconds`; without them a person may be asked, who takes as long as it takes.

        The question outlives whoever waits for it no longer than that: cancelling withdraws it.
        """
        if self.left.is_set() or self.quiet or not self.client.takes(method):
            raise Unavailable(f"This editor does not know {method}.")
        try:
            async with asyncio.timeout(seconds):
                return await self.protocol.ask(method, params)
        except TimeoutError as problem:
            raise Unavailable(f"The editor did not answer {method}.") from problem

    async def ask_briefly(self, method: str, params: Any = None) -> None:
        """Ask for something that an editor may refuse or not answer without harm, such as to fetch something again."""
        if self.client.takes(method):
            with contextlib.suppress(Unavailable):
                await self.ask(method, params, seconds=ANSWER_S)

    @property
    def backlog(self) -> int:
        """Bytes that the editor has not read yet."""
        return self._writer.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > MAX_UNREAD:
            log.warning("an editor did not read what it was sent and was disconnected")
            self.left.set()
            self._writer.transport.abort()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Work that ends with the connection. What goes wrong in it is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            if isinstance(problem, Unavailable):
                log.info("an editor could not be told something: %s", problem.message)
            else:
                log.error("work for an editor failed", exc_info=problem)


def place_of(uri: str) -> Path | None:
    """The file of a URI, its links followed; a path made of the URI where it is no file's; None for a senseless one."""
    try:
        place = to_fs_path(uri)
        return Path(place).resolve() if place else Path(uri)
    except (ValueError, OSError, RuntimeError):  # no URI, a null byte, a name too long, links in a circle
        return None
