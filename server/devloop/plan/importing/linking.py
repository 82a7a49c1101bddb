"""Ids and dependencies of a plan in the making: every id once, no task that waits for itself or in a circle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from devloop.plan.importing import words
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told

MAX_LOOKED_AT: Final = 2000  # edges within cycles that are tried one by one; of more none stays
MAX_NEEDS: Final = 400  # of one task: a line that is too long is not read

Edge = tuple[DraftTask, DraftTask]


def settle(draft: DraftPlan, told: Told) -> None:
    """Give every task its id and a title that stays what it is, and break what can't be."""
    _phases(draft.phases, told)
    _ids(draft, told)
    settle_needs(draft, told)


def _phases(phases: list[DraftPhase], told: Told) -> None:
    used: set[str] = set()
    for phase in phases:
        if not phase.id:
            continue
        if not words.phase_id(phase.id) or phase.id.lower() in used:
            fresh = next(str(n) for n in range(1, len(phases) + 2) if not _taken(str(n), phases, used))
            told.problem(f"{phase.id[:60]!r} can't be the name of a phase, or is one already; it became {fresh}")
            phase.id = fresh
        used.add(phase.id.lower())


def _taken(name: str, phases: Iterable[DraftPhase], used: set[str]) -> bool:
    return name in used or any(phase.id.lower() == name for phase in phases)


def _ids(draft: DraftPlan, told: Told) -> None:
    wanted = {task.name.lower() for task in draft.all_tasks() if task.explicit}
    used: set[str] = set()
    counts: dict[str, int] = {}
    for number, phase in enumerate(draft.phases, 1):
        numbers = phase.id if phase.id.isdecimal() else str(number)
        waiting: list[tuple[DraftTask, DraftTask | None]] = [(task, None) for task in reversed(phase.tasks)]
        while waiting:
            task, parent = waiting.pop()
            _entitle(task, told)
            if not task.explicit and words.without_id(task.title):
                prefix = f"{parent.id}/" if parent else f"p{phase.id}." if phase.id else "s"
                counts[prefix] = counts.get(prefix, 0) + 1
                task.id = f"{prefix}{counts[prefix]}"
            elif task.name.lower() not in used and words.lead(task.name, task.title):
                task.id = task.name
            else:
                task.explicit = True
                head = f"{parent.id}." if parent and parent.id.replace(".", "").isdecimal() else f"{numbers}."
                if head.count(".") > 4:
                    head = f"{numbers}."
                count = counts.get(head, 0) + 1
                while f"{head}{count}" in used or f"{head}{count}" in wanted:
                    count += 1
                counts[head] = count
                task.id = f"{head}{count}"
                _renamed(task, used, told)
            used.add(task.id.lower())
            waiting += ((child, task) for child in reversed(task.children))


def _entitle(task: DraftTask, told: Told) -> None:
    raw = " ".join(task.title.split())
    if not raw:
        told.problem("A task has no title", path=task.path)
    task.title = words.title(raw)
    if len(raw) > words.MAX_TITLE:
        told.note("changed", f"A title of {len(raw)} characters was cut; the notes have all of it", path=task.path)
        task.notes[:0] = words.lines(raw)


def _renamed(task: DraftTask, used: set[str], told: Told) -> None:
    if not task.name:
        return
    task.facts.append(("From", task.name))
    if task.name.lower() in used:
        told.problem(f"The id {task.name[:60]} is used before; this one became {task.id}", path=task.path)
    else:
        told.note("changed", f"{task.name[:60]!r} can't be an id; it became {task.id}", path=task.path)


# Dependencies


def settle_needs(draft: DraftPlan, told: Told) -> None:
    """What tasks that have their ids wait for: each once, nothing that would be a circle."""
    tasks = draft.all_tasks()
    structure = [(task, child) for task in tasks for child in task.children]
    for task in tasks:
        if task in task.needs:
            told.problem(f"{task.id} waits for itself; left out", path=task.path)
        task.needs = [need for need in dict.fromkeys(task.needs) if need is not task]
        task.inherited = [need for need in dict.fromkeys(task.inherited) if need is not task and need not in task.needs]
        if len(task.needs) > MAX_NEEDS:
            told.problem(f"{task.id} waits for {len(task.needs):,} tasks; {MAX_NEEDS} were kept", path=task.path)
            task.needs = task.needs[:MAX_NEEDS]
    own = [(task, need) for task in tasks for need in task.needs]
    for task, need in _closing(structure, own):
        task.needs.remove(need)
        task.notes.append(f"The source says that it waits for {need.id} too, which in turn waits for it")
        told.problem(f"{task.id} and {need.id} wait for each other; {task.id} no longer does", path=task.path)
    own = [(task, need) for task in tasks for need in task.needs]
    inherited = [(task, need) for task in tasks for need in task.inherited]
    for task, need in _closing([*structure, *own], inherited):
        task.inherited.remove(need)
    _phase_needs(
        draft, [*structure, *((task, need) for task in tasks for need in (*task.needs, *task.inherited))], told
    )


def _phase_needs(draft: DraftPlan, fixed: list[Edge], told: Told) -> None:
    """What whole phases wait for. A phase takes part in circles as a task that its tasks wait for."""
    gates = {DraftTask(phase.name): phase for phase in draft.phases if phase.waits_for}
    fixed += [(task, gate) for gate, phase in gates.items() for task in phase.tasks]
    edges = [(gate, need) for gate, phase in gates.items() for need in dict.fromkeys(phase.waits_for)]
    for gate, need in _closing(fixed, edges):
        phase = gates[gate]
        phase.waits_for = [other for other in phase.waits_for if other is not need]
        told.problem(f"Phase {phase.id} and {need.id} wait for each other; the phase no longer does", path=phase.path)


def _closing(fixed: list[Edge], edges: list[Edge]) -> list[Edge]:
    """The edges that have to go so that no circle is left; `fixed` ones stay."""
    ahead: dict[DraftTask, list[DraftTask]] = {}
    behind: dict[DraftTask, list[DraftTask]] = {}
    for source, target in (*fixed, *edges):
        ahead.setdefault(source, []).append(target)
        behind.setdefault(target, []).append(source)
    inside = _remaining(_remaining({*ahead, *behind}, ahead, behind), behind, ahead)
    tried = [edge for edge in edges if edge[0] in inside and edge[1] in inside]
    if len(tried) > MAX_LOOKED_AT:
        return tried
    graph: dict[DraftTask, list[DraftTask]] = {task: [] for task in inside}
    for source, target in fixed:
        if source in inside and target in inside:
            graph[source].append(target)
    closing = []
    for source, target in tried:
        if _reaches(graph, target, source):
            closing.append((source, target))
        else:
            graph[source].append(target)
    return closing


def _remaining(
    tasks: set[DraftTask], ahead: dict[DraftTask, list[DraftTask]], behind: dict[DraftTask, list[DraftTask]]
) -> set[DraftTask]:
    """Tasks from which a way never ends: without those that lead nowhere, again and again."""
    left = {task: sum(other in tasks for other in ahead.get(task, ())) for task in tasks}
    ends = [task for task, count in left.items() if not count]
    while ends:
        task = ends.pop()
        del left[task]
        for other in behind.get(task, ()):
            if other in left:
                left[other] -= 1
                if not left[other]:
                    ends.append(other)
    return set(left)


def _reaches(graph: dict[DraftTask, list[DraftTask]], start: DraftTask, end: DraftTask) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        task = waiting.pop()
        if task is end:
            return True
        for other in graph[task]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return False
