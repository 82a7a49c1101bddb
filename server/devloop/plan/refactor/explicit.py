"""Dependencies that follow from elsewhere, written at the tasks themselves (plan-format §7, §10, §13).

*From phases*: what `**Dependencies**` of the phases around a task says, in its words (`Phase 1`, `2.3`). The task waits
for the same as before.

*From order*: devloop picks tasks in document order, so a task comes after the one before it even when nothing says so.
Written down: the last open task before it in its phase; where that is in a parallel group, all open tasks of this group
that stand there together; members of one group don't wait for each other. The first ones of a phase without
dependencies of its own wait for the phase before it. Background and optional tasks are picked later and count only
among themselves. What a task waits for already, through others too, is not written again, and nothing is written that
would make tasks wait for each other. Tasks that are done neither wait nor are waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devloop.errors import UsageError
from devloop.plan.find import TaskRef, locate
from devloop.plan.items import MAX_LINE
from devloop.plan.lines import body
from devloop.plan.model import Edit, Phase, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft


def from_phases(plan: Plan, where: Task | Phase) -> tuple[Edit, ...]:
    """Edits for a task, or for the open tasks of a phase. Raises `UsageError` when there is nothing to write."""
    wanted = {at: _of_phases(plan, at) for at in _tasks(plan, where)}
    return _written(plan, where, wanted)


def from_order(plan: Plan, where: Task | Phase) -> tuple[Edit, ...]:
    """Edits for a task, or for the open tasks of a phase. Raises `UsageError` when there is nothing to write, and when
    a task that has to be named has no id of its own, or shares it."""
    reach = _Reach(plan)
    wanted: dict[int, list[str]] = {}
    for at in _tasks(plan, where):
        wanted[at] = []
        for before in _before(plan, at):
            if isinstance(before, int):
                if before in reach.of(at) or at in reach.of(before):
                    continue
                wanted[at].append(_name(plan, before))
                reach.add(at, before)
            else:
                wanted[at].append(before)
    return _written(plan, where, wanted)


def _tasks(plan: Plan, where: Task | Phase) -> list[int]:
    if isinstance(where, Task):
        task = locate(plan, TaskRef.of(where))
        if not task.pickable or task.parent_line is not None:
            raise UsageError(f"{task.label} is part of task {task.parent}")
        if task.done:
            raise UsageError(f"{task.label} is done: it waits for nothing")
        return [plan.graph.by_line[task.line]]
    phases = [at for at, phase in enumerate(plan.phases) if phase.line == where.line]
    return [
        at
        for at, task in enumerate(plan.tasks)
        if task.parent_line is None and not task.done and set(phases).intersection(plan.graph.phase_chain(at))
    ]


def _of_phases(plan: Plan, at: int) -> list[str]:
    own = {member for need in plan.graph.needs[at] for member in need.members}
    texts = {need.text.lower() for need in plan.graph.needs[at]}
    found = []
    for phase in plan.graph.phase_chain(at):
        for need in plan.graph.phase_needs[phase]:
            covered = bool(need.members) and own.issuperset(need.members)
            if not covered and need.text.lower() not in texts and at not in need:
                found.append(need.text)
    return list(dict.fromkeys(found))


def _before(plan: Plan, at: int) -> list[int | str]:
    """The tasks, or the phase, that come before a task because of its place."""
    task = plan.tasks[at]
    kind = (task.background, task.optional)
    mates = [
        other
        for other, mate in enumerate(plan.tasks[:at])
        if mate.phase_index == task.phase_index
        and mate.parent_line is None
        and not mate.done
        and (mate.background, mate.optional) == kind
        and (task.group is None or mate.group != task.group)
    ]
    if not mates:
        return list(_phase_before(plan, task)) if not any(kind) else []
    last = plan.tasks[mates[-1]]
    found = [mates.pop()]
    while last.group is not None and mates and plan.tasks[mates[-1]].group == last.group:
        found.append(mates.pop())
    return sorted(found)


def _phase_before(plan: Plan, task: Task) -> list[str]:
    at = task.phase_index
    if at is None or any(plan.graph.phase_needs[phase] for phase in plan.graph.phase_chain(_index(plan, task))):
        return []
    phase = plan.phases[at]
    earlier = [other for other in plan.phases[:at] if other.parent == phase.parent and other.status != "empty"]
    ids = [other.id.lower() for other in plan.phases]
    if not earlier or earlier[-1].status == "complete" or ids.count(earlier[-1].id.lower()) != 1:
        return []
    text = f"Phase {earlier[-1].id}"
    known = {need.text.lower() for need in plan.graph.needs[_index(plan, task)]}
    return [] if text.lower() in known else [text]


def _index(plan: Plan, task: Task) -> int:
    return plan.graph.by_line[task.line]


def _name(plan: Plan, at: int) -> str:
    task = plan.tasks[at]
    if not task.explicit:
        raise UsageError(f"{task.label} has no id that others could name", hint=f"Give one to line {task.line}")
    if len(plan.graph.by_id[task.id.lower()]) > 1:
        raise UsageError(f"There are several tasks {task.id}", hint="Renumber all but one")
    return task.id


class _Reach:
    """What a task waits for, directly or through others."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.more: dict[int, list[int]] = {}

    def add(self, at: int, before: int) -> None:
        self.more.setdefault(at, []).append(before)

    def of(self, at: int) -> set[int]:
        seen: set[int] = set()
        queue = [at]
        while queue:
            here = queue.pop()
            waits = [member for need in self.plan.graph.all_needs(here) for member in need.members]
            for other in (*waits, *self.more.get(here, ()), *self.plan.graph.children.get(here, ())):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return seen


def _written(plan: Plan, where: Task | Phase, wanted: dict[int, list[str]]) -> tuple[Edit, ...]:
    draft = Draft(plan)
    expected = check.facts(plan)
    for at, texts in wanted.items():
        if texts:
            _add(plan, draft, at, texts)
            named = frozenset(text.lower() for text in texts if not text.lower().startswith("phase"))
            members = {text: need for text in named for need in plan.graph.resolver.references(text)}
            ids = {plan.tasks[member].id.lower() for need in members.values() for member in need.members} | {
                text.lower() for need in members.values() if not need.members for text in need.ids
            }
            expected[at] = replace(expected[at], waits=expected[at].waits | ids)
    edits = draft.edits()
    if not edits:
        name = where.label if isinstance(where, Task) else f"Phase {where.id}"
        raise UsageError(f"There is nothing to write: {name} says all it waits for")
    changed = check.after(plan, edits)
    check.same(expected, changed)
    check.no_new_cycle(plan, changed)
    return edits


def _add(plan: Plan, draft: Draft, at: int, texts: Sequence[str]) -> None:
    """Into the task's first `[depends:…]`, else as a new tag at the end of its line."""
    line = plan.tasks[at].line
    text = body(plan.document.line(line - 1))
    box = plan.tree.tasks[at].box
    if box is None or len(text) > MAX_LINE:
        raise UsageError("The line is too long")
    tag = next((tag for tag in box.tags if tag.known and tag.name == "depends"), None)
    if tag is not None:
        end = len(text[: box.body + tag.end - 1].rstrip())
        draft.replace(line, end, end, f", {', '.join(texts)}")
    else:
        end = len(text.rstrip())
        draft.replace(line, end, end, f" [depends:{', '.join(texts)}]")
