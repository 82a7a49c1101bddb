"""textDocument/codeLens: Run, Continue from here, Cancel, Review, Decide and progress, without their commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.lsp import lenses, refresh
from devloop.lsp.outlooks import settled
from devloop.lsp.protocol import Json, Plain

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_CODE_LENS
OPTIONS: Final = t.CodeLensOptions(resolve_provider=True)


async def handle(connection: Connection, params: t.CodeLensParams) -> Json | Plain:
    buffer = connection.find(params.text_document.uri)
    if buffer is None or not buffer.main or not connection.options.code_lens:
        return Plain([])
    await refresh.watch(connection)
    view = await look(connection, buffer)
    if _resolves(connection):
        return Json(lenses.listed(buffer, view))
    return Plain([_whole(view, line, data) for line, data in lenses.places(view)])


async def look(connection: Connection, buffer: Buffer) -> lenses.View:
    snapshot = await buffer.snapshot()
    runs = connection.board.of_plan(snapshot.plan)
    return lenses.View(snapshot, await settled(buffer, snapshot.plan), runs, connection.options.trusted)


def _resolves(connection: Connection) -> bool:
    """Every client resolves lenses, unless it says which parts and leaves the command out (LSP 3.18)."""
    parts = connection.client.get("textDocument.codeLens.resolveSupport.properties")
    return not isinstance(parts, list) or "command" in parts


def _whole(view: lenses.View, line: int, data: dict[str, Any]) -> dict[str, Any]:
    at = {"line": line - 1, "character": 0}
    return {"range": {"start": at, "end": at}, "command": lenses.command(view, data)}
