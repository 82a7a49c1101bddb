"""textDocument/semanticTokens/range: the tokens of the lines that an editor shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features import _token_results
from devloop.lsp.features._extents import LONG
from devloop.lsp.features._token_lines import Scheme
from devloop.lsp.features.semantic_tokens_full import OPTIONS as LEGEND
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE
OPTIONS: Final = LEGEND


async def handle(connection: Connection, params: t.SemanticTokensRangeParams) -> Plain | None:
    """Null for a document that is no plan. Lines are answered whole."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    plan = (await buffer.snapshot()).plan
    start, end = params.range.start, params.range.end
    first = start.line + 1
    last = min(end.line + (1 if end.character or end.line == start.line else 0), plan.document.count)
    style = _token_results.scheme(connection)
    if last - first > LONG:
        return Plain({"data": await asyncio.to_thread(numbers, plan, style, first, last)})
    return Plain({"data": numbers(plan, style, first, last)})


def numbers(plan: plans.Plan, style: Scheme, first: int, last: int) -> list[int]:
    """The tokens of the lines `first` to `last`, both from 1, both included."""
    data: list[int] = []
    before = 1
    for line in range(first, last + 1):
        found = style.line(plan, line)
        if found:
            at = len(data)
            data += found
            data[at] = line - before
            before = line
    return data
