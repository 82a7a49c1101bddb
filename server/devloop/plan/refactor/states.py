"""Start, block, skip, reopen: what a person may say about a task (plan-format §15). Ticking is devloop's."""

from __future__ import annotations

from datetime import datetime

from devloop.errors import UsageError
from devloop.plan import edits, events
from devloop.plan.events import Event
from devloop.plan.find import TaskRef, locate
from devloop.plan.lines import clean
from devloop.plan.model import Edit, Plan, Task


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
    task = _own(plan, task)
    _must_be_open(task)
    return events.change(plan, Event("blocked", TaskRef.of(task), _said(reason, "blocked"), now))


def skip(plan: Plan, task: Task, reason: str, now: datetime) -> tuple[Edit, ...]:
    """`[-]` and a log line with the reason. Raises `UsageError` without a reason and for what is done."""
    task = _own(plan, task)
    _must_be_open(task)
    return events.change(plan, Event("skipped", TaskRef.of(task), _said(reason, "skipped"), now))


def reopen(plan: Plan, task: Task, now: datetime) -> tuple[Edit, ...]:
    """`[ ]`; a plan in review or complete is in progress again. Raises `UsageError` for what is open already."""
    task = _own(plan, task)
    if task.status == "pending":
        raise UsageError(f"{task.label} is open already")
    found = list(events.change(plan, Event("reset", TaskRef.of(task), now=now)))
    if plan.status_text and plan.status in ("review", "complete") and plan.field("Status"):
        found += edits.set_header(plan, "Status", edits.status_written("in_progress"))
    return tuple(sorted(found, key=lambda edit: (edit.start_line, edit.start)))


def _own(plan: Plan, task: Task) -> Task:
    task = locate(plan, TaskRef.of(task))
    if not task.pickable:
        raise UsageError(f"{task.label} is a step of task {task.parent}", hint="Change that task instead")
    return task


def _must_be_open(task: Task) -> None:
    if task.done:
        word = "done" if task.status == "complete" else "skipped"
        raise UsageError(f"{task.label} is {word} already", hint="Reopen it first")


def _said(reason: str, word: str) -> str:
    text = clean(reason)
    if not text:
        raise UsageError(f"Say why the task is {word}")
    return text
