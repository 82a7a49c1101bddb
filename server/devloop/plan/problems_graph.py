"""Diagnostics about dependencies and parallel groups."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.plan import dependencies
from devloop.plan.graph import Need
from devloop.plan.groups import group_members, phase_groups
from devloop.plan.model import Edit, Plan, Problem, Task

Fixes = tuple[tuple[str, tuple[Edit, ...]], ...]


def find(plan: Plan) -> Iterator[Problem]:
    lookup = _Lookup(plan)
    unknown = {need.text.lower() for needs in plan.graph.needs for need in needs if need.unknown}
    if unknown:
        plan.graph.near.prepare(unknown)
    for index in range(len(plan.tasks)):
        yield from of_task(plan, index, lookup)
    for phase, needs in zip(plan.phases, plan.graph.phase_needs, strict=True):
        for need in needs:
            if need.unknown:
                yield Problem("unknown-dependency", "error", phase.line, f"There is no {_what(need)} to wait for")
    yield from _groups(plan)


def of_task(plan: Plan, index: int, lookup: _Lookup | None = None) -> Iterator[Problem]:
    """What is wrong with the dependencies of one task."""
    task, needs = plan.tasks[index], plan.graph.needs[index]
    if needs:
        yield from _dependencies(plan, index, task, needs, lookup or _Lookup(plan))
    if index in plan.graph.cycles:
        message = f"The tasks wait for each other: {' → '.join(_shortened(task.cycle))}"
        cycle = frozenset(
            at for name in task.cycle[:20] for at in plan.graph.by_id.get(name.lower(), ()) if at != index
        )
        fixes = _without(plan, index, cycle, "Don't wait for {}")
        yield Problem("dependency-cycle", "error", task.line, message, *_span(plan, index), fixes=fixes)


def _shortened(path: tuple[str, ...]) -> tuple[str, ...]:
    return path if len(path) <= 20 else (*path[:10], "…", *path[-9:])


def _what(need: Need) -> str:
    return need.text if need.text.lower().startswith("phase") else f"task {need.text}"


class _Lookup:
    """Answers that many tasks share: the stuck members of a need."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._stuck: dict[int, list[Task]] = {}

    def nearest(self, text: str) -> str:
        near = self.plan.graph.near.of(text.lower())
        return self.plan.tasks[self.plan.graph.by_id[near][0]].id if near else ""

    def stuck(self, need: Need) -> list[Task]:
        if id(need) not in self._stuck:
            members = (self.plan.tasks[at] for at in need.members)
            self._stuck[id(need)] = [task for task in members if task.status in ("blocked", "deferred")]
        return self._stuck[id(need)]


def _dependencies(plan: Plan, index: int, task: Task, needs: tuple[Need, ...], lookup: _Lookup) -> Iterator[Problem]:
    span = _span(plan, index)
    for need in needs:
        if need.unknown:
            name = lookup.nearest(need.text)
            hint = f"; nearest: {name}" if name and name != task.id else ""
            fixes = _replace(plan, index, need, name) if hint else ()
            message = f"There is no {_what(need)}{hint}"
            yield Problem("unknown-dependency", "error", task.line, message, *span, fixes=fixes)
            continue
        if need.reversed:
            fixes = _swap(plan, index, need)
            message = f"The range {need.text} is reversed; it is read from its smaller end"
            yield Problem("range-reversed", "warning", task.line, message, *span, fixes=fixes, certain=bool(fixes))
        if not need.members:
            continue
        if index in need:
            fixes = _without(plan, index, frozenset((index,)), "Remove the dependency on itself")
            yield Problem("self-dependency", "error", task.line, f"Task {task.id} waits for itself", *span, fixes=fixes)
        elif index not in plan.graph.cycles and need.members[-1] > index:
            later = plan.tasks[need.members[-1]]
            message = f"Task {task.id} waits for {later.id}, which comes later (line {later.line})"
            yield Problem("forward-dependency", "hint", task.line, message, *span)
        stuck = lookup.stuck(need)
        if stuck:
            names = ", ".join(f"{other.id} ({other.status})" for other in stuck[:5])
            related = tuple((other.line, f"{other.id} is {other.status}") for other in stuck[:5])
            yield Problem(
                "depends-on-blocked", "warning", task.line, f"Task {task.id} waits for {names}", *span, related
            )


