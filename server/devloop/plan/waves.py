"""The rest of the plan as sets of tasks that could run one after the other, for previews (plan-format §13)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from devloop.plan.selection import MAX_PARALLEL, Progress, beside_first, rank

if TYPE_CHECKING:
    from devloop.plan.model import Plan, Task


def waves(plan: Plan, *, limit: int = MAX_PARALLEL) -> tuple[tuple[Task, ...], ...]:
    """What remains as sets that could run one after the other, if everything goes well. Blocked tasks are left out."""
    progress = Progress(plan)
    tasks, graph = plan.tasks, plan.graph
    candidates = [
        at
        for at, task in enumerate(tasks)
        if task.status in ("pending", "in_progress")
        and task.pickable
        and not task.cycle
        and not progress.under_done(at)
    ]
    # A need (a task, a range, a whole phase) is one node, so that many tasks waiting for many stay cheap.
    missing: dict[int, int] = {}  # task → open needs
    left: dict[int, int] = {}  # need → open members
    waiting: dict[int, list[int]] = {}  # need → tasks
    parts: dict[int, list[int]] = {}  # task → needs it is a member of
    for index in candidates:
        needs = [need for need in graph.all_needs(index) if not progress.met(need)]
        if any(need.unknown for need in needs):
            continue
        children = [at for at in graph.children.get(index, ()) if not tasks[at].done]
        missing[index] = len(needs) + bool(children)
        groups_of = [(id(need), need.members) for need in needs] + ([(-index - 1, children)] if children else [])
        for node, members in groups_of:
            waiting.setdefault(node, []).append(index)
            if node not in left:
                open_members = [at for at in members if not tasks[at].done]
                left[node] = len(open_members)
                for at in open_members:
                    parts.setdefault(at, []).append(node)
    heap = [(rank(tasks[at], at), at) for at, count in missing.items() if count == 0]
    heapq.heapify(heap)
    groups: dict[tuple[int | None, str], list[int]] = {}
    for _, at in heap:
        _join(groups, tasks[at], at)
    done: set[int] = set()
    result = []
    while heap:
        _, first = heapq.heappop(heap)
        if first in done:
            continue
        wave = _wave(plan, first, groups, done, limit)
        done.update(wave)
        for at in wave:
            for node in parts.get(at, ()):
                left[node] -= 1
                for waiter in waiting[node] if left[node] == 0 else ():
                    missing[waiter] -= 1
                    if missing[waiter] == 0:
                        heapq.heappush(heap, (rank(tasks[waiter], waiter), waiter))
                        _join(groups, tasks[waiter], waiter)
        result.append(tuple(tasks[at] for at in wave))
    return tuple(result)


def _join(groups: dict[tuple[int | None, str], list[int]], task: Task, index: int) -> None:
    if task.group is not None:
        heapq.heappush(groups.setdefault((task.phase_index, task.group), []), index)


def _wave(
    plan: Plan, first: int, groups: dict[tuple[int | None, str], list[int]], done: set[int], limit: int
) -> list[int]:
    """`first` and what can run beside it; whoever is not taken stays in the group for the next wave."""
    task = plan.tasks[first]
    if task.group is None:
        return [first]
    members = groups[(task.phase_index, task.group)]
    looked: list[int] = []
    while members and len(looked) < 4 * limit:
        at = heapq.heappop(members)
        if at != first and at not in done:
            looked.append(at)
    wave = beside_first(plan, [first, *looked], limit)
    for at in looked:
        if at not in wave:
            heapq.heappush(members, at)
    return wave
