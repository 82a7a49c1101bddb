"""Numbering tasks anew, references following (plan-format §6, §7).

Numbers are counted in document order and gaps closed. Each style is counted on its own:

* `2.1` in a phase with a number counts within that phase and begins with its number; below a task it begins with the
  task's id; elsewhere it keeps what stands before the last dot.
* `3` counts over the whole plan, or within each phase when the plan begins anew there.
* `T001` counts over the whole plan; leading zeros stay.

Keys (`P0-1`), feedback (`PR-1-2`), steps and anchors are names, no numbers. Log lines are history and stay.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Final, NamedTuple

from devloop.errors import UsageError
from devloop.plan import tokens
from devloop.plan.build import parse
from devloop.plan.document import Document
from devloop.plan.edits import apply_text
from devloop.plan.graph import Need
from devloop.plan.inline import Span
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan
from devloop.plan.spans import spans

_FORMS: Final = ("task", "number", "spec")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*$")
_SPEC: Final = re.compile(r"(T-?)([0-9]+)$")
_MENTIONS: Final = re.compile(r"depend|group", re.IGNORECASE)


def renumber(plan: Plan, phase: str | None = None) -> tuple[Edit, ...]:
    """The edits that number the tasks of a phase (sub-phases included) or of the whole plan anew; none when all fits.

    What waits for what stays the same. Raises `UsageError` when there is no such phase, when an id that stands for
    several tasks is referred to, and when a reference would come to mean another task.
    """
    chosen = _chosen(plan, phase)
    names = _Numbers(plan, chosen).assign()
    changed = {at: name for at, name in names.items() if name != plan.tasks[at].id}
    if not changed:
        return ()
    found = [_definition(plan, at, name) for at, name in changed.items()]
    found += _references(plan, changed)
    found.sort(key=lambda edit: (edit.start_line, edit.start))
    _proved(plan, found, changed)
    return tuple(found)


def _chosen(plan: Plan, phase: str | None) -> list[int]:
    """The tasks whose ids are numbers and may change."""
    wanted: set[int] | None = None
    if phase is not None:
        wanted = {at for at, one in enumerate(plan.phases) if one.id.lower() == phase.strip().lower()}
        if not wanted:
            known = ", ".join(one.id for one in plan.phases[:12])
            raise UsageError(
                f"There is no phase {phase}", hint=f"Phases: {known}" if known else "The plan has no phase"
            )
    return [
        at
        for at, task in enumerate(plan.tasks)
        if task.explicit and task.form in _FORMS and (wanted is None or wanted & set(plan.graph.phase_chain(at)))
    ]


class _Slot(NamedTuple):
    """What an id is counted in, and how an id of it is written: `before` + number of at least `width` digits."""

    group: Hashable
    before: str
    number: int
    width: int


class _Numbers:
    """Gives numbers. `final`: the id every task will have, by index."""

    def __init__(self, plan: Plan, chosen: Sequence[int]) -> None:
        self.plan = plan
        self.chosen = frozenset(chosen)
        self.final: dict[int, str] = {}
        self.fixed = {task.id.lower() for at, task in enumerate(plan.tasks) if at not in self.chosen}
        self.anew = self._begins_anew()

    def assign(self) -> dict[int, str]:
        """The new ids of the chosen tasks; those with fewer numbers first, others may begin with theirs."""
        depths = {at: self.plan.tasks[at].id.count(".") for at in range(len(self.plan.tasks))}
        for depth in range(max(depths.values(), default=0) + 1):
            groups: dict[Hashable, list[tuple[int, _Slot]]] = {}
            for at, task in enumerate(self.plan.tasks):
                if depths[at] == depth and task.explicit and task.form in _FORMS:
                    slot = self._slot(at)
                    groups.setdefault(slot.group, []).append((at, slot))
            for group, members in groups.items():
                self._count(members, restarting=isinstance(group, tuple) and group[0] == "scope")
        return {at: name for at, name in self.final.items() if at in self.chosen}

    def _count(self, members: Sequence[tuple[int, _Slot]], *, restarting: bool) -> None:
        width = max(slot.width for _, slot in members)
        last = -1 if members[0][1].number == 0 else 0
        for at, slot in members:
            if at not in self.chosen:
                self.final[at] = self.plan.tasks[at].id
                last = max(last, slot.number)
                continue
            last += 1
            while not restarting and f"{slot.before}{last:0{width}}".lower() in self.fixed:
                last += 1
            self.final[at] = f"{slot.before}{last:0{width}}"

    def _slot(self, at: int) -> _Slot:
        task = self.plan.tasks[at]
        spec = _SPEC.match(task.id)
        if spec is not None:
            return _Slot(("spec", spec[1]), spec[1], int(spec[2]), _width(spec[2]))
        stem, dot, last = task.id.rpartition(".")
        if not dot:
            return _Slot(("scope", self._scope(at)) if self.anew else ("plan",), "", int(last), _width(last))
        stem = self._stem(at, stem) if at in self.chosen else stem
        return _Slot(("stem", stem.lower()), f"{stem}.", int(last), _width(last))

    def _stem(self, at: int, stem: str) -> str:
        """What an id with dots begins with."""
        holders = self.plan.graph.by_id.get(stem.lower(), ())
        if len(holders) > 1:
            holders = [holder for holder in holders if self._scope(holder)[0] == self._scope(at)[0]]
        if len(holders) == 1:
            return self.final.get(holders[0], stem)
        phase = self.plan.tasks[at].phase
        if phase is not None and _NUMBER.match(phase) and phase.count(".") == stem.count("."):
            return phase
        return stem

    def _scope(self, at: int) -> tuple[int | None, int | None]:
        task = self.plan.tasks[at]
        return task.phase_index, task.parent_line

    def _begins_anew(self) -> bool:
        """Whether plain numbers begin anew in each phase (or below each task): the same ones are there twice."""
        seen: dict[str, tuple[int | None, int | None]] = {}
        for at, task in enumerate(self.plan.tasks):
            if task.explicit and task.form in _FORMS and task.id.isdigit():
                scope = self._scope(at)
                if seen.setdefault(task.id, scope) != scope:
                    return True
        return False


def _width(digits: str) -> int:
    """How many digits a number is padded to: as many as it has when it begins with a zero."""
    return len(digits) if digits.startswith("0") and len(digits) > 1 else 0


# Edits


def _definition(plan: Plan, at: int, name: str) -> Edit:
    task = plan.tasks[at]
    for span in spans(plan, task.line):
        if span.kind == "task-id":
            return _edit(plan, span.line, span.start, span.end, name)
    raise UsageError(f"The id of task {task.id} in line {task.line} can't be changed")


def _edit(plan: Plan, line: int, start: int, end: int, text: str) -> Edit:
    whole = body(plan.document.line(line - 1))
    return Edit(line, start, line, end, text, whole[start:end], whole)


def _references(plan: Plan, changed: dict[int, str]) -> Iterator[Edit]:
    renamed = _renamed(plan, changed)
    for line in _mentioning(plan):
        for span in spans(plan, line):
            for start, end, name in _named(plan, span):
                new = renamed.get(name.lower())
                if new is None:
                    continue
                if len(new) > 1:
                    lines = ", ".join(str(plan.tasks[at].line) for at in plan.graph.by_id[name.lower()])
                    raise UsageError(
                        f"Line {line} refers to {name}, which stands for several tasks (lines {lines})",
                        hint="Give them different ids, or change the reference, and repeat the command",
                    )
                yield _edit(plan, line, start, end, next(iter(new)))


def _renamed(plan: Plan, changed: dict[int, str]) -> dict[str, set[str]]:
    """Old id (lower case) → the ids its tasks will have, where that is a change. Steps follow their parent's id."""
    final: dict[int, str] = {}
    for at, task in enumerate(plan.tasks):
        final[at] = changed.get(at, task.id)
        if not task.explicit and task.parent_line is not None:
            parent = plan.graph.by_line[task.parent_line]
            final[at] = final[parent] + task.id[len(plan.tasks[parent].id) :]
    found: dict[str, set[str]] = {}
    for at, name in final.items():
        found.setdefault(plan.tasks[at].id.lower(), set()).add(name)
    return {old: new for old, new in found.items() if new != {old} and {name.lower() for name in new} != {old}}


