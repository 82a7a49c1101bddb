"""Where two versions of a document differ, as whole blocks: what stands outside reads the same in both.

A block ends where no list item, paragraph or table goes on. So the lines of a block can be read without those around it
but for the heading above, and what is below it only moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

from devloop.plan.blocks import ITEM, TEXT, UNDERLINE, Step
from devloop.plan.document import Chunk, Document
from devloop.plan.tree import Record, record, records

MOST_COMPARED: Final = 4_096  # lines of the chunks that differ
MOST_LINES: Final = 400  # of a region: reading it takes a millisecond


class Region(NamedTuple):
    """Lines `start` to `old_end` of the old document became lines `start` to `new_end` of the new one (0-based, the
    ends exclusive); all others are the same. With what the lines of both say on their own."""

    start: int
    old_end: int
    new_end: int
    old: tuple[Record, ...]
    new: tuple[Record, ...]

    @property
    def moved(self) -> int:
        """By how many lines the rest moved."""
        return self.new_end - self.old_end


def same_step(left: Step, right: Step) -> bool:
    return left is right or (
        left.state == right.state
        and (left.kind, left.matched, left.opened, left.box, left.note, left.suspect)
        == (right.kind, right.matched, right.opened, right.box, right.note, right.suspect)
    )


def region(old: Document, new: Document) -> Region | None:
    """The region of an edit; None when it is too large or reaches into the beginning of the file."""
    if (old.bom, old.front) != (new.bom, new.front):
        return None
    first, left, right = _chunks(old, new)
    if max(sum(len(chunk.lines) for chunk in some) for some in (left, right)) > MOST_COMPARED:
        return None
    base = sum(len(chunk.lines) for chunk in old.chunks[:first])
    above, below = _same(left, right)
    _keep_records(left, right, above, below)
    start = base + above
    old_end = base + sum(len(chunk.lines) for chunk in left) - below
    new_end = old_end + new.count - old.count
    lowest = max(old.front, start - MOST_LINES)
    while not (_begins(old, start) and _begins(new, start)):
        start -= 1
        if start < lowest:
            return None
    while not (_begins(old, old_end) and _begins(new, new_end)):
        old_end, new_end = old_end + 1, new_end + 1
        if old_end - start > MOST_LINES:
            return None
    if max(old_end, new_end) - start > MOST_LINES:
        return None
    return Region(start, old_end, new_end, tuple(_within(old, start, old_end)), tuple(_within(new, start, new_end)))


def _chunks(old: Document, new: Document) -> tuple[int, tuple[Chunk, ...], tuple[Chunk, ...]]:
    """(number of chunks that both begin with, the chunks that differ in the old one, in the new one)."""
    most = min(len(old.chunks), len(new.chunks))
    first = next((at for at in range(most) if old.chunks[at] is not new.chunks[at]), most)
    last = 0
    while last < most - first and old.chunks[-1 - last] is new.chunks[-1 - last]:
        last += 1
    return first, old.chunks[first : len(old.chunks) - last], new.chunks[first : len(new.chunks) - last]


def _same(left: tuple[Chunk, ...], right: tuple[Chunk, ...]) -> tuple[int, int]:
    """How many lines the chunks have in common at their beginning and at their end."""
    ours = list(chain.from_iterable(zip(chunk.lines, chunk.steps, strict=True) for chunk in left))
    theirs = list(chain.from_iterable(zip(chunk.lines, chunk.steps, strict=True) for chunk in right))
    most = min(len(ours), len(theirs))
    above = next((at for at in range(most) if not _alike(ours[at], theirs[at])), most)
    below = 0
    while below < most - above and _alike(ours[-1 - below], theirs[-1 - below]):
        below += 1
    return above, below


def _alike(left: tuple[str, Step], right: tuple[str, Step]) -> bool:
    return left[0] == right[0] and same_step(left[1], right[1])


def _keep_records(left: tuple[Chunk, ...], right: tuple[Chunk, ...], above: int, below: int) -> None:
    """Give the new chunks the records of lines that the old ones had as well."""
    known: dict[int, Record] = {}
    base = 0
    for chunk in left:
        known.update((base + each[0], each) for each in records(chunk))
        base += len(chunk.lines)
    behind = sum(len(chunk.lines) for chunk in right) - below
    moved = behind + below - base
    base = 0
    for chunk in right:
        if chunk.records is None:
            found: list[Record] = []
            for offset, step in enumerate(chunk.steps):
                at = base + offset
                if step.note:
                    kept = known.get(at) if at < above else known.get(at - moved) if at >= behind else None
                    found.append((offset, *kept[1:]) if kept else record(offset, step, chunk.lines[offset]))
            chunk.records = found
        base += len(chunk.lines)


def _begins(document: Document, at: int) -> bool:
    """Whether nothing goes on into line `at` (0-based) that has to be known to read what follows."""
    if at >= document.count:
        return True
    step = document.step(at)
    if step.matched or step.kind == UNDERLINE or (step.kind != ITEM and step.state.stack and not step.opened):
        return False
    return step.kind != TEXT or at == 0 or document.step(at - 1).state.leaf != "p"


def _within(document: Document, start: int, end: int) -> Iterator[Record]:
    for base, chunk in document.numbered_chunks():
        if base < end and base + len(chunk.lines) > start:
            for offset, step, kind, value in records(chunk):
                if start <= base + offset < end:
                    yield base + offset, step, kind, value
