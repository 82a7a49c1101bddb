"""Where things of a plan begin and end: the geometry that symbols, folding and selecting share. No method of its own.

Found once per structure: a plan whose titles or prose changed since shares `graph` with the plan before (see
`plan.reparse`), and with it everything that is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.positions import Positions, body
from devloop.plan.blocks import BLANK, TEXT
from devloop.plan.graph import Graph

_ends: Final[WeakKeyDictionary[Graph, Mapping[int, int]]] = WeakKeyDictionary()

LONG: Final = 1_500
"""Plans of more lines than this are walked through in a thread."""


def item_ends(plan: plans.Plan) -> Mapping[int, int]:
    """The last line of the innermost list item that begins in a line, by that line; trailing blank lines excluded.

    The same as `plan.extent.last_line` of every item, in one walk.
    """
    known = _ends.get(plan.graph)
    if known is None:
        known = _ends[plan.graph] = _find_ends(plan.document)
    return known


def _find_ends(document: plans.Document) -> dict[int, int]:
    ends: dict[int, int] = {}
    open_: list[int] = []  # the line of every open container
    last = 0
    for line, step in enumerate(document.steps(), 1):
        stack = step.state.stack
        if step.kind == BLANK and not step.opened:
            kept = len(stack)
        elif step.kind == TEXT and not step.opened:
            kept = len(stack)  # a lazy line goes on with the paragraph of an item that it isn't indented for
        else:
            kept = step.matched
        while len(open_) > kept:
            ends.setdefault(open_.pop(), last)
        if step.opened:
            open_ += [line] * (len(stack) - len(open_))
        if step.kind != BLANK or step.opened:
            last = line
    while open_:
        ends.setdefault(open_.pop(), last)
    return ends


def section_end(document: plans.Document, first: int, last: int) -> int:
    """The last line of `first` to `last` that is not blank."""
    while last > first and document.step(last - 1).kind == BLANK:
        last -= 1
    return last


def units(positions: Positions, document: plans.Document, line: int, column: int) -> int:
    """The editor's column of a column in a line (from 1); most lines are ASCII and need no counting."""
    text = document.line(line - 1)
    if line > 1 and text.isascii():
        return min(column, len(body(text)))
    return positions.position(document, line, min(column, len(body(text)))).character


def end_units(positions: Positions, document: plans.Document, line: int) -> int:
    """The editor's column of the end of a line's text."""
    return units(positions, document, line, len(document.line(line - 1)))


def full_range(positions: Positions, document: plans.Document) -> t.Range:
    """The whole document; its end is the empty line behind a final line end, as editors count."""
    last = document.count
    if last == 0:
        return t.Range(t.Position(0, 0), positions.position(document, 1, 0))
    text = document.line(last - 1)
    if body(text) != text:
        return t.Range(t.Position(0, 0), t.Position(last, 0))
    return t.Range(t.Position(0, 0), positions.range(document, last).end)


def changed_lines(old: plans.Plan, new: plans.Plan) -> list[int] | None:
    """The lines (from 1) that differ between two plans of the same structure; None when the structure differs."""
    if old.graph is not new.graph:
        return None
    before, after = old.document, new.document
    if before is after:
        return []
    if len(before.chunks) != len(after.chunks) or before.bom != after.bom:
        return None
    changed: list[int] = []
    for (base, left), (_, right) in zip(before.numbered_chunks(), after.numbered_chunks(), strict=True):
        if left is right:
            continue
        if len(left.lines) != len(right.lines):
            return None
        pairs = zip(left.lines, right.lines, strict=True)
        changed += [base + at + 1 for at, (one, other) in enumerate(pairs) if one != other]
    return changed
