"""The rest of the plan as sets of tasks that could run one after the other, for previews (plan-format §13)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from devloop.plan.selection import MAX_PARALLEL, Progress, beside_first, rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devloop.plan.model import Plan, Task


def waves(plan: Plan, *, limit: int = MAX_PARALLEL) -> tuple[tuple[Task, ...], ...]:
    """What remains as sets that could run one after the other, if everything goes well. Blocked tasks are left out."""
    tasks, needs = plan.tasks, _Needs(plan)
    heap = [(rank(tasks[at], at), at) for at in needs.met()]
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
        for waiter in [waiter for at in wave for waiter in needs.done(at)]:
            heapq.heappush(heap, (rank(tasks[waiter], waiter), waiter))
            _join(groups, tasks[waiter], waiter)
        result.append(tuple(tasks[at] for at in wave))
    return tuple(result)


class _Needs:
    """What the tasks that remain wait for. A need (a task, a range, a whole phase) is one node, so that many tasks
    waiting for many stay cheap."""

    def __init__(self, plan: Plan) -> None:
        self._missing: dict[int, int] = {}  # task → open needs
        self._left: dict[int, int] = {}  # need → open members
        self._waiting: dict[int, list[int]] = {}  # need → tasks
        self._parts: dict[int, list[int]] = {}  # task → needs it is a member of
        progress = Progress(plan)
        for at, task in enumerate(plan.tasks):
            remains = task.status in ("pending", "in_progress") and task.pickable and not task.cycle
            if remains and not progress.under_done(at):
                self._add(plan, progress, at)

    def _add(self, plan: Plan, progress: Progress, index: int) -> None:
        tasks, graph = plan.tasks, plan.graph
        needs = [need for need in graph.all_needs(index) if not progress.met(need)]
        if any(need.unknown for need in needs):
            return
        children = [at for at in graph.children.get(index, ()) if not tasks[at].done]
        self._missing[index] = len(needs) + bool(children)
        nodes = [(id(need), need.members) for need in needs] + ([(-index - 1, children)] if children else [])
        for node, members in nodes:
            self._waiting.setdefault(node, []).append(index)
            if node not in self._left:
                open_members = [at for at in members if not tasks[at].done]
                self._left[node] = len(open_members)
                for at in open_members:
                    self._parts.setdefault(at, []).append(node)

    def met(self) -> list[int]:
        """The tasks that wait for nothing."""
        return [at for at, count in self._missing.items() if count == 0]

    def done(self, task: int) -> Iterator[int]:
        """The tasks that wait for nothing more once this one is done, too."""
        for node in self._parts.get(task, ()):
            self._left[node] -= 1
            for waiter in self._waiting[node] if self._left[node] == 0 else ():
                self._missing[waiter] -= 1
                if self._missing[waiter] == 0:
                    yield waiter


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