def _span(plan: Plan, index: int) -> tuple[int, int | None]:
    """Columns of the first `[depends:…]` of a task."""
    box = plan.tree.tasks[index].box
    tag = next((tag for tag in box.tags if tag.name == "depends"), None) if box else None
    return (box.body + tag.start, box.body + tag.end) if box and tag else (0, None)


def _replace(plan: Plan, index: int, need: Need, new: str) -> Fixes:
    """Name another task instead. A range of which only an end is unknown is left to the person."""
    for written in dependencies.of_task(plan, index):
        if written.needs == (need,) and len(written.named) == 1 and written.named[0].kind == "task":
            return ((f"Replace by {new}", (written.renamed(plan, {0: new}),)),)
    return ()


def _swap(plan: Plan, index: int, need: Need) -> Fixes:
    """The range the right way round, wherever the task says it: in its tag and in its metadata."""
    edits = []
    for written in dependencies.of_task(plan, index):
        if written.needs == (need,) and len(written.named) == 2:
            left, right = written.named
            edits.append(written.renamed(plan, {0: right.id, 1: left.id}))
    return ((f"Write {edits[0].text}", tuple(edits)),) if edits else ()


def _without(plan: Plan, index: int, members: frozenset[int], title: str) -> Fixes:
    """Remove one reference to one of these tasks, for each such reference; ranges and phases stay."""
    found = []
    for written in dependencies.of_task(plan, index):
        named = written.needs[0].members if written.single else ()
        edit = written.removed(plan) if named and members.issuperset(named) else None
        if edit is not None:
            found.append((title.format(written.named[0].id), (edit,)))
    return tuple(found[:5])


def _groups(plan: Plan) -> Iterator[Problem]:
    members: dict[tuple[int | None, str], list[int]] = {}
    for index, task in enumerate(plan.tasks):
        if task.group is not None:
            members.setdefault((task.phase_index, task.group), []).append(index)
    for (_, group), group_of in members.items():
        tagged = any(tag.lower().startswith("parallel") for tag in plan.tasks[group_of[0]].tags)
        if len(group_of) == 1 and tagged:
            message = f"Group {group} has no other task in this phase"
            yield Problem("group-of-one", "hint", plan.tasks[group_of[0]].line, message)
        if len(group_of) > 1:
            yield from _conflicts(plan, group, group_of)
    for phase, draft in enumerate(plan.tree.phases):
        for group, text in phase_groups(draft):
            for index in group_members(text, plan.graph):
                task = plan.tasks[index]
                if task.group not in (None, group) and task.phase_index == phase:
                    message = f"The phase puts {task.id} into group {group}, its tag into {task.group}; the tag counts"
                    related = ((plan.phases[phase].line, f"Phase {plan.phases[phase].id}"),)
                    yield Problem("group-conflict", "warning", task.line, message, related=related)


def _conflicts(plan: Plan, group: str, members: list[int]) -> Iterator[Problem]:
    inside = frozenset(members)
    owner: dict[str, Task] = {}
    for index in members:
        task = plan.tasks[index]
        for ref in task.files:
            first = owner.setdefault(ref.path, task)
            if first is not task:
                message = f"{task.id} and {first.id} of group {group} both name {ref.path}: they won't run together"
                related = ((first.line, f"{first.id} names it"),)
                yield Problem("parallel-file-conflict", "warning", task.line, message, related=related)
        for need in plan.graph.needs[index]:
            mates = [at for at in need.members if at in inside and at != index]
            if mates:
                other = plan.tasks[mates[0]]
                message = f"{task.id} waits for {other.id}, which is in the same group {group}"
                related = ((other.line, f"{other.id} of group {group}"),)
                yield Problem("parallel-depends", "warning", task.line, message, *_span(plan, index), related)
