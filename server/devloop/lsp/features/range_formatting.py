"""textDocument/rangeFormatting: the lines of a selection; no other line changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features._text_edits import formatted
from devloop.lsp.protocol import Plain
from devloop.plan.format import FormatOptions, format_lines

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_RANGE_FORMATTING
OPTIONS: Final = t.DocumentRangeFormattingOptions()


async def handle(connection: Connection, params: t.DocumentRangeFormattingParams) -> Plain | None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    start, end = params.range.start, params.range.end
    first, last = start.line + 1, end.line + 1
    if end.character == 0 and end.line > start.line:
        last -= 1  # a selection of whole lines ends before the first character of the next one

    def work(plan: plans.Plan, options: FormatOptions) -> tuple[plans.Edit, ...]:
        return format_lines(plan, first, last, options)

    return Plain(await formatted(buffer, snapshot, connection.positions, params.options, work))
