"""Counting (plan-format §14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devloop.plan.model import Plan, Task


@dataclass(frozen=True)
class Counts:
    """Numbers of tasks by status; they add up to `total`. `done` = completed + skipped."""

    total: int = 0
    completed: int = 0
    pending: int = 0
    in_progress: int = 0
    blocked: int = 0
    skipped: int = 0
    deferred: int = 0
    unknown: int = 0

    @property
    def done(self) -> int:
        return self.completed + self.skipped

    @property
    def percentage(self) -> int:
        """Whole percents, rounded down; 0 for nothing."""
        return self.done * 100 // self.total if self.total else 0


@dataclass(frozen=True)
class Part:
    total: int = 0
    done: int = 0


@dataclass(frozen=True)
class Stats:
    """`tasks`: the top-level ones. `leaves`: what can be picked, for progress bars of nested plans."""

    tasks: Counts
    phases: tuple[Counts, ...]
    subtasks: Part
    criteria: Part
    leaves: Part

    @property
    def total(self) -> int:
        return self.tasks.total

    @property
    def done(self) -> int:
        return self.tasks.done

    @property
    def percentage(self) -> int:
        return self.tasks.percentage


def statistics(plan: Plan) -> Stats:
    """Counts of the plan and of each phase (in the order of `plan.phases`, sub-phases counting for both)."""
    whole: list[str] = []
    by_phase: list[list[str]] = [[] for _ in plan.phases]
    subtasks: list[bool] = []
    for index, task in enumerate(plan.tasks):
        if task.parent_line is not None:
            subtasks.append(task.done)
            continue
        whole.append(task.status)
        for phase in plan.graph.phase_chain(index):
            by_phase[phase].append(task.status)
    leaves = [task.done for index, task in enumerate(plan.tasks) if is_leaf(plan, index)]
    return Stats(
        counts(whole),
        tuple(counts(states) for states in by_phase),
        Part(len(subtasks), sum(subtasks)),
        Part(len(plan.criteria), sum(criterion.done for criterion in plan.criteria)),
        Part(len(leaves), sum(leaves)),
    )


def is_leaf(plan: Plan, index: int) -> bool:
    """Whether a task can be picked and holds no others that can."""
    task: Task = plan.tasks[index]
    return task.pickable and index not in plan.graph.children


def counts(states: Iterable[str]) -> Counts:
    """Counts of status names."""
    numbers = {"complete": 0, "pending": 0, "in_progress": 0, "blocked": 0, "skipped": 0, "deferred": 0, "unknown": 0}
    total = 0
    for state in states:
        numbers[state] += 1
        total += 1
    return Counts(
        total,
        numbers["complete"],
        numbers["pending"],
        numbers["in_progress"],
        numbers["blocked"],
        numbers["skipped"],
        numbers["deferred"],
        numbers["unknown"],
    )
