"""textDocument/formatting: the whole plan. What it means and what is prose or code stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features._text_edits import formatted, with_end
from devloop.lsp.protocol import Plain
from devloop.plan.format import FormatOptions, format_plan

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_FORMATTING
OPTIONS: Final = t.DocumentFormattingOptions()


async def handle(connection: Connection, params: t.DocumentFormattingParams) -> Plain | None:
    """Null for a document that is no plan. `trimTrailingWhitespace`, `insertFinalNewline` and `trimFinalNewlines` count
    when they are given; size and kind of tabs have no meaning for a plan, whose indentation follows its bullets."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()

    def work(plan: plans.Plan, options: FormatOptions) -> list[plans.Edit]:
        return with_end(plan, format_plan(plan, options), params.options)

    return Plain(await formatted(buffer, snapshot, connection.positions, params.options, work))
