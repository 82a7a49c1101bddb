"""Formatting a plan or a part of it (LSP 3.17: formatting, rangeFormatting).

What is changed: spaces around bullets, boxes, ids and tags of tasks; the indentation of what belongs to tasks; blanks
at the ends of those lines and in empty ones; the spelling of tags and of the alias `[/]`; empty lines around phase
headings; columns of fields, metadata and tables. What is not: prose, code, comments, quotes, log lines, front matter,
tabs, line ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from devloop.plan import header, items
from devloop.plan.blocks import BLANK, CODE, HEADING, ITEM, TEXT, Step
from devloop.plan.edits import apply_to
from devloop.plan.format.check import first_difference
from devloop.plan.format.columns import Row, field_pieces, table_pieces
from devloop.plan.format.compose import composed
from devloop.plan.format.layout import below_task, layout
from devloop.plan.format.numbering import renumber
from devloop.plan.format.options import DEFAULT, FormatOptions
from devloop.plan.format.pieces import (
    Piece,
    applied,
    criterion_pieces,
    heading_pieces,
    task_pieces,
    trailing,
)
from devloop.plan.headings import CRITERION, LOG, PHASE
from devloop.plan.lines import ending
from devloop.plan.model import Edit, Plan
from devloop.plan.reparse import reparse
from devloop.plan.tree import META, TASK, SectionDraft

_PHASE_KEYS: Final = frozenset(
    ("goal", "complexity", "dependencies", "parallelizable", "parallel groups", "estimate", "status", "overview")
)
_ATTEMPTS: Final = 12  # how often another item is left where it is before all are


def format_plan(plan: Plan, options: FormatOptions = DEFAULT) -> tuple[Edit, ...]:
    """The edits that format the whole plan; none when it is formatted. Never changes what the plan means.

    With `options.renumber` the ids of tasks are numbered anew as well; raises `UsageError` as `renumber` does.
    """
    if not options.renumber:
        return format_lines(plan, 1, plan.document.count, options)
    numbers = renumber(plan)
    if not numbers:
        return format_lines(plan, 1, plan.document.count, options)
    after = reparse(plan, apply_to(plan.document, numbers))
    return composed(plan, numbers, after, format_lines(after, 1, after.document.count, options))


def format_lines(plan: Plan, first: int, last: int, options: FormatOptions = DEFAULT) -> tuple[Edit, ...]:
    """The edits that format lines `first` to `last` (1-based, inclusive, clamped); no other line is changed.

    An item moves only with all that it holds, a table or a block of fields is aligned only as a whole. Ids stay.
    """
    document = plan.document
    start, end = max(first - 1, document.front), min(last, document.count)
    if start >= end:
        return ()
    raw = document.lines()
    return _Formatter(plan, raw, list(document.steps()), start, end, options).edits()


class _Formatter:
    """One formatting. Lines are 0-based here, `start` to `end` (exclusive) may change."""

    def __init__(
        self, plan: Plan, raw: list[str], steps: list[Step], start: int, end: int, options: FormatOptions
    ) -> None:
        self.plan = plan
        self.raw = raw
        self.lines = [line.rstrip("\r\n") for line in raw]
        self.steps = steps
        self.start = start
        self.end = end
        self.options = options
        self.inline: dict[int, list[Piece]] = {}

    def edits(self) -> tuple[Edit, ...]:
        self._lines()
        self._fields()
        self._metadata()
        self._tables()
        blanks = self._blanks()
        pieces = self._proved(blanks)
        return tuple(self._as_edits(pieces, blanks))

    # What each line asks for

    def _lines(self) -> None:
        tree = self.plan.tree
        named = tree.sections[0].line - 1 if tree.sections and tree.title is None else -1  # its text names the plan
        before = next((at for at in range(self.start - 1, -1, -1) if self.steps[at].kind != BLANK), -1)
        in_code = before >= 0 and self.steps[before].kind == CODE
        for at in range(self.start, self.end):
            step = self.steps[at]
            kind = step.kind
            text = self.lines[at]
            if kind != BLANK:
                in_code = kind == CODE
            if kind == ITEM:
                found = self._item(at, step, text)
            elif kind == BLANK:
                found = self._blank(at, step, text) if text and not in_code else None
            elif kind == HEADING and not step.state.stack:
                found = heading_pieces(text, tags=at != named) + self._trailing(text, False)
            else:
                continue
            if found:
                self.inline[at] = found

    def _trailing(self, text: str, breaks: bool) -> list[Piece]:
        return trailing(text, breaks=breaks) if self.options.trim else []

    def _blank(self, at: int, step: Step, text: str) -> list[Piece] | None:
        if step.opened or step.quoted or not self.options.trim or text.strip(" \t"):
            return None
        if at and self.raw[at - 1].endswith("\r") and self.raw[at].endswith("\n"):
            return None  # without the blanks the two ends would be one
        return [(0, len(text), "")]

    def _item(self, at: int, step: Step, text: str) -> list[Piece] | None:
        node = self.plan.tree.nodes.get(at + 1)
        if node is None or step.opened != 1 or step.state.leaf != "p" or len(text) > items.MAX_LINE:
            return None
        if node.kind == TASK:
            box = self.plan.tree.tasks[node.index].box
            assert box is not None
            found = task_pieces(text, box)
        elif node.kind == CRITERION:
            found = criterion_pieces(text, items.box(text))
        elif not below_task(node):
            return None
        else:
            found = []
        if text[-1] in " \t":
            found += self._trailing(text, self._goes_on(at))
        return found

    def _goes_on(self, at: int) -> bool:
        """Whether the paragraph that begins or goes on in a line goes on in the next one."""
        if at + 1 >= len(self.steps):
            return False
        following = self.steps[at + 1]
        return following.kind == TEXT and not following.opened and self.steps[at].state.leaf == "p"

    # Columns

    def _fields(self) -> None:
        """Fields of the header and of phases, one in a line."""
        block: list[Row] = []
        previous = -2
        for at in self._field_lines():
            text = self.lines[at]
            matches = list(header.field_matches(text))
            if len(matches) != 1:
                continue
            match, _ = matches[0]
            if text[-1] in " \t" and match.end() < len(text.rstrip(" \t")):
                self._add(at, self._trailing(text, True))
            if at != previous + 1:
                self._align(block)
                block = []
            previous = at
            colon = match.end()
            while text[colon - 1] in " \t":
                colon -= 1
            if match.end() < len(text.rstrip(" \t")):
                block.append(Row(at, text, 0, colon, match.end()))
        self._align(block)

    def _field_lines(self) -> Iterator[int]:
        underlined = {
            section.line + below
            for section in self.plan.tree.sections
            if section.heading_lines > 1
            for below in range(section.heading_lines)
        }
        for number in sorted({field.line for field in self.plan.fields} - underlined):
            if self.start < number <= self.end:
                yield number - 1
        for section, last in self._sections():
            if section.phase is None or section.kind == LOG:
                continue
            for at in range(section.line + section.heading_lines - 1, last):
                step = self.steps[at]
                if step.kind != TEXT or step.state.stack or not self.start <= at < self.end:
                    continue
                text = self.lines[at]
                if text.startswith("**"):
                    match = next(header.field_matches(text), None)
                    if match is not None and " ".join(match[0]["key"].lower().split()) in _PHASE_KEYS:
                        yield at

    def _sections(self) -> Iterator[tuple[SectionDraft, int]]:
        """Every section with the line behind its own lines, deeper sections not included."""
        sections = self.plan.tree.sections
        for at, section in enumerate(sections):
            yield section, sections[at + 1].line - 1 if at + 1 < len(sections) else len(self.lines)

    def _metadata(self) -> None:
        """The metadata bullets of one task."""
        for task in self.plan.tree.tasks:
            if not task.metas or task.line > self.end:
                continue
            rows: list[Row] = []
            for _, node in task.metas:
                at = node.line - 1
                if node.kind != META or not self.start <= at < self.end or self.steps[at].opened != 1:
                    continue
                text = self.lines[at]
                marker = items.ITEM_MARKERS.match(text)
                origin = marker.end() if marker else 0
                match = items.META_FORM.match(text[origin:]) if len(text) <= items.MAX_LINE else None
                if match is None or not match["value"].strip():
                    continue
                value = origin + match.start("value")
                colon = value
                while text[colon - 1] in " \t":
                    colon -= 1
                rows.append(Row(at, text, origin, colon, value))
            if any(row.value - row.colon != 1 for row in rows):
                self._align(rows)

    def _align(self, rows: Sequence[Row]) -> None:
        for at, pieces in field_pieces(rows).items():
            self._add(at, pieces)

    def _add(self, at: int, pieces: Iterable[Piece]) -> None:
        found = list(pieces)
        if found:
            self.inline.setdefault(at, []).extend(found)

    def _tables(self) -> None:
        log = [(s.line, last) for s, last in self._sections() if s.kind == LOG] if self.plan.tree.tables else []
        for number, _ in self.plan.tree.tables:
            first = last = number - 1
            while last < len(self.lines) and self._is_row(last):
                last += 1
            if self.start <= first and last <= self.end and not any(low <= first < high for low, high in log):
                for at, pieces in table_pieces(first, self.lines[first:last]).items():
                    self._add(at, pieces)

    def _is_row(self, at: int) -> bool:
        step = self.steps[at]
        return step.kind == TEXT and not step.state.stack and self.lines[at].lstrip(" \t").startswith("|")

    # Empty lines

    def _blanks(self) -> set[int]:
        """Lines before which an empty line is missing: phase headings and what follows them.

        Fields may stand directly below their phase's heading: that is how most plans are written.
        """
        found: set[int] = set()
        for section in self.plan.tree.sections:
            if section.heading.kind != PHASE:
                continue
            first, behind = section.line - 1, section.line - 1 + section.heading_lines
            if self.start <= first < self.end and first > 0 and self.lines[first - 1].strip():
                found.add(first)
            if self.start < behind <= self.end and behind < len(self.lines):
                text = self.lines[behind]
                if text.strip() and next(header.field_matches(text), None) is None:
                    found.add(behind)
        return found

    # All together

    def _proved(self, blanks: set[int]) -> dict[int, list[Piece]]:
        """The changes of the lines, of which as many are left out as it takes for every line to stay what it is."""
        front = self.plan.document.front
        kept: set[int] = set()
        steps = self.steps[front:]
        shifted = {at - front for at in blanks}
        for attempt in range(_ATTEMPTS + 1):
            pieces = dict(self.inline)
            if attempt < _ATTEMPTS:
                moves = layout(self.plan, self.lines, self.steps, self.start, self.end, kept)
                for at, found in moves.items():
                    pieces[at] = [*pieces.get(at, ()), *found]
            changed = self.raw[front:]
            for at, found in pieces.items():
                changed[at - front] = applied(self.lines[at], found) + ending(self.raw[at])
            bad = first_difference(steps, changed, shifted)
            if bad is None:
                return pieces
            kept |= self._outermost(bad + front)
        blanks.clear()
        return {}

    def _outermost(self, line: int) -> set[int]:
        """The outermost items that a line belongs to or follows on."""
        found: set[int] = set()
        at = line
        while at >= 0 and len(found) < 2:
            step = self.steps[at]
            if step.kind == ITEM and step.matched == 0:
                found.add(at)
            at -= 1
        return found

    def _as_edits(self, pieces: dict[int, list[Piece]], blanks: set[int]) -> Iterator[Edit]:
        for at in sorted({*pieces, *blanks}):
            text = self.lines[at]
            found = sorted(pieces.get(at, ()))
            if at in blanks:
                empty = ending(self.raw[at - 1])
                if found and found[0][0] == 0:
                    found[0] = (0, found[0][1], empty + found[0][2])
                else:
                    found.insert(0, (0, 0, empty))
            for start, end, new in found:
                yield Edit(at + 1, start, at + 1, end, new, text[start:end], text)
