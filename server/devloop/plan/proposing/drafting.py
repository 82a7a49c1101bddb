"""A planner's result as the text of a new plan (plan-format §4 to §11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devloop.plan.build import parse
from devloop.plan.importing import linking, writing
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told
from devloop.plan.lines import clean
from devloop.plan.proposing import tasks as making
from devloop.plan.proposing.wanted import Wanted, WantedTask, phase_name, read


@dataclass(frozen=True)
class NewPlan:
    """`notes`: what could not be taken as it was meant, in words."""

    text: str
    tasks: int
    notes: tuple[str, ...] = ()


def new_plan(
    data: Any, *, now: str = "", log: str = "Plan created", name: str = "", fields: Sequence[tuple[str, str]] = ()
) -> NewPlan:
    """The plan that a result asks for. Any JSON gives one; without a task it has none.

    `now`: `YYYY-MM-DD HH:MM`, empty for none; `log`: its first log line; `name`: for a result without a title;
    `fields`: further ones of the header. Ids are numbered, dependencies resolved from titles, groups kept where their
    tasks can run together.
    """
    wanted, told = read(data), Told()
    draft, pairs = _draft(wanted, told, name)
    draft.fields = [("Created", now[:10]), ("Status", "Planning"), *fields, ("Goal", clean(wanted.goal, 1_000))]
    draft.log = [(now, log)]
    phases = {f"phase {phase.id}": phase.tasks for phase in draft.phases}
    phases |= {making.normal(phase.name): phase.tasks for phase in draft.phases if phase.name.strip()}
    numbers = {task.name: task for task in draft.all_tasks()}
    new = [task for task, _ in pairs]
    names = making.Names(new, lambda each: numbers.get(making.normal(each)), phases)
    making.linked(pairs, names, told)
    linking.settle(draft, told)
    text = writing.written(draft)
    for _ in range(3):
        odd = making.ungrouped(new, parse(text))
        if not odd:
            break
        for task in odd:
            task.tags = []
            told.note("changed", f"Task {task.id} stands in no group: it can't run beside the others of it")
        text = writing.written(draft)
    told.end()
    notes = [*(note.text for note in told.notes), *(problem.message for problem in told.problems)]
    if wanted.more:
        notes.append(f"{wanted.more} more of it were too many or nothing that devloop knows")
    return NewPlan(text, len(new), tuple(notes))


def _draft(wanted: Wanted, told: Told, name: str) -> tuple[DraftPlan, list[tuple[DraftTask, WantedTask]]]:
    """The plan without dependencies, and each task with what it was made of. Changes that add something are taken as
    what they add: there is no plan yet that they could change."""
    draft = DraftPlan(clean(wanted.title, 200) or clean(name, 200) or "Untitled")
    pairs: list[tuple[DraftTask, WantedTask]] = []
    parts = [(phase.name, phase.goal, phase.tasks) for phase in wanted.phases]
    for change in wanted.changes:
        if change.what == "add":
            parts.append((phase_name(change.phase) or "More", "", (change.new,)))
        else:
            told.note("lost", f"There is no plan yet, so nothing to {change.label}")
    by_name: dict[str, DraftPhase] = {}
    for title, goal, members in parts:
        phase = by_name.get(making.normal(title)) if title.strip() else None
        if phase is None:
            phase = DraftPhase(str(len(draft.phases) + 1), title, goal=goal)
            draft.phases.append(phase)
            by_name[making.normal(title)] = phase
        for each in members:
            task = making.drafted(each, told)
            task.name = f"{phase.id}.{len(phase.tasks) + 1}"
            phase.tasks.append(task)
            pairs.append((task, each))
    return draft, pairs
