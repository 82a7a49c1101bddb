"""textDocument/semanticTokens/full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.features import _token_results
from devloop.lsp.features._token_lines import MODIFIERS, TYPES
from devloop.lsp.protocol import Json

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL
OPTIONS: Final = t.SemanticTokensLegend(token_types=list(TYPES), token_modifiers=list(MODIFIERS))


async def handle(connection: Connection, params: t.SemanticTokensParams) -> Json | None:
    """Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    found = await _token_results.result(connection, buffer, await buffer.snapshot())
    return Json(f'{{"resultId":"{found.id}","data":{found.text()}}}')
