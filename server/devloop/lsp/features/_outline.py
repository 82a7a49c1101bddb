"""A plan as a tree: headings, their tasks, steps and criteria. No method of its own (see `document_symbol`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import merge
from typing import Final, Literal

from devloop import plan as plans
from devloop.lsp.features._extents import item_ends, section_end

Kind = Literal["phase", "section", "log", "task", "criterion"]


class Entry:
    """One node. `index`: its place in `Plan.phases`, `sections`, `tasks` or `criteria`; `end`: its last line;
    `text`: its JSON with that of its children, as long as it is valid."""

    __slots__ = ("children", "end", "index", "kind", "level", "line", "parent", "text")

    def __init__(self, kind: Kind, index: int, line: int, end: int, level: int = 0) -> None:
        self.kind: Final = kind
        self.index, self.line, self.end, self.level = index, line, end, level
        self.parent: Entry | None = None
        self.children: list[Entry] = []
        self.text: str | None = None

    def forget(self) -> None:
        """What was written for this entry and for those that hold it is no longer valid."""
        entry: Entry | None = self
        while entry is not None and entry.text is not None:
            entry.text = None
            entry = entry.parent


def outline(plan: plans.Plan) -> list[Entry]:
    """The tree's roots. The heading that names the plan is none of them: it would hold everything."""
    ends = item_ends(plan)
    roots: list[Entry] = []
    open_: list[Entry] = []
    for entry in merge(_sections(plan), _tasks(plan, ends), _criteria(plan, ends), key=_line):
        while open_ and not _holds(open_[-1], entry):
            open_.pop()
        if open_:
            entry.parent = open_[-1]
            open_[-1].children.append(entry)
        else:
            roots.append(entry)
        open_.append(entry)
    return roots


def _line(entry: Entry) -> int:
    return entry.line


def _holds(outer: Entry, inner: Entry) -> bool:
    return outer.end >= inner.line and (not inner.level or 0 < outer.level < inner.level)


def _sections(plan: plans.Plan) -> Iterable[Entry]:
    phases = {phase.line: at for at, phase in enumerate(plan.phases)}
    log_until = 0
    for at, section in enumerate(plan.sections):
        end = section_end(plan.document, section.line, section.last_line)
        if section.line in phases:
            yield Entry("phase", phases[section.line], section.line, end, section.level)
        elif section.kind == "log" and section.line > log_until:
            log_until = end
            yield Entry("log", at, section.line, end, section.level)
        elif section.level > 1 or at:
            yield Entry("section", at, section.line, end, section.level)


def _tasks(plan: plans.Plan, ends: Mapping[int, int]) -> Iterable[Entry]:
    return (Entry("task", at, task.line, ends.get(task.line, task.line)) for at, task in enumerate(plan.tasks))


def _criteria(plan: plans.Plan, ends: Mapping[int, int]) -> Iterable[Entry]:
    return (Entry("criterion", at, each.line, ends.get(each.line, each.line)) for at, each in enumerate(plan.criteria))
