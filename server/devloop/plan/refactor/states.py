"""Start, block, skip, reopen, tick by hand: what a person may say about a task (plan-format §15).

Ticking is devloop's, after its gates have passed. A person owns the plan and may tick nevertheless; the log then says
that it was done by hand, and no agent gets here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args

from devloop.errors import UsageError
from devloop.lists import some
from devloop.plan import edits, events
from devloop.plan.events import Event
from devloop.plan.find import TaskRef, locate
from devloop.plan.lines import clean
from devloop.plan.model import Edit, Plan, Task

BY_HAND: Final = "by hand"
Mark = Literal["todo", "skip", "block", "done"]
MARKS: Final[tuple[Mark, ...]] = get_args(Mark)


def start(plan: Plan, task: Task, now: datetime) -> tuple[Edit, ...]:
    """`[~]` and a log line. Raises `UsageError` for steps and for what is done, started or stands still."""
    task = _own(plan, task)
    if task.status == "in_progress":
        raise UsageError(f"{task.label} is in progress already")
    _must_be_open(task)
    if task.status in ("blocked", "deferred"):
        raise UsageError(f"{task.label} is {task.status}", hint="Reopen it first")
    return events.change(plan, Event("started", TaskRef.of(task), now=now))


def block(plan: Plan, task: Task, reason: str, now: datetime) -> tuple[Edit, ...]:
    """`[!]`, the reason as a note and in the log. Raises `UsageError` without a reason and for what is done."""
    return marked(plan, mark(plan, task, "block", reason, now))


def skip(plan: Plan, task: Task, reason: str, now: datetime) -> tuple[Edit, ...]:
    """`[-]` and a log line with the reason. Raises `UsageError` without a reason and for what is done."""
    return marked(plan, mark(plan, task, "skip", reason, now))


def complete(plan: Plan, task: Task, reason: str, now: datetime) -> tuple[Edit, ...]:
    """`[x]` and what follows from it (§15), with `by hand` and the reason, if there is one, in the log. Raises
    `UsageError` for what is done and for a task whose own tasks are open."""
    return marked(plan, mark(plan, task, "done", reason, now))


def reopen(plan: Plan, task: Task, now: datetime) -> tuple[Edit, ...]:
    """`[ ]`; a plan in review or complete is in progress again. Raises `UsageError` for what is open already."""
    return marked(plan, mark(plan, task, "todo", "", now))


def mark(plan: Plan, task: Task, to: Mark, reason: str, now: datetime) -> Event:
    """What a person says about a task, as an event; raises as the functions above."""
    task = _own(plan, task)
    ref, said = TaskRef.of(task), clean(reason)
    if to == "todo":
        if task.status == "pending":
            raise UsageError(f"{task.label} is open already")
        return Event("reset", ref, now=now)
    _must_be_open(task)
    if to == "done":
        _must_hold_nothing(plan, task)
        return Event("completed", ref, f"{BY_HAND}: {said}" if said else BY_HAND, now)
    word: Literal["blocked", "skipped"] = "blocked" if to == "block" else "skipped"
    if not said:
        raise UsageError(f"Say why the task is {word}", hint='For example: --reason "waits for the new API".')
    return Event(word, ref, said, now)


def marked(plan: Plan, event: Event) -> tuple[Edit, ...]:
    """The edits of such an event; none where the plan says so already."""
    found = list(events.change(plan, event))
    done = plan.status_text and plan.status in ("review", "complete") and plan.field("Status")
    if found and done and event.kind == "reset":
        found += edits.set_header(plan, "Status", edits.status_written("in_progress"))
    return tuple(sorted(found, key=lambda edit: (edit.start_line, edit.start)))


def _must_hold_nothing(plan: Plan, task: Task) -> None:
    below = [plan.tasks[at] for at in plan.graph.children.get(plan.graph.by_line[task.line], ())]
    left = [other.id for other in below if not other.done]
    if left:
        raise UsageError(f"{task.label} holds tasks that are not done: {some(left, 5)}", hint="Mark those first")


def _own(plan: Plan, task: Task) -> Task:
    task = locate(plan, TaskRef.of(task))
    if not task.pickable:
        raise UsageError(f"{task.label} is a step of task {task.parent}", hint="Change that task instead")
    return task


def _must_be_open(task: Task) -> None:
    if task.done:
        word = "done" if task.status == "complete" else "skipped"
        raise UsageError(f"{task.label} is {word} already", hint="Reopen it first")
