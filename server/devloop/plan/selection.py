"""Which task is next, what may run, what waits for what (plan-format §13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from devloop.lists import some

if TYPE_CHECKING:
    from devloop.plan.graph import Need
    from devloop.plan.model import Plan, Task

MAX_PARALLEL: Final = 4
Outcome = Literal["found", "all_complete", "all_blocked", "partial", "empty"]
Why = Literal["pending", "in_progress", "blocked", "deferred", "unknown", "cycle", "children"]


@dataclass(frozen=True)
class Unmet:
    """Something a task waits for: an id and why that is not done."""

    id: str
    why: Why


@dataclass(frozen=True)
class Blocked:
    """A task that can't be picked. `why`: its own state (`blocked`, `cycle`) or that of what it waits for."""

    task: Task
    unmet: tuple[Unmet, ...]
    why: Why
    by: tuple[str, ...] = ()  # the ids of `unmet`


@dataclass(frozen=True)
class Selection:
    """The answer to "what next?". `parallel`: tasks that may run beside `task`; `resumable`: what was left `[~]`;
    `blocked_by`: the ids everything waits for when nothing was found."""

    state: Outcome
    task: Task | None = None
    blocked_by: tuple[str, ...] = ()
    parallel: tuple[Task, ...] = ()
    resumable: tuple[Task, ...] = ()
    blocked: tuple[Blocked, ...] = ()


class Reason(str):
    """A sentence that says why a task may not run; `code` for programs, `ids` of the tasks concerned."""

    code: str
    ids: tuple[str, ...]

    def __new__(cls, text: str, code: str, ids: Sequence[str] = ()) -> Reason:
        reason = super().__new__(cls, text)
        reason.code = code
        reason.ids = tuple(ids)
        return reason


class Progress:
    """Who is done, with the answer for each need remembered: many tasks wait for the same phase."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = plan.graph
        self._met: dict[int, bool] = {}
        self._open: dict[int, tuple[Unmet, ...]] = {}

    def met(self, need: Need) -> bool:
        found = self._met.get(id(need))
        if found is None:
            tasks = self.plan.tasks
            found = not need.unknown and all(tasks[at].done for at in need.members)
            self._met[id(need)] = found
        return found

    def is_ready(self, index: int) -> bool:
        task = self.plan.tasks[index]
        return (
            task.status == "pending"
            and task.pickable
            and not task.cycle
            and all(self.met(need) for need in self.graph.all_needs(index))
            and all(self.plan.tasks[child].done for child in self.graph.children.get(index, ()))
            and not self.under_done(index)
        )

    def under_done(self, index: int) -> bool:
        """Whether a task around this one is done or skipped: then this one is not offered any more."""
        task = self.plan.tasks[index]
        while task.parent_line is not None:
            task = self.plan.tasks[self.graph.by_line[task.parent_line]]
            if task.done:
                return True
        return False

    def unmet(self, index: int) -> tuple[Unmet, ...]:
        """What a task waits for. Tasks that wait for one same thing get one same tuple."""
        parts = [self.open_part(need) for need in self.graph.all_needs(index) if not self.met(need)]
        tasks = self.plan.tasks
        children = [tasks[child] for child in self.graph.children.get(index, ()) if not tasks[child].done]
        if children:
            parts.append(tuple(Unmet(child.id, "children") for child in children))
        if len(parts) < 2:
            return parts[0] if parts else ()
        found: dict[str, Unmet] = {}
        for part in parts:
            for entry in part:
                found.setdefault(entry.id, entry)
        return tuple(found.values())

    def open_part(self, need: Need) -> tuple[Unmet, ...]:
        """The part of a need that is not done."""
        found = self._open.get(id(need))
        if found is None:
            tasks = self.plan.tasks
            names = {name: Unmet(name, "unknown") for name in need.ids} if need.unknown else {}
            for at in need.members:
                if not tasks[at].done:
                    names.setdefault(tasks[at].id, Unmet(tasks[at].id, _why(tasks[at])))
            found = self._open[id(need)] = tuple(names.values())
        return found


def _why(task: Task) -> Why:
    if task.cycle:
        return "cycle"
    if task.status in ("pending", "in_progress", "blocked", "deferred"):
        return task.status
    return "unknown"


def ready(plan: Plan) -> tuple[Task, ...]:
    """The tasks that could start now, in the order in which they would be picked."""
    progress = Progress(plan)
    return tuple(plan.tasks[at] for at in _order(plan, (i for i in range(len(plan.tasks)) if progress.is_ready(i))))


def _order(plan: Plan, indexes: Iterable[int]) -> list[int]:
    return sorted(indexes, key=lambda at: rank(plan.tasks[at], at))


def rank(task: Task, index: int) -> tuple[bool, bool, int]:
    """Document order; background tasks after the others, optional ones last."""
    return (task.optional, task.background, index)


def select(
    plan: Plan, *, held: frozenset[str] = frozenset(), limit: int = MAX_PARALLEL, phase: str | None = None
) -> Selection:
    """The next task. `held`: ids (or keys) of tasks that other runs hold; `limit`: how many may run at a time.

    `phase`: only tasks of the phase with this id, and of those in it; the answer then speaks of these alone.
    """
    progress = Progress(plan)
    taken = {name.lower() for name in held}
    asked = range(len(plan.tasks)) if phase is None else in_phase(plan, phase)
    free = [at for at in asked if progress.is_ready(at)]
    if taken:
        free = [at for at in free if not _is_held(plan.tasks[at], taken)]
    free = _order(plan, free)
    resumable = tuple(
        task
        for task in _at(plan, asked)
        if task.status == "in_progress" and task.pickable and not (taken and _is_held(task, taken))
    )
    if free:
        first = plan.tasks[free[0]]
        beside = tuple(plan.tasks[at] for at in beside_first(plan, free, limit)[1:])
        return Selection("found", first, (), beside, resumable, _blocked(plan, progress, asked))
    top = [task for task in _at(plan, asked) if task.parent_line is None]
    if not top:
        return Selection("empty")
    if all(task.done for task in top):
        return Selection("all_complete")
    waiting = _blocked(plan, progress, asked)
    distinct = {id(entry.by): entry.by for entry in waiting}
    by = tuple(dict.fromkeys(name for names in distinct.values() for name in names))
    started = any(task.status == "in_progress" for task in _at(plan, asked) if task.pickable)
    runs_elsewhere = taken and any(progress.is_ready(at) for at in asked)
    state: Outcome = "partial" if started or runs_elsewhere else "all_blocked"
    return Selection(state, None, by, (), resumable, waiting)


def _is_held(task: Task, taken: set[str]) -> bool:
    return task.id.lower() in taken or task.key in taken


def in_phase(plan: Plan, phase: str) -> Sequence[int]:
    """The indexes of the tasks of the phase with this id, those of phases inside it included."""
    wanted = phase.lower()
    within: list[bool] = []
    for each in plan.phases:
        within.append(each.id.lower() == wanted or (each.parent is not None and within[each.parent]))
    return [at for at, task in enumerate(plan.tasks) if task.phase_index is not None and within[task.phase_index]]


def _at(plan: Plan, indexes: Iterable[int]) -> Iterable[Task]:
    return (plan.tasks[at] for at in indexes)


def _blocked(plan: Plan, progress: Progress, asked: Iterable[int]) -> tuple[Blocked, ...]:
    """Pending and blocked tasks that can't be picked, with what they wait for."""
    found = []
    names: dict[int, tuple[str, ...]] = {}  # one tuple of ids per tuple of unmet things
    keep: list[tuple[Unmet, ...]] = []
    for index in asked:
        task = plan.tasks[index]
        if not task.pickable or task.done or task.status == "in_progress" or progress.under_done(index):
            continue
        if task.status == "pending" and progress.is_ready(index):
            continue
        unmet = progress.unmet(index)
        if task.cycle and not unmet:
            unmet = (Unmet(task.id, "cycle"),)
        why = _why(task) if task.status != "pending" or task.cycle else unmet[0].why if unmet else "pending"
        by = names.get(id(unmet))
        if by is None:
            keep.append(unmet)
            by = names[id(unmet)] = tuple(entry.id for entry in unmet)
        found.append(Blocked(task, unmet, why, by))
    return tuple(found)