def _mentioning(plan: Plan) -> Iterator[int]:
    """Lines that may hold references outside the log, in order."""
    nodes, tasks = plan.tree.nodes, plan.tree.tasks
    found = {
        task.line for task in tasks if task.box is not None and any(tag.name == "depends" for tag in task.box.tags)
    }
    found |= {line for line, node in nodes.items() if node.key == "depends"}
    for number, line in enumerate(plan.document, 1):
        if _MENTIONS.search(line) and (number not in nodes or nodes[number].parent is None):
            found.add(number)
    return iter(sorted(found))


def _named(plan: Plan, span: Span) -> Iterator[tuple[int, int, str]]:
    """(start, end, id) of the tasks that a reference names."""
    if span.kind == "dependency":
        for name in tokens.named(plan.graph.resolver, tokens.Token(span.start, span.end, span.value)):
            if name.kind == "task":
                yield name.start, name.end, name.id
    elif span.kind == "task-reference":
        text, known = span.value, plan.graph.by_id
        left, dash, right = text.partition("-")
        if text.lower() in known or not dash:
            yield span.start, span.end, text
        elif left.strip().lower() in known and right.strip().lower() in known:
            yield span.start, span.start + len(left.rstrip()), left.rstrip()
            yield span.end - len(right.lstrip()), span.end, right.lstrip()


# Proof


def _proved(plan: Plan, edits: Sequence[Edit], changed: dict[int, str]) -> None:
    """Raise `UsageError` unless every task and phase waits for the same tasks as before."""
    after = parse(Document.of(apply_text(plan.document, edits)), archived_ids=plan.archived_ids)
    if [task.line for task in after.tasks] != [task.line for task in plan.tasks]:
        raise UsageError("Numbering anew would change which lines are tasks")
    for at, (old, new) in enumerate(zip(plan.tasks, after.tasks, strict=True)):
        if new.title != old.title or (old.explicit and new.id != changed.get(at, old.id)):
            raise UsageError(f"Task {old.id} in line {old.line} can't be given the id {changed.get(at, old.id)}")
        if _shape(plan.graph.needs[at]) != _shape(after.graph.needs[at]) or new.group != old.group:
            raise UsageError(
                f"Numbering anew would change what task {old.id} in line {old.line} waits for",
                hint="It refers to an id that no task has yet, or to one that several have; correct that first",
            )
    for at, phase in enumerate(plan.phases):
        if _shape(plan.graph.phase_needs[at]) != _shape(after.graph.phase_needs[at]):
            raise UsageError(
                f"Numbering anew would change what phase {phase.id} in line {phase.line} waits for",
                hint="It refers to an id that no task has yet, or to one that several have; correct that first",
            )


def _shape(needs: Sequence[Need]) -> list[tuple[object, ...]]:
    return [(need.members, need.unknown, need.reversed, () if need.members else need.ids) for need in needs]
