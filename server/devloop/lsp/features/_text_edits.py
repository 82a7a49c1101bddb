"""Edits of a plan as an editor's edits, and formatting with the editor's options. No method of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import StaleEdit
from devloop.lsp.features._extents import LONG
from devloop.lsp.positions import Positions
from devloop.plan.format import FormatOptions
from devloop.plan.lines import body, ending

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot

Format = Callable[[plans.Plan, FormatOptions], Iterable[plans.Edit]]
TextEdits = list[dict[str, Any]]

_PARAGRAPH: Final = (None, "p")


async def formatted(
    buffer: Buffer, snapshot: Snapshot, positions: Positions, wanted: t.FormattingOptions, work: Format
) -> TextEdits:
    """What `work` changes, in a thread where the plan is long. Raises `StaleEdit` when the text changed meanwhile."""
    plan = snapshot.plan
    trim = wanted.trim_trailing_whitespace
    chosen = FormatOptions() if trim is None else FormatOptions(trim=trim)

    def done() -> TextEdits:
        return converted(positions, plan.document, work(plan, chosen))

    found = await asyncio.to_thread(done) if plan.document.count > LONG else done()
    if buffer.version != snapshot.version or buffer.closed:
        raise StaleEdit("The text was changed meanwhile.")
    return found


def converted(positions: Positions, document: plans.Document, edits: Iterable[plans.Edit]) -> TextEdits:
    """Plain JSON: a plan that was never formatted has an edit in every line."""

    def place(line: int, column: int) -> dict[str, int]:
        at = positions.position(document, line, column)
        return {"line": at.line, "character": at.character}

    return [
        {
            "range": {"start": place(edit.start_line, edit.start), "end": place(edit.end_line, edit.end)},
            "newText": edit.text,
        }
        for edit in edits
    ]


def with_end(plan: plans.Plan, edits: Sequence[plans.Edit], wanted: t.FormattingOptions) -> list[plans.Edit]:
    """The edits, and what the editor wants at the end of the text: one line end, no empty lines behind it.

    What lies in a fence or comment that nobody closed is code and keeps its empty lines.
    """
    document = plan.document
    last = document.count
    if wanted.trim_final_newlines and document.open_at_end.leaf in _PARAGRAPH:
        blank = " \t" if wanted.trim_trailing_whitespace is not False else ""
        while last > 0 and not body(document.line(last - 1)).strip(blank or "\r\n"):
            last -= 1
    found = list(edits)
    if 0 < last < document.count:
        found = [edit for edit in found if edit.start_line <= last]
        tail = document.lines(last)
        end = (document.count + 1, 0) if ending(tail[-1]) else (document.count, len(tail[-1]))
        found.append(plans.Edit(last + 1, 0, *end, "", "".join(tail)))
    elif wanted.insert_final_newline and document.count and last == document.count:
        line = document.line(last - 1)
        if line.strip() and not ending(line):
            found.append(plans.Edit(last, len(line), last, len(line), document.eol))
    return found
