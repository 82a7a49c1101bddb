"""One editor: what it can do, what it has open, and everything that is sent to it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from devloop import __version__
from devloop import plan as plans
from devloop.errors import DevloopError, StaleEdit, Unavailable
from devloop.lsp import applying, features, options, own_files, refresh, requests
from devloop.lsp.buffers import Buffer
from devloop.lsp.client import ANSWER_S, Client
from devloop.lsp.live.shown import SCHEME
from devloop.lsp.positions import Positions
from devloop.lsp.protocol import Protocol, converter
from devloop.redact import one_line
from devloop.rpc import BrokenBody, ProtocolError, read_message

if TYPE_CHECKING:
    from devloop.daemon.board import Board
    from devloop.daemon.service import Service
    from devloop.lsp.live import Live
    from devloop.lsp.own_files import OwnFile

log = logging.getLogger(__name__)

MAX_UNREAD = 32 * 1024 * 1024
"""Bytes that an editor may leave unread before it counts as dead."""
PLAN_LANGUAGE = "devloop-plan"


class Connection:
    """`service` is what every front-end calls, `live` tells editors what happens. Attributes below are set by
    `initialize`."""

    def __init__(self, service: Service, writer: asyncio.StreamWriter, live: Live) -> None:
        self.service, self.live = service, live
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
        server = LanguageServer("devloop", __version__, protocol_cls=Protocol, converter_factory=converter)
        self.protocol: Protocol = server.protocol  # type: ignore[assignment]
        self.protocol.connection = self
        features.register(self, server)

    @property
    def board(self) -> Board:
        return self.service.board

    @property
    def root(self) -> Path:
        return self.service.root

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Read to the end. Whatever the editor sends, only this connection can suffer from it."""
        try:
            while not self.left.is_set():
                try:
                    message = await read_message(reader)
                except BrokenBody as problem:
                    self.protocol.receive_broken(str(problem))
                    continue
                if message is None:
                    break
                self.protocol.receive(message)
                await asyncio.sleep(0)  # a request begins before the next message changes what it asks about
        except (ProtocolError, ConnectionError, asyncio.IncompleteReadError) as problem:
            log.warning("an editor's connection broke: %s", one_line(str(problem), 200))
        finally:
            await self._end()

    # The protocol's life

    async def initialize(self, params: t.InitializeParams) -> t.InitializeResult:
        plain = self.protocol.plain(params)
        self.client = Client(plain.get("capabilities") or {}, params.client_info.name if params.client_info else "")
        encoding = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
        self.positions = Positions(str(getattr(encoding, "value", encoding)))  # type: ignore[arg-type]
        self.options, _ = options.read(params.initialization_options, self.options)
        self.given = self.options
        manager = self.protocol.fm
        capabilities = ServerCapabilitiesBuilder(
            params.capabilities,
            {*manager.features, *manager.builtin_features},
            manager.feature_options,
            list(features.COMMANDS),
            t.TextDocumentSyncKind.Incremental,
            None,
            encoding,
        ).build()  # type: ignore[no-untyped-call]
        if not self.pulls:
            capabilities.diagnostic_provider = None
        if self.client.can("workspace.textDocumentContent"):  # pygls does not know it yet
            capabilities.workspace.text_document_content = t.TextDocumentContentOptions([SCHEME])
        return t.InitializeResult(capabilities, t.ServerInfo("devloop", __version__))

    @property
    def pulls(self) -> bool:
        """Whether the editor asks for diagnostics instead of being told. Both would show everything twice, and one
        that can't be told to ask again would never see that a run waits."""
        return self.client.can("textDocument.diagnostic") and self.client.takes(t.WORKSPACE_DIAGNOSTIC_REFRESH)

    async def shut_down(self) -> None:
        """Nothing more is sent by ourselves; requests that are being worked on are still answered."""
        self.quiet = True
        self.live.leave(self)
        for task in list(self._tasks):
            task.cancel()

    def custom(self, method: str) -> Callable[[Any], Awaitable[Any]] | None:
        """What answers a request that is no LSP but ours."""
        return requests.handler(self, method)

    def leave(self) -> None:
        """`exit`: this editor is done."""
        self.left.set()
        self._writer.close()

    def at_end(self, action: Callable[[], None]) -> None:
        """Called once when the editor is gone: listeners are taken back here."""
        self._at_end.append(action)

    async def _end(self) -> None:
        self.left.set()
        self.protocol.hang_up()
        for task in list(self._tasks):
            task.cancel()
        for action in self._at_end:
            action()
        for buffer in list(self.buffers.values()):
            self.forget(buffer)
        self._writer.close()

    # What is open

    def open(self, document: t.TextDocumentItem) -> Buffer | None:
        """Take a document over; None for one that is no plan (plan-format §1: other Markdown files never are)."""
        known = self.buffers.get(document.uri)
        if known is not None:
            self.forget(known)
        path = place_of(document.uri)
        if path is None:
            log.info("a document whose URI names no place was not opened")
            return None
        relative = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else document.uri
        main = self._is_main(path)
        if not (main or document.language_id == PLAN_LANGUAGE or _looks_like_a_plan(relative)):
            own_files.open_document(self, document, path)
            return None
        documents, archived = self.service.documents, self.service.documents.last_archived_ids()
        buffer = Buffer(
            document.uri,
            document.version,
            document.text,
            path=path,
            relative=relative,
            main=main,
            archived=archived,
            apply=functools.partial(applying.apply, self),
            known=documents.parsed(document.text, archived) if main else None,
        )
        self.buffers[document.uri] = buffer
        if main:
            self.service.documents.open_plans.opened(buffer)
        return buffer

    def _is_main(self, path: Path) -> bool:
        return self._main() == path

    def _main(self) -> Path | None:
        try:
            return self.service.documents.find()[0].resolve()
        except DevloopError:
            return None

    def attend(self, buffer: Buffer) -> None:
        """What goes on for the workspace's plan while it is open."""
        self.live.closed_plan.opened(self, buffer.uri)
        find = self.service.documents.find
        self.spawn(self.live.outside.watch(buffer, find, lambda: self.live.diagnostics_changed(self)))
        self.spawn(self.live.typed.watch(buffer))

    def plan_moved(self) -> None:
        """Another file may be the workspace's plan by now: one that was written only after it had been opened, or that
        takes precedence over the one before."""
        main = self._main()
        if main is None:
            return  # it is just being written anew, or gone: then nothing can be run
        for buffer in list(self.buffers.values()):
            if buffer.main and buffer.path != main:
                buffer.main = False
                self.service.documents.open_plans.closed(buffer)
            elif not buffer.main and buffer.path == main:
                buffer.main = True
                self.service.documents.open_plans.opened(buffer)
                self.attend(buffer)
            else:
                continue
            self.live.diagnostics_changed(self)
            refresh.at_once(self)

    def forget(self, buffer: Buffer) -> None:
        """The editor closed it, or is gone."""
        buffer.closed = True
        buffer.advance()
        self.buffers.pop(buffer.uri, None)
        self.live.outside.saved(buffer)  # so that its watch ends
        if buffer.main:
            self.live.spawn(self.live.typed.closed(buffer))  # it outlives this editor

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


def _looks_like_a_plan(relative: str) -> bool:
    return relative in plans.PLAN_FILES or (relative.startswith(".devloop/archive/") and relative.endswith(".md"))
