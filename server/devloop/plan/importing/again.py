"""The same source imported again: titles and tasks are the source's, what was reached stays (plan-format §21)."""

from __future__ import annotations

from devloop.plan.build import parse
from devloop.plan.edits import apply_to, set_marker
from devloop.plan.model import Edit, Plan, Task

REACHED = frozenset({"complete", "in_progress", "blocked", "skipped"})


def carried(fresh: Plan, before: Plan) -> tuple[Plan, int]:
    """`fresh` with the marks of the plan that was imported from the same source before, and how many that were.

    A task is the same when it comes from the same id of the source, or has the same id here. Only tasks that the source
    has as not started get a mark: none is taken away.
    """
    source = fresh.field("Source")
    old = before.field("Source")
    if source is None or old is None or source.value != old.value:
        return fresh, 0
    known = {name: task for task in reversed(before.tasks) for name in _names(task)}
    found: list[Edit] = []
    for task in fresh.tasks:
        same = next((known[name] for name in _names(task) if name in known), None)
        if same is not None and task.status == "pending" and same.status in REACHED:
            found += set_marker(fresh, task, same.marker)
    return (parse(apply_to(fresh.document, found), name=fresh.name) if found else fresh), len(found)


def _names(task: Task) -> list[str]:
    """What a task is known by, the surest first: where it comes from, else its id, else its title in its phase."""
    origin = [value for key, value in task.extra if key.lower() == "from" and value]
    if origin:
        return [f"from {origin[0].lower()}"]
    return [f"id {task.id.lower()}"] if task.explicit else [f"title {task.phase} {task.key}"]
