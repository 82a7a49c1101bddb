"""A plan as prd.json and as Task Master's tasks.json: the counterparts of the readers."""

from __future__ import annotations

from typing import Any, Final

from devloop.plan.model import Plan, Task

_STATUS: Final = {
    "pending": "pending",
    "in_progress": "in-progress",
    "complete": "done",
    "blocked": "blocked",
    "skipped": "cancelled",
    "deferred": "deferred",
    "unknown": "pending",
}


def as_prd(plan: Plan) -> dict[str, Any]:
    """A prd.json: a story for each task that can be picked, in order; `passes`: it is done (other-systems §1.2)."""
    stories = []
    for number, task in enumerate((task for task in plan.tasks if task.pickable), 1):
        story: dict[str, Any] = {
            "id": task.id,
            "title": task.title,
            "description": _phase_name(plan, task),
            "acceptanceCriteria": list(task.acceptance),
            "priority": number,
            "passes": task.done,
            "fileScope": [ref.path for ref in task.files],
            "dependencies": list(task.depends_on),
            "notes": "\n".join([*([task.notes] if task.notes else []), *task.details]),
        }
        if task.effort:
            story["estimatedComplexity"] = task.effort
        if task.model:
            story["suggestedModel"] = task.model
        stories.append(story)
    branch = plan.field("Branch")
    return {
        "project": plan.name,
        "branchName": branch.value if branch else "",
        "description": plan.goal,
        "userStories": stories,
    }


def _phase_name(plan: Plan, task: Task) -> str:
    if task.phase_index is None:
        return ""
    phase = plan.phases[task.phase_index]
    return f"Phase {phase.id}: {phase.name}".rstrip(": ")


def as_task_master(plan: Plan) -> dict[str, Any]:
    """A tasks.json with the tag `master`. Task Master's ids are numbers, so tasks are numbered; devloop's own id stands
    in front of the details."""
    numbers: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    by_line: dict[int, tuple[int, dict[str, Any]]] = {}
    for at, task in enumerate(plan.tasks):
        above = by_line.get(_top(plan, task)) if task.parent_line is not None else None
        row = _row(task)
        if above is None:
            row["id"] = len(rows) + 1
            row["subtasks"] = []
            rows.append(row)
            by_line[task.line] = (at, row)
            numbers[at] = str(row["id"])
        else:
            below = above[1]["subtasks"]
            row["id"] = len(below) + 1
            below.append(row)
            numbers[at] = f"{above[1]['id']}.{row['id']}"
        row["_at"] = at
    for each in [*rows, *(below for row in rows for below in row["subtasks"])]:
        each["dependencies"] = _needs(plan, each.pop("_at"), numbers)
    return {"master": {"tasks": rows, "metadata": {"projectName": plan.name, "description": plan.goal}}}


def _top(plan: Plan, task: Task) -> int:
    """The line of the outermost task around this one: Task Master nests once."""
    while task.parent_line is not None:
        task = plan.tasks[plan.graph.by_line[task.parent_line]]
    return task.line


def _row(task: Task) -> dict[str, Any]:
    details = [f"devloop: {task.id}", *([task.notes] if task.notes else []), *task.details]
    if task.files:
        details.append(f"Files: {', '.join(ref.path for ref in task.files)}")
    return {
        "id": 0,
        "title": task.title,
        "description": "; ".join(task.acceptance),
        "status": _STATUS[task.status],
        "dependencies": [],
        "priority": "low" if task.background or task.optional else "medium",
        "details": "\n".join(details),
        "testStrategy": task.verify,
    }


def _needs(plan: Plan, at: int, numbers: dict[int, str]) -> list[int | str]:
    """Own needs as numbers; a sibling by its last one, as Task Master writes it."""
    own = numbers[at]
    found: list[int | str] = []
    for need in plan.graph.needs[at]:
        for member in need.members:
            name = numbers[member]
            head, dot, last = name.rpartition(".")
            near = dot and head == own.rpartition(".")[0]
            found.append(int(last) if near or not dot else name)
    return list(dict.fromkeys(found))
