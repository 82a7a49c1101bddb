"""Ids for new tasks and phases, in the style of the plan (plan-format §6, §10)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from devloop.plan import items
from devloop.plan.model import Phase, Plan, Task

_LAST_NUMBER = re.compile(r"(.*(?<![0-9]))([0-9]++)$", re.DOTALL)


def next_id(plan: Plan, phase: Phase | None) -> str:
    """The id a new task of a phase (None: outside all phases) gets; empty when tasks there have no ids.

    It goes on from the tasks of the phase: `2.3` after `2.2`, `T008` after the plan's last `T007`. A phase without
    tasks takes the style of the phase before it: `3.1`, `T008`. No task has the id yet, in archived phases neither.
    """
    model = _model(plan, phase)
    if model is None:
        empty = not plan.tasks and phase is not None and phase.id.isdigit()
        return _free(plan, f"{phase.id}.", 1, 1) if empty and phase is not None else ""
    if not model.explicit:
        return ""
    found = _LAST_NUMBER.match(model.id)
    if found is None:
        return ""
    head = found[1]
    if model.form in ("task", "number") and head and phase is not None and model.phase_index != _index(plan, phase):
        if not phase.id.isdigit():
            return ""
        head = f"{phase.id}."
    used = _numbers(plan.tasks, head)
    return _free(plan, head, max(used, default=0) + 1, len(found[2]) if model.form in ("spec", "key") else 1)


def next_lead(plan: Plan, phase: Phase | None) -> str:
    """What the text of a new task begins with: `Task 2.3: `, `**2.3** `, `T008 `, `4. `, or nothing."""
    name, model = next_id(plan, phase), _model(plan, phase)
    if not name:
        return ""
    form = model.form if model is not None else "task"
    bold = model is not None and _text_of(plan, model).startswith("**")
    if form == "task":
        return f"**Task {name}**: " if bold else f"Task {name}: "
    if form == "step":
        return f"**Step {name.removeprefix('step-')}**: "
    if form == "request":
        return f"[{name}] "
    if form == "anchor":
        return ""
    if bold:
        return f"**{name}** " if form == "number" else f"**{name}**: "
    if form == "number" and "." not in name:
        return f"{name}. "
    return f"{name} "


def next_phase_id(plan: Plan) -> str:
    """The number after the highest one among the plan's phases, archived ones included."""
    names = [phase.id for phase in plan.phases]
    names += [name[6:] for name in plan.archived_ids if name.lower().startswith("phase ")]
    return str(max((int(name) for name in names if name.isdigit() and len(name) < 10), default=0) + 1)


def _model(plan: Plan, phase: Phase | None) -> Task | None:
    """The task to go on from: the last one of the phase, else the last one before it, else any."""
    top = plan.top_level
    index = _index(plan, phase) if phase is not None else None
    inside = [task for task in top if task.phase_index == index]
    if inside:
        return next((task for task in reversed(inside) if task.explicit), inside[-1])
    before = [task for task in top if phase is not None and task.line < phase.line]
    found = before or top
    return found[-1] if found else None


def _index(plan: Plan, phase: Phase) -> int | None:
    return next((at for at, other in enumerate(plan.phases) if other.line == phase.line), None)


def _numbers(tasks: Iterable[Task], head: str) -> list[int]:
    """The numbers that follow `head` in ids."""
    size, low = len(head), head.lower()
    return [
        int(task.id[size:])
        for task in tasks
        if task.explicit and task.id.lower().startswith(low) and task.id[size:].isdecimal() and len(task.id) < size + 10
    ]


def _free(plan: Plan, head: str, number: int, width: int) -> str:
    resolver = plan.graph.resolver
    while True:
        name = f"{head}{number:0{width}d}"
        if name.lower() not in plan.graph.by_id and name.lower() not in resolver.archived:
            return name
        number += 1


def _text_of(plan: Plan, task: Task) -> str:
    line = plan.document.line(task.line - 1)
    return line[items.box(line).body :]
