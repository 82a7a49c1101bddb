"""Who may start, who waits for whom: for all tasks of a plan at once, each thing found out one time (plan-format §13).

The single questions of `selection` are right for one task; asking them of every task of a long plan, of which many wait
for the same phase, would cost the square of its length.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from devloop.plan.selection import Progress, Unmet

if TYPE_CHECKING:
    from devloop.plan.graph import Graph, Need
    from devloop.plan.model import Plan, Task


class Outlook:
    """Tasks are named by their index in `Plan.tasks`, phases by theirs in `Plan.phases`.

    It also holds for a later plan with the same `graph`: what `reparse` gives as long as only titles and prose change.
    """

    def __init__(self, plan: Plan) -> None:
        self.graph: Graph = plan.graph
        self._tasks = plan.tasks
        self._progress = Progress(plan)
        self.loops = plan.status not in ("paused", "archived")
        """Whether a loop may go through the plan (§12)."""

    def fits(self, plan: Plan) -> bool:
        return plan.graph is self.graph

    def settled(self, *, waiters: bool) -> bool:
        """Whether `settle` would find nothing new."""
        return "ready_phases" in self.__dict__ and (not waiters or "_waits" in self.__dict__)

    def settle(self, *, waiters: bool) -> None:
        """Look at all tasks now, for whoever has a better place for that than where the answers are needed."""
        _ = self.ready_phases, self._waits if waiters else None

    @cached_property
    def startable(self) -> tuple[int, ...]:
        """The tasks that a person may start now, in document order: those for which `may_run` has no reason."""
        return tuple(
            at
            for at, task in enumerate(self._tasks)
            if task.status in ("pending", "in_progress") and task.pickable and not task.unwritten
            if not task.cycle and self._free(at)
        )

    @cached_property
    def ready(self) -> frozenset[int]:
        """Those of them that a loop would pick."""
        return frozenset(
            at for at in self.startable if self._tasks[at].status == "pending" and not self._progress.under_done(at)
        )

    @cached_property
    def ready_phases(self) -> frozenset[int]:
        """The phases that hold a ready task, also in a phase inside of them."""
        return frozenset(phase for at in self.ready for phase in self.graph.phase_chain(at))

    def _free(self, index: int) -> bool:
        progress = self._progress
        return all(map(progress.met, self.graph.all_needs(index))) and all(
            self._tasks[child].done for child in self.graph.children.get(index, ())
        )

    def unmet(self, index: int) -> tuple[Unmet, ...]:
        """What a task still waits for."""
        return self._progress.unmet(index)

    def unmet_names(self, index: int) -> tuple[str, ...]:
        """The same in few words: ids, and `Phase 2` for what is open of a whole phase."""
        names: dict[str, None] = {}
        for need in self.graph.all_needs(index):
            if self._progress.met(need):
                continue
            part = self._progress.open_part(need)
            if need.whole_phase and len(part) > 1:
                names[f"Phase {need.text.split()[-1]}"] = None
            else:
                names.update((entry.id, None) for entry in part)
        for child in self.graph.children.get(index, ()):
            if not self._tasks[child].done:
                names[self._tasks[child].id] = None
        return tuple(names)

    def waiters(self, *indexes: int) -> tuple[int, ...]:
        """The tasks that wait for one of these, directly or through others, in document order; none of themselves."""
        holders, needs = self._waits
        seen, asked, queue = set(indexes), set(), list(indexes)
        while queue:
            at = queue.pop()
            found = [self._holder[at]] if at in self._holder else []
            for need in needs.get(at, ()):
                if need not in asked:
                    asked.add(need)
                    found += holders[need]
            for waiter in found:
                if waiter not in seen:
                    seen.add(waiter)
                    queue.append(waiter)
        return tuple(sorted(seen.difference(indexes)))

    @cached_property
    def _holder(self) -> dict[int, int]:
        """The task around a task that waits for it."""
        return {child: at for at, children in self.graph.children.items() for child in children}

    @cached_property
    def _waits(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """By need (its identity: equal references are one object) the tasks that have it, and by task the needs that it
        is a member of. So a phase that everybody waits for is gone through once and not once for each."""
        holders: dict[int, list[int]] = {}
        needs: dict[int, list[int]] = {}
        for at in range(len(self._tasks)):
            need: Need
            for need in self.graph.all_needs(at):
                known = holders.get(id(need))
                if known is not None:
                    known.append(at)
                    continue
                holders[id(need)] = [at]
                for member in need.members:
                    needs.setdefault(member, []).append(id(need))
        return holders, needs


def blocking(plan: Plan, task: Task) -> tuple[Task, ...]:
    """The tasks that wait for this one, directly or through others, in document order."""
    return tuple(plan.tasks[at] for at in Outlook(plan).waiters(plan.graph.by_line[task.line]))
