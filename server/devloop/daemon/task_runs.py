"""Which run belongs to which task (plan-format §6: records refer to a task by its title's key first)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from devloop import plan as plans
from devloop.daemon.run_view import RunView


def newest_of(task: plans.Task, newest_first: Iterable[RunView]) -> RunView | None:
    """The newest run that remembers both id and title; else, where the id stands in the text, the newest with that id
    whatever the title, and where it was counted, the newest with that title whatever the number."""
    other = None
    wanted = task.id.lower()
    for view in newest_first:
        if view.errand:
            continue
        same_id, same_key = view.task.lower() == wanted, view.key == task.key
        if same_id and (same_key or not view.key):
            return view
        if other is None and (same_id if task.explicit else same_key):
            other = view
    return other


def by_line(plan: plans.Plan, newest_first: Sequence[RunView]) -> dict[int, str]:
    """The id of the newest run of each task that has one, by the task's line.

    A run belongs to the task with its id and title; else to the only one with its title, so that renumbering loses
    nothing; else to the only one whose written id it remembers, so that rewording loses nothing.
    """
    tasks, found = plan.tasks, dict[int, str]()
    keys: dict[str, list[plans.Task]] | None = None
    for view in newest_first:
        if view.errand:
            continue
        same_id = [tasks[at] for at in plan.graph.by_id.get(view.task.lower(), ())]
        its = next((task for task in same_id if task.key == view.key or not view.key), None)
        if its is None:
            keys = _by_key(tasks) if keys is None else keys  # of a whole plan: only when some run needs it
            its = _moved(same_id, keys.get(view.key, []))
        if its is not None:
            found.setdefault(its.line, view.id)
    return found


def _by_key(tasks: Sequence[plans.Task]) -> dict[str, list[plans.Task]]:
    found: dict[str, list[plans.Task]] = {}
    for task in tasks:
        found.setdefault(task.key, []).append(task)
    return found


def _moved(same_id: list[plans.Task], same_key: list[plans.Task]) -> plans.Task | None:
    """The task of a run when none has both its id and its title."""
    if len(same_key) == 1:
        return same_key[0]
    return same_id[0] if len(same_id) == 1 and same_id[0].explicit and not same_key else None
