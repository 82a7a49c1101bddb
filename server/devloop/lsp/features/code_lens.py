"""textDocument/codeLens: Run, Continue from here, Cancel, Review, Decide and progress.

Without their commands where the editor says that it asks for them, and in a long plan. Some editors (Neovim) ask for
the command of each lens, also of those that nobody sees, and can run none before they have them all.
"""

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
AT_ONCE: Final = 400
"""So many lenses are made whole (5 ms, some 1,300 lines); 1,200 of 10,000 lines would take 18 ms after each change."""


async def handle(connection: Connection, params: t.CodeLensParams) -> Json | Plain:
    buffer = connection.find(params.text_document.uri)
    if buffer is None or not buffer.main or not connection.options.code_lens:
        return Plain([])
    await refresh.watch(connection, METHOD)
    view = await look(connection, buffer)
    parts = connection.client.get("textDocument.codeLens.resolveSupport.properties")
    if isinstance(parts, list) and "command" in parts:  # new in LSP 3.18
        return Json(lenses.listed(buffer, view))
    places = list(lenses.places(view))
    if isinstance(parts, list) or len(places) <= AT_ONCE:
        return Plain([_whole(view, line, data) for line, data in places])
    return Json(lenses.listed(buffer, view))


async def look(connection: Connection, buffer: Buffer) -> lenses.View:
    snapshot = await buffer.snapshot()
    runs = connection.board.of_plan(snapshot.plan)
    return lenses.View(snapshot, await settled(buffer, snapshot.plan), runs, connection.options.trusted)


def _whole(view: lenses.View, line: int, data: dict[str, Any]) -> dict[str, Any]:
    at = {"line": line - 1, "character": 0}
    return {"range": {"start": at, "end": at}, "command": lenses.command(view, data)}
