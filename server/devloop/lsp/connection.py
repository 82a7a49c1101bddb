"""An editor's connection from its first message to its last: the protocol's life, and what it opens and closes."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from lsprotocol import types as t
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.lsp.server import LanguageServer

from devloop import __version__
from devloop import plan as plans
from devloop.lsp import applying, options, protocol
from devloop.lsp.buffers import Buffer
from devloop.lsp.client import Client
from devloop.lsp.editor import Editor, place_of
from devloop.lsp.live import Live
from devloop.lsp.live.shown import SCHEME
from devloop.lsp.positions import Positions
from devloop.redact import one_line
from devloop.rpc import BrokenBody, ProtocolError, read_message

if TYPE_CHECKING:
    from devloop.daemon.service import Service

log = logging.getLogger(__name__)

PLAN_LANGUAGE = "devloop-plan"


class Features(Protocol):
    """What is done for an editor, as `lsp.features` does it. It is given to a connection, which each of them knows."""

    COMMANDS: Sequence[str]

    def register(self, connection: Connection, server: LanguageServer) -> None: ...

    def custom(self, connection: Connection, method: str) -> Callable[[Any], Awaitable[Any]] | None: ...

    async def execute(self, connection: Connection, name: str, arguments: Sequence[Any] | None) -> dict[str, Any]: ...


class Connection(Editor):
    """`live` tells editors what happens."""

    def __init__(self, service: Service, writer: asyncio.StreamWriter, live: Live, features: Features) -> None:
        server = LanguageServer(
            "devloop", __version__, protocol_cls=protocol.Protocol, converter_factory=protocol.converter
        )
        super().__init__(service, writer, server.protocol)  # type: ignore[arg-type]
        self.live, self._features = live, features
        self.protocol.connection = self
        features.register(self, server)

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
            list(self._features.COMMANDS),
            t.TextDocumentSyncKind.Incremental,
            None,
            encoding,
        ).build()  # type: ignore[no-untyped-call]
        if not self.pulls:
            capabilities.diagnostic_provider = None
        if self.client.can("workspace.textDocumentContent"):  # pygls does not know it yet
            capabilities.workspace.text_document_content = t.TextDocumentContentOptions([SCHEME])
        return t.InitializeResult(capabilities, t.ServerInfo("devloop", __version__))

    async def shut_down(self) -> None:
        """Nothing more is sent by ourselves; requests that are being worked on are still answered."""
        self.quiet = True
        self.live.leave(self)
        for task in list(self._tasks):
            task.cancel()

    def custom(self, method: str) -> Callable[[Any], Awaitable[Any]] | None:
        """What answers a request that is no LSP but ours."""
        return self._features.custom(self, method)

    async def execute(self, command: str, arguments: Sequence[Any] | None) -> dict[str, Any]:
        return await self._features.execute(self, command, arguments)

    def leave(self) -> None:
        """`exit`: this editor is done."""
        self.left.set()
        self._writer.close()

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
        main = self.main_plan() == path
        if not (main or document.language_id == PLAN_LANGUAGE or _looks_like_a_plan(relative)):
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

    def forget(self, buffer: Buffer) -> None:
        """The editor closed it, or is gone."""
        buffer.closed = True
        buffer.advance()
        self.buffers.pop(buffer.uri, None)
        self.live.forget(buffer)


def _looks_like_a_plan(relative: str) -> bool:
    return relative in plans.PLAN_FILES or (relative.startswith(".devloop/archive/") and relative.endswith(".md"))
