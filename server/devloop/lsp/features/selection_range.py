"""textDocument/selectionRange: word, title or value, tag, line, task with what belongs to it, phase, document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features._extents import full_range, item_ends, section_end
from devloop.lsp.positions import body
from devloop.plan.blocks import BLANK, COMMENT, FENCE, FENCED, MAX_DEPTH, TEXT

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_SELECTION_RANGE

_WORD: Final = re.compile(r"\w+(?:[-.]\w+)*")
_BLOCKS: Final = ((FENCE, FENCED), (COMMENT,), (TEXT,))

Extent = tuple[tuple[int, int], tuple[int, int]]
"""((first line, column), (last line, column)), lines from 1."""


async def handle(connection: Connection, params: t.SelectionRangeParams) -> list[t.SelectionRange] | None:
    """One chain of ranges per position. Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    plan = (await buffer.snapshot()).plan
    return [_chain(connection, plan, position) for position in params.positions]


def _chain(connection: Connection, plan: plans.Plan, position: t.Position) -> t.SelectionRange:
    positions, document = connection.positions, plan.document
    line, column = positions.point(document, position)
    found = t.SelectionRange(full_range(positions, document))
    if positions.in_bom(document, position):
        return found
    for (first, start), (last, end) in reversed(list(growing(plan, line + 1, column))):
        range_ = t.Range(positions.position(document, first, start), positions.position(document, last, end))
        if range_ != found.range:
            found = t.SelectionRange(range_, found)
    return found


def growing(plan: plans.Plan, line: int, column: int) -> Iterator[Extent]:
    """Extents around a place, each larger than the one before, the document itself excluded."""
    if line > plan.document.count:
        return
    last: Extent | None = None
    for extent in _extents(plan, line, column):
        start, end = extent
        if last is None:
            if start <= (line, column) <= end and start < end:
                last = extent
                yield extent
        elif start <= last[0] and last[1] <= end and extent != last:
            last = extent
            yield extent


def _extents(plan: plans.Plan, line: int, column: int) -> Iterator[Extent]:
    text = body(plan.document.line(line - 1))
    for word in _WORD.finditer(text):
        if word.start() <= column <= word.end():
            yield (line, word.start()), (line, word.end())
    span = plans.span_at(plan, line, column)
    if span is not None:
        yield (line, span.start), (line, span.end)
    yield from _tag(plan, line, column)
    if text.strip():
        yield (line, len(text) - len(text.lstrip())), (line, len(text.rstrip()))
    yield from _block(plan.document, line)
    yield from _items(plan, line)
    for section in _sections(plan, line):
        yield _lines(plan.document, section.line, section_end(plan.document, section.line, section.last_line))


def _tag(plan: plans.Plan, line: int, column: int) -> Iterator[Extent]:
    """The tag's value, then the tag with its brackets."""
    index = plan.graph.by_line.get(line)
    box = plan.tree.tasks[index].box if index is not None else None
    if box is None:
        return
    for tag in box.tags:
        start, end = box.body + tag.start, box.body + tag.end
        if tag.known and start <= column <= end:
            if tag.value and column > start + len(tag.name) + 1:
                inner = plan.document.line(line - 1)[start:end]
                first = start + inner.index(":") + 1
                yield (line, first), (line, end - 1)
            yield (line, start), (line, end)


def _block(document: plans.Document, line: int) -> Iterator[Extent]:
    """The fence, comment or paragraph that a line is part of."""
    kind = document.step(line - 1).kind
    kinds = next((kinds for kinds in _BLOCKS if kind in kinds), None)
    if kinds is None:
        return
    first = last = line
    while first > 1 and document.step(first - 1).kind != FENCE and document.step(first - 2).kind in kinds:
        first -= 1
    while last < document.count and document.step(last).kind in kinds and document.step(last).kind != FENCE:
        last += 1
    yield _lines(document, first, last)


def _items(plan: plans.Plan, line: int) -> Iterator[Extent]:
    """The list items around a line, from the inside."""
    document, ends = plan.document, item_ends(plan)
    own = document.step(line - 1)
    depth = len(own.state.stack) if own.kind != BLANK or own.opened else MAX_DEPTH + 1
    at = line
    while at >= 1 and depth:
        step = document.step(at - 1)
        before = len(step.state.stack) - step.opened
        if step.opened and before < depth and ends.get(at, 0) >= line:
            yield _lines(document, at, ends[at])
            depth = before
        elif not step.state.stack and step.kind != BLANK:
            return
        at -= 1


def _sections(plan: plans.Plan, line: int) -> Iterator[plans.Section]:
    """The sections around a line, from the inside."""
    for section in reversed(plan.sections):
        if section.line <= line <= section.last_line:
            yield section


def _lines(document: plans.Document, first: int, last: int) -> Extent:
    return (first, 0), (last, len(body(document.line(last - 1))))
