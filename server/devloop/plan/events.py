"""What an event changes in the plan (plan-format §15), as edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

from devloop.errors import UsageError
from devloop.plan import edits
from devloop.plan.find import TaskRef, locate
from devloop.plan.headings import LOG
from devloop.plan.lines import body, clean
from devloop.plan.model import Edit, LogLine, Plan, Task

Kind = Literal[
    "started",
    "completed",
    "committed",
    "partial",
    "blocked",
    "skipped",
    "discarded",
    "reset",
    "approved",
    "finished",
]
KINDS: Final = frozenset(get_args(Kind))
_MARKER: Final = {
    "started": "~",
    "completed": "x",
    "partial": "~",
    "blocked": "!",
    "skipped": "-",
    "discarded": " ",
    "reset": " ",
}
_OF_PLAN: Final = frozenset({"approved", "finished"})


@dataclass(frozen=True)
class Event:
    """Something that happened to a task (or, `approved` and `finished`, to the plan).

    `text`: summary, reason or commit hash. `now` is written as it is, in minutes.
    """

    kind: Kind
    task: TaskRef | None = None
    text: str = ""
    now: datetime | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Event:
        """From `{"kind", "task": {id, key, title, line}, "text", "at"}`; `at` is ISO 8601. Raises `UsageError`."""
        kind = data.get("kind")
        if kind not in KINDS:
            raise UsageError(f"Unknown event {kind!r}", hint=f"Known: {', '.join(sorted(KINDS))}")
        task, at = data.get("task"), data.get("at")
        try:
            now = datetime.fromisoformat(at) if isinstance(at, str) and at else None
        except ValueError:
            raise UsageError(f"{at!r} is not a time", hint="Give it as 2026-01-31T12:30:00") from None
        ref = TaskRef.from_json(task) if isinstance(task, Mapping) else None
        return cls(cast("Kind", kind), ref, str(data.get("text") or ""), now)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "task": self.task.to_json() if self.task else None,
            "text": self.text,
            "at": self.now.isoformat() if self.now else None,
        }


def change(plan: Plan, event: Event) -> tuple[Edit, ...]:
    """The edits that record an event: marker, log, header, notes. Empty when everything is recorded already.

    Raises `StaleEdit` when the task can't be found again, `UsageError` when the event lacks task or time.
    """
    if event.kind in _OF_PLAN:
        return _change_plan(plan, event)
    if event.task is None:
        raise UsageError(f"The event {event.kind} needs a task")
    task = locate(plan, event.task)
    text = clean(event.text)
    marker = _MARKER.get(event.kind)
    found = list(edits.set_marker(plan, task, marker)) if marker else []
    ticked = bool(found)
    logs: list[str] = []
    line = log_text(event.kind, task, text)
    if line and (ticked or not _logged(plan, task, event.kind, line)):
        logs.append(line)
    if event.kind == "blocked" and text:
        found += edits.add_note(plan, task, text)
    if event.kind == "started" and plan.status == "planning" and (ticked or logs):
        found += _status(plan, "in_progress")
    if event.kind in ("completed", "skipped") and ticked:
        found += _after_tick(plan, task, logs)
    if event.kind == "completed" and (ticked or logs) and plan.fields:
        found += edits.set_header(plan, "Updated", _stamp(event))
    if logs:
        found += edits.append_log(plan, logs, _stamp(event))
    return _joined(found)


def _change_plan(plan: Plan, event: Event) -> tuple[Edit, ...]:
    status = "in_progress" if event.kind == "approved" else "complete"
    text = "Plan approved" if event.kind == "approved" else "Plan complete"
    found = list(_status(plan, status)) if plan.status != status else []
    already = any(line.event == ("approved" if event.kind == "approved" else "plan_complete") for line in plan.log)
    if not already:
        found += edits.append_log(plan, text, _stamp(event))
    if found and plan.fields:
        found += edits.set_header(plan, "Updated", _stamp(event))
    return _joined(found)


def log_text(kind: str, task: Task, text: str = "") -> str:
    """What the log says about an event; empty for a reset."""
    name = task.label
    plain = {
        "started": f"Started {name}",
        "completed": f"Completed {name}",
        "committed": f"Committed {name}",
        "partial": f"{name} partial",
        "blocked": f"{name} blocked",
        "skipped": f"Skipped {name}",
        "discarded": f"Discarded work on {name}",
    }.get(kind, "")
    if not plain or not text or kind in ("started", "discarded"):
        return clean(plain)
    return clean(f"{plain} - {text}")


def log_name(task: Task) -> str:
    """How log lines name a task, in lower case: its id, or its quoted title when it has none."""
    return clean(task.label).replace("**", "").removeprefix("Task ").strip().lower()


def mentions(line: LogLine, task: Task) -> bool:
    """Whether a log line is about this task."""
    wanted = log_name(task)
    return any(name.lower() == wanted for name in line.tasks)


def _logged(plan: Plan, task: Task, kind: str, text: str) -> bool:
    """Whether the log says this already about the present attempt, that is since the task was last started."""
    entries = [line for line in plan.log if line.tasks and mentions(line, task)]
    if not edits.newest_first(plan.log):
        entries.reverse()
    for entry in entries:  # newest first
        if clean(entry.text) == text:
            return kind != "started" or entry is entries[0]
        if entry.event == "started":
            return False
    if any(section.heading.kind == LOG for section in plan.tree.sections):
        return False
    # The end of the file lies in a fence or comment that nobody closed, and so does what was logged there.
    return any(body(line).endswith(f": {text}") for line in plan.document)


def _stamp(event: Event) -> str:
    if event.now is None:
        raise UsageError(f"The event {event.kind} needs a time")
    return event.now.strftime("%Y-%m-%d %H:%M")


def _status(plan: Plan, status: str) -> tuple[Edit, ...]:
    """Set Status, if the plan has that field."""
    return edits.set_header(plan, "Status", edits.status_written(status)) if plan.field("Status") else ()


def _after_tick(plan: Plan, task: Task, logs: list[str]) -> list[Edit]:
    """What follows when the last task of a phase or of the plan is done."""
    if task.parent_line is not None:
        return []
    found: list[Edit] = []
    open_tasks = [other for other in plan.top_level if not other.done and other.line != task.line]
    if not open_tasks:
        logs.append("All tasks complete")
        if plan.status not in ("review", "complete", "archived") or not plan.status_text:
            found += _status(plan, "review")
    open_phases = {phase for other in open_tasks for phase in plan.graph.phase_chain(plan.graph.by_line[other.line])}
    if task.phase_index is not None and task.phase_index not in open_phases and plan.field("Current Phase"):
        following = next((phase for at, phase in enumerate(plan.phases) if at in open_phases), None)
        found += edits.set_header(plan, "Current Phase", f"Phase {following.id}" if following else "Complete")
    return found


def _joined(found: list[Edit]) -> tuple[Edit, ...]:
    """Edits in order of position; insertions at the same place become one."""
    joined: list[Edit] = []
    for edit in sorted(found, key=lambda edit: (edit.start_line, edit.start)):
        last = joined[-1] if joined else None
        insertion = (edit.start_line, edit.start) == (edit.end_line, edit.end)
        if (
            last
            and insertion
            and (last.start_line, last.start, last.end_line, last.end)
            == (
                edit.start_line,
                edit.start,
                edit.end_line,
                edit.end,
            )
        ):
            joined[-1] = Edit(edit.start_line, edit.start, edit.end_line, edit.end, last.text + edit.text)
        else:
            joined.append(edit)
    return tuple(joined)
