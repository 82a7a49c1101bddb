"""textDocument/semanticTokens/full/delta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.features import _token_results
from devloop.lsp.features.semantic_tokens_full import OPTIONS as LEGEND
from devloop.lsp.protocol import Json, Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA
OPTIONS: Final = LEGEND


async def handle(connection: Connection, params: t.SemanticTokensDeltaParams) -> Json | Plain | None:
    """The difference to the last result, all tokens when another one is named. Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    before = _token_results.known(buffer, params.previous_result_id)
    found = await _token_results.result(connection, buffer, snapshot)
    if before is None:
        return Json(f'{{"resultId":"{found.id}","data":{found.text()}}}')
    edit = _token_results.difference(before, found)
    edits = [] if edit is None else [{"start": edit.start, "deleteCount": edit.removed, "data": edit.data}]
    return Plain({"resultId": found.id, "edits": edits})