def beside_first(plan: Plan, order: Sequence[int], limit: int = MAX_PARALLEL) -> list[int]:
    """The first of `order` and those that may run beside it: same phase and group, no common file, not sequential."""
    first = plan.tasks[order[0]]
    chosen = [order[0]]
    if first.sequential or first.group is None:
        return chosen
    paths = {ref.path for ref in first.files}
    for at in order[1:]:
        task = plan.tasks[at]
        if len(chosen) >= limit:
            break
        if task.group != first.group or task.phase_index != first.phase_index or task.sequential:
            continue
        mine = {ref.path for ref in task.files}
        if not mine & paths:
            paths |= mine
            chosen.append(at)
    return chosen


def may_run(plan: Plan, task: Task) -> tuple[Reason, ...]:
    """Why this task may not be started by a person now; empty when it may. `[~]` may be resumed."""
    index = plan.graph.by_line[task.line]
    task = plan.tasks[index]
    reasons: list[Reason] = []
    if not task.pickable:
        reasons.append(Reason(f"it is a step of {task.parent}: run that task instead", "step", (task.parent or "",)))
    if task.unwritten:
        reasons.append(Reason("it is still the template's: nobody wrote down what is to be done", "template"))
    if task.status in ("complete", "skipped", "blocked", "deferred"):
        reasons.append(Reason(f"it is {task.status}", task.status))
    elif task.status == "unknown":
        reasons.append(Reason(f"its marker [{task.marker}] has no meaning", "unknown-marker"))
    if len(task.cycle) == 2 and task.cycle[0] == task.cycle[1]:
        reasons.append(Reason("it waits for itself", "cycle", task.cycle[:1]))
    elif task.cycle:
        reasons.append(Reason(f"it is part of a cycle: {' → '.join(task.cycle)}", "cycle", task.cycle[:-1]))
    unmet = Progress(plan).unmet(index)
    for why, text in _SENTENCES:
        names = [entry.id for entry in unmet if entry.why == why]
        if names:
            reasons.append(Reason(text.format(some(names, 5)), why, names))
    return tuple(reasons)


_SENTENCES: Final = (
    ("unknown", "it waits for {}, which does not exist or has no known state"),
    ("pending", "it waits for {}, not done yet"),
    ("in_progress", "it waits for {}, in progress"),
    ("blocked", "it waits for {}, blocked"),
    ("deferred", "it waits for {}, deferred"),
    ("cycle", "it waits for {}, part of a cycle"),
    ("children", "its own tasks {} are not done"),
)


def blocked_by(plan: Plan, task: Task) -> tuple[Unmet, ...]:
    """What this task still waits for."""
    return Progress(plan).unmet(plan.graph.by_line[task.line])
