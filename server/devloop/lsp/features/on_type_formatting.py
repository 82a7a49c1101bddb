r"""textDocument/onTypeFormatting: after Enter a list goes on with the next id, or ends; `- []` becomes a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.errors import StaleEdit
from devloop.lsp.features._text_edits import converted
from devloop.lsp.protocol import Plain
from devloop.plan.format import on_type

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_ON_TYPE_FORMATTING
OPTIONS: Final = t.DocumentOnTypeFormattingOptions("\n", ["]"])


async def handle(connection: Connection, params: t.DocumentOnTypeFormattingParams) -> Plain | None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    line, column = connection.positions.point(snapshot.document, params.position)
    typed = on_type(snapshot.plan, line + 1, column, params.ch)
    if buffer.version != snapshot.version:
        raise StaleEdit("The text was changed meanwhile.")
    return Plain(converted(connection.positions, snapshot.document, typed.edits))
