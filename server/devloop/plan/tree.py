"""From noted lines to a tree: sections, phases, boxes with their parents, metadata, log (plan-format §8 to §11).

Only lines that the scanner noted are looked at. What a line says on its own (id, tags, heading) is computed once per
chunk of lines and kept with it; here only the relations between lines are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from devloop.plan import header, headings, items
from devloop.plan.blocks import HEADING, ITEM, TEXT, UNDERLINE, Step
from devloop.plan.document import Chunk, Document
from devloop.plan.headings import CRITERION, LOG, PHASE, Heading
from devloop.plan.model import Criterion, Field, LogLine

_ROW_STATUS = re.compile(r"\[[ xX~!-]\]|[✅✔☑❌🚧⏳🔴🟡🟢]")

TASK: Final = "task"
META: Final = "meta"
DETAIL: Final = "detail"
_DETAIL: Final = items.Meta("detail", "", "")
T = TypeVar("T")


class Node:
    """A list item. `texts`: its own text and what continues it; `nested`: texts of bullets below (metadata lists).

    `key`: canonical metadata key of a metadata bullet and of what is nested in it.
    """

    __slots__ = (
        "box",
        "index",
        "key",
        "kind",
        "line",
        "metas",
        "nested",
        "parent",
        "phase",
        "section",
        "step",
        "texts",
    )

    def __init__(self, kind: str, line: int, parent: Node | None, text: str, step: Step) -> None:
        self.kind = kind
        self.line = line
        self.parent = parent
        self.texts: Sequence[str] = (text,) if text else ()
        self.nested: Sequence[str] = ()
        self.step = step
        self.key = ""
        self.box: items.Box | None = None
        self.metas: Sequence[tuple[items.Meta, Node]] = ()
        self.phase: int | None = None
        self.section = -1
        self.index = -1

    @property
    def text(self) -> str:
        return " ".join(self.texts)


class PhaseDraft:
    __slots__ = ("end_line", "fields", "groups", "head", "level", "line", "parent")

    def __init__(self, head: headings.PhaseHead, level: int, line: int, parent: int | None) -> None:
        self.head = head
        self.level = level
        self.line = line
        self.parent = parent
        self.end_line = line
        self.fields: dict[str, str] = {}
        self.groups: list[tuple[str, str]] = []


class SectionDraft(NamedTuple):
    """`kind`: what the section is; `within`: what decides about boxes that stand in it."""

    heading: Heading
    line: int
    heading_lines: int
    kind: str
    phase: int | None
    within: str = ""


class Tree:
    """Everything found, in document order. Lines are 1-based."""

    def __init__(self) -> None:
        self.title: str | None = None
        self.first_heading: str | None = None
        self.fields: list[Field] = []
        self.header_end = 0  # line of the first section or phase, 0 for none
        self.sections: list[SectionDraft] = []
        self.phases: list[PhaseDraft] = []
        self.tasks: list[Node] = []
        self.criteria: list[Criterion] = []
        self.criterion_parents: list[Node | None] = []
        self.log: list[LogLine] = []
        self.suspects: list[int] = []
        self.malformed: list[tuple[int, items.Bullet]] = []
        self.tables: list[tuple[int, bool]] = []  # (first line, a row holds a status)
        self.nodes: dict[int, Node] = {}  # the innermost item of a line that begins one or goes on with its text


Record = tuple[int, Step, str, Any]


def records(chunk: Chunk) -> list[Record]:
    """What the noted lines of a chunk say on their own: (offset, step, kind, value)."""
    known: list[Record] | None = chunk.records
    if known is None:
        known = chunk.records = [
            record(offset, step, chunk.lines[offset]) for offset, step in enumerate(chunk.steps) if step.note
        ]
    return known


def record(offset: int, step: Step, line: str) -> Record:
    """What one noted line says."""
    if step.box:
        return offset, step, "box", items.box(line)
    if step.quoted:
        return offset, step, "quote", None
    if step.kind == ITEM:
        bullet = items.bullet(line)
        return offset, step, "bullet", (bullet, items.meta(bullet.text))
    if step.kind == HEADING:
        return offset, step, "heading", headings.atx(line)
    if step.kind == UNDERLINE:
        return offset, step, "underline", 1 if "=" in line else 2
    return offset, step, "text", line.strip() if step.kind == TEXT else ""


class Builder:
    """Walks the records once. One method per kind of record."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.tree = Tree()
        self.open: list[Node | None] = []  # the open list items, one per container
        self.kinds: list[tuple[int, str]] = []  # (level, kind) of the sections that still reach here
        self.phases: list[int] = []  # the open phases, innermost last
        self.kind = ""
        self.phase: int | None = None
        self.in_table = -2

    def build(self) -> Tree:
        for base, chunk in self.document.numbered_chunks():
            self._walk(base, records(chunk))
        for index in self.phases:
            self.tree.phases[index].end_line = self.document.count
        return self.tree

    def part(self, found: Iterable[Record], section: SectionDraft | None) -> Tree:
        """What stands in whole blocks below a section's heading, with no heading, field or group among them. Offsets
        of the records count from the document's beginning."""
        if section is not None:
            self.kind, self.phase = section.within, section.phase
            self.tree.sections.append(section)
        self._walk(0, found)
        return self.tree

    def _walk(self, base: int, found: Iterable[Record]) -> None:
        for offset, step, kind, value in found:
            line = base + offset + 1
            if step.suspect:
                self.tree.suspects.append(line)
            if kind == "box":
                self._box(line, step, value)
            elif kind == "bullet":
                self._bullet(line, step, *value)
            elif kind == "text":
                self._text(line, step, value)
            elif kind == "quote":
                self._push(step, None)
            elif kind == "heading":
                self._heading(line, value, 1)
            else:
                self._underline(line, value)

    # Headings

    def _underline(self, line: int, level: int) -> None:
        texts: list[str] = []
        at = line - 2
        while at >= 0 and len(texts) < 50 and self.document.step(at).kind == TEXT:
            texts.append(self.document.line(at).strip())
            at -= 1
        self._heading(line, headings.heading(level, " ".join(reversed(texts))), len(texts) + 1)

    def _heading(self, line: int, heading: Heading, height: int) -> None:
        tree = self.tree
        first = line - height + 1
        if tree.first_heading is None:
            tree.first_heading = heading.text
        named = heading.level == 1 and heading.kind != PHASE and tree.title is None
        if named:
            tree.title = heading.text
        elif not tree.header_end:
            tree.header_end = first
        if heading.kind == PHASE:
            self._begin_phase(first, heading)
        else:
            self._end_phases(first, heading.level)
            while self.kinds and self.kinds[-1][0] >= heading.level:
                self.kinds.pop()
            kind = "" if named and heading.kind == CRITERION else heading.kind  # a plan may be called "checklist"
            if kind:
                self.kinds.append((heading.level, kind))
        self.kind = self.kinds[-1][1] if self.kinds else ""
        self.phase = self.phases[-1] if self.phases else None
        tree.sections.append(SectionDraft(heading, first, height, heading.kind or self.kind, self.phase, self.kind))

    def _begin_phase(self, line: int, heading: Heading) -> None:
        assert heading.phase is not None
        self._end_phases(line, heading.level)
        self.kinds.clear()
        parent = self.phases[-1] if self.phases else None
        self.phases.append(len(self.tree.phases))
        self.tree.phases.append(PhaseDraft(heading.phase, heading.level, line, parent))

    def _end_phases(self, line: int, level: int) -> None:
        while self.phases and self.tree.phases[self.phases[-1]].level >= level:
            self.tree.phases[self.phases.pop()].end_line = line - 1

    # Text outside and inside of items

    def _text(self, line: int, step: Step, text: str) -> None:
        if step.state.stack:
            owner = self._owner(len(step.state.stack))
            if owner is not None and text and step.kind == TEXT:
                owner.texts = _grown(owner.texts, text)
                self.tree.nodes[line] = owner
            return
        if text.startswith("|"):
            if self.in_table != line - 1:
                self.tree.tables.append((line, False))
            if _ROW_STATUS.search(text):
                self.tree.tables[-1] = (self.tree.tables[-1][0], True)
            self.in_table = line
        elif text.startswith("**"):
            found = header.fields(self.document.line(line - 1), line)
            if self.phase is not None:
                fields = self.tree.phases[self.phase].fields
                for field in found:
                    fields.setdefault(field.key.lower(), field.value)
            elif not self.tree.header_end:
                self.tree.fields += found

    def _owner(self, depth: int) -> Node | None:
        return self.open[depth - 1] if depth <= len(self.open) else None

    # Items

    def _push(self, step: Step, node: Node | None) -> None:
        """Remember the items that this line opens; `node` is the innermost."""
        depth = len(step.state.stack)
        del self.open[step.matched :]
        self.open += [None] * (depth - 1 - len(self.open))
        self.open.append(node)
        if node is not None:
            self.tree.nodes[node.line] = node

    def _parent(self, step: Step) -> Node | None:
        """The item around the innermost one that this line opens."""
        for at in range(min(step.matched, len(self.open)) - 1, -1, -1):
            if self.open[at] is not None:
                return self.open[at]
        return None

    def _box(self, line: int, step: Step, box: items.Box) -> None:
        parent = self._parent(step)
        node = Node(TASK, line, parent, "", step)
        node.box = box
        node.phase = self.phase
        node.section = len(self.tree.sections) - 1
        if self.kind == LOG:
            node.kind = LOG
            self._log(line, self.document.line(line - 1)[box.body :].strip())
        else:
            holder = _holder(parent)
            criterion = (
                self.kind == CRITERION
                or (box.ordered and not (box.id and self.phase is not None))
                or (holder is not None and holder.kind != TASK)
            )
            if criterion:
                node.kind = CRITERION
                self._criterion(line, box, parent)
            else:
                node.parent = holder
                node.index = len(self.tree.tasks)
                self.tree.tasks.append(node)
        self._push(step, node)

    def _criterion(self, line: int, box: items.Box, parent: Node | None) -> None:
        text = self.document.line(line - 1)[box.body :].strip()[: header.MAX_VALUE]
        section = self.tree.sections[-1].heading.text if self.tree.sections else ""
        self.tree.criteria.append(Criterion(line, text, box.mark in "xX-", box.mark, section))
        node = parent
        while node is not None and node.kind != TASK:
            if node.kind == META:
                node.nested = _grown(node.nested, text)
            node = node.parent
        self.tree.criterion_parents.append(node)

    def _bullet(self, line: int, step: Step, bullet: items.Bullet, meta: items.Meta | None) -> None:
        parent = self._parent(step)
        node = Node(DETAIL, line, parent, bullet.text, step)
        if bullet.malformed and self.kind != LOG:
            self.tree.malformed.append((line, bullet))
        if self.kind == LOG:
            node.kind = LOG
            if parent is None:
                self._log(line, bullet.text)
        elif parent is not None and parent.kind == META:
            parent.nested = _grown(parent.nested, bullet.text)
            node.kind, node.key = META, parent.key
        elif meta is not None and parent is not None and parent.kind == TASK:
            node.kind, node.key = META, meta.key
            node.texts = (meta.value,) if meta.value else ()
            parent.metas = _grown(parent.metas, (meta, node))
        elif meta is not None and meta.key == "acceptance":
            node.kind, node.key = META, meta.key
        elif parent is not None and parent.kind == TASK:
            parent.metas = _grown(parent.metas, (_DETAIL, node))
        elif parent is None:
            self._group(bullet.text)
        self._push(step, node)

    def _group(self, text: str) -> None:
        """`- Group A: Tasks 2.1, 2.2 (why)` in a phase (§10)."""
        if self.phase is not None and text[:8].lstrip("*_").lower().startswith("group"):
            self.tree.phases[self.phase].groups.append(("", text))

    def _log(self, line: int, text: str) -> None:
        read = items.log(text)
        self.tree.log.append(LogLine(line, read.text, read.stamp, read.event, read.tasks, read.detail))


def _grown(values: Sequence[T], value: T) -> Sequence[T]:
    """`values` with one more. Most nodes have none: they share the empty tuple and cost no list each."""
    if isinstance(values, list):
        values.append(value)
        return values
    return [*values, value]


def _holder(node: Node | None) -> Node | None:
    """What decides about a box below `node`: the nearest task, criterion or acceptance list."""
    while node is not None and node.kind not in (TASK, CRITERION) and node.key != "acceptance":
        node = node.parent
    return node
