"""How the task after a task begins, where a phase numbers its tasks (plan-format §6)."""

from __future__ import annotations

import re
from typing import Final

from devloop.plan.lines import body
from devloop.plan.model import Plan, Task
from devloop.plan.spans import spans

_FORMS: Final = ("task", "number", "spec")
_LAST_NUMBER: Final = re.compile(r"(?<![0-9])[0-9]++$")
_BEHIND: Final = re.compile(r"(\*\*)?([ \t]*:|[.)]|[ \t]+[-–—](?=[ \t]|$))?(\*\*)?")
_NEAR: Final = 64  # siblings looked at
_MOST: Final = 100_000  # numbers tried


def successor(plan: Plan, index: int) -> str:
    """`Task 1.4: ` behind task 1.3: the next free id, written as the person writes ids. Empty without numbers."""
    model = _model(plan, index)
    if model is None:
        return ""
    name = following_id(plan, model.id)
    text = body(plan.document.line(model.line - 1))
    found = next((span for span in spans(plan, model.line) if span.kind == "task-id"), None)
    box = plan.tree.tasks[plan.graph.by_line[model.line]].box
    if found is None or box is None or not name:
        return ""
    lead = text[box.body : found.start]
    behind = _BEHIND.match(text, found.end)
    bold = behind is not None and bool(behind[1] or behind[3]) and lead.startswith("**")
    mark = (behind[2] or "") if behind is not None else ""
    if bold:
        return f"{lead}{name}{behind[0] if behind is not None else ''} "
    return f"{lead.replace('**', '')}{name}{mark} "


def following_id(plan: Plan, name: str) -> str:
    """The first id behind `name` that no task has, leading zeros kept: `1.3` → `1.4`, `T009` → `T010`."""
    last = _LAST_NUMBER.search(name)
    if last is None or len(last[0]) > 9:
        return ""
    taken = plan.graph.by_id
    archived = {one.lower() for one in plan.archived_ids}
    width = len(last[0]) if last[0].startswith("0") else 0
    for number in range(int(last[0]) + 1, int(last[0]) + _MOST):
        found = f"{name[: last.start()]}{number:0{width}}"
        if found.lower() not in taken and found.lower() not in archived:
            return found
    return ""


def _model(plan: Plan, index: int) -> Task | None:
    """The task whose id is counted on: this one, else the last numbered one before it where most have a number."""
    task = plan.tasks[index]
    if task.explicit:
        return task if task.form in _FORMS else None
    siblings = []
    for at in range(index - 1, max(-1, index - _NEAR), -1):
        other = plan.tasks[at]
        if other.phase_index != task.phase_index:
            break
        if other.parent_line == task.parent_line:
            siblings.append(other)
    numbered = [other for other in siblings if other.explicit and other.form in _FORMS]
    return numbered[0] if len(numbered) * 2 > len(siblings) else None
