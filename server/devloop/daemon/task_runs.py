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
    ids: dict[str, list[plans.Task]] = {}
    keys: dict[str, list[plans.Task]] = {}
    for task in plan.tasks if newest_first else ():
        ids.setdefault(task.id.lower(), []).append(task)
        keys.setdefault(task.key, []).append(task)
    found: dict[int, str] = {}
    for view in newest_first:
        its = _task_of(view, ids.get(view.task.lower(), []), keys.get(view.key, []))
        if its is not None:
            found.setdefault(its.line, view.id)
    return found


def _task_of(view: RunView, same_id: list[plans.Task], same_key: list[plans.Task]) -> plans.Task | None:
    """Of the tasks with the run's id and of those with its title the one that it is about."""
    both = [task for task in same_id if task.key == view.key or not view.key]
    if both:
        return both[0]
    if len(same_key) == 1:
        return same_key[0]
    return same_id[0] if len(same_id) == 1 and same_id[0].explicit and not same_key else None
