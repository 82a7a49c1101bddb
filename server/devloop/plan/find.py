"""Finding a task: as a person names it, and as a record of a run remembers it (plan-format §6)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devloop.errors import NotFound, StaleEdit, UsageError
from devloop.plan import tags
from devloop.plan.extent import last_line
from devloop.plan.model import title_key

if TYPE_CHECKING:
    from devloop.plan.model import Phase, Plan, Task

_LINE = re.compile(r"(?:line[ \t]*+:?[ \t]*+([0-9]{1,9})|L([0-9]{1,9})|([0-9]{1,9}):)$", re.IGNORECASE)
_TASK_WORD = re.compile(r"tasks?[ \t]+", re.IGNORECASE)
_PHASE_WORD = re.compile(r"phase[ \t]+", re.IGNORECASE)
_KEY = re.compile(r"[0-9a-f]{7,12}$")


@dataclass(frozen=True)
class TaskRef:
    """A task as a record remembers it. Empty values are not compared; `line` is only a hint where to look first."""

    id: str = ""
    key: str = ""
    title: str = ""
    line: int = 0

    @classmethod
    def of(cls, task: Task) -> TaskRef:
        return cls(task.id, task.key, task.title, task.line)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskRef:
        """From `{id, key, title, line}`; missing and null values are empty."""
        line = data.get("line")
        return cls(
            str(data.get("id") or ""),
            str(data.get("key") or ""),
            str(data.get("title") or ""),
            line if isinstance(line, int) else 0,
        )

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "key": self.key, "title": self.title, "line": self.line}

    @property
    def content_key(self) -> str:
        return self.key or (title_key(self.title) if self.title else "")


def locate(plan: Plan, ref: TaskRef) -> Task:
    """The task a reference was made of, also when lines moved. Raises `StaleEdit` when it is not there any more.

    Order: the same line with the same id and title; id and title anywhere, if unique; the title alone, if unique.
    """
    wanted_id, key = ref.id.lower(), ref.content_key

    def same(task: Task) -> bool:
        return (not wanted_id or task.id.lower() == wanted_id) and (not key or task.key == key)

    if not wanted_id and not key and not ref.line:
        raise StaleEdit("No task is named")
    at = plan.graph.by_line.get(ref.line)
    if at is not None and same(plan.tasks[at]):
        return plan.tasks[at]
    if wanted_id:
        found = [plan.tasks[at] for at in plan.graph.by_id.get(wanted_id, ()) if same(plan.tasks[at])]
        if len(found) == 1:
            return found[0]
    if key:
        found = [task for task in plan.tasks if task.key == key]
        if len(found) == 1:
            return found[0]
    name = ref.id or ref.title or f"in line {ref.line}"
    raise StaleEdit(
        f"Task {name} is no longer what it was",
        hint="The plan was changed meanwhile: look at the task again and repeat the command",
        task=ref.to_json(),
    )


def find_task(plan: Plan, ref: str) -> Task:
    """The task a person names: id, `line:12` / `L12` / `12:`, `ID@LINE`, key, title or a unique beginning of it.

    Raises `NotFound` with near ids in the hint, `UsageError` with the lines when several tasks answer to the name.
    """
    name = ref.strip()
    for candidate in (name, _TASK_WORD.sub("", name, count=1)):
        members = plan.graph.by_id.get(candidate.lower())
        if members:
            return _only([plan.tasks[at] for at in members], name)
    line = _LINE.match(name)
    if line is not None:
        return _at_line(plan, int(line[1] or line[2] or line[3]))
    head, mark, tail = name.rpartition("@")
    if mark and tail.isdigit() and len(tail) < 10:
        members = plan.graph.by_id.get(head.lower(), ())
        for at in members:
            if plan.tasks[at].line == int(tail):
                return plan.tasks[at]
    if _KEY.match(name.lower()):
        found = [task for task in plan.tasks if task.key.startswith(name.lower())]
        if found:
            return _only(found, name)
    return _by_title(plan, name)


def find_phase(plan: Plan, ref: str) -> Phase:
    """The phase a person names: its id, `Phase 2`, its name. Raises `NotFound` with the phases there are."""
    name = _normal(ref)
    for wanted in (name, _PHASE_WORD.sub("", name, count=1)):
        found = [phase for phase in plan.phases if wanted in (phase.id.casefold(), _normal(phase.name)) and wanted]
        if found:
            return found[0]
    known = ", ".join(phase.id for phase in plan.phases[:10])
    raise NotFound(
        f"There is no phase {ref!r}", hint=f"The plan has: {known}" if known else "The plan has no phase", phase=ref
    )


def _at_line(plan: Plan, line: int) -> Task:
    """The task that stands in this line or that the line belongs to."""
    at = plan.graph.by_line.get(line)
    if at is not None:
        return plan.tasks[at]
    before = bisect_right([task.line for task in plan.tasks], line) - 1
    while before >= 0:
        task = plan.tasks[before]
        if task.line <= line <= last_line(plan.document, task.line):
            return task
        if task.parent_line is None:
            break
        before -= 1
    raise NotFound(f"There is no task in line {line}", hint=_nearest_lines(plan, line))


def _nearest_lines(plan: Plan, line: int) -> str:
    near = sorted(plan.tasks, key=lambda task: abs(task.line - line))[:3]
    shown = ", ".join(f"{task.id} in line {task.line}" for task in sorted(near, key=lambda task: task.line))
    return f"Tasks near it: {shown}" if near else "The plan has no task"


def _by_title(plan: Plan, name: str) -> Task:
    wanted = _normal(name)
    if wanted:
        exact = [task for task in plan.tasks if _normal(task.title) == wanted]
        if exact:
            return _only(exact, name)
        starting = [task for task in plan.tasks if _normal(task.title).startswith(wanted)]
        if starting:
            return _only(starting, name)
    near = sorted(
        {task.id for task in plan.tasks}, key=lambda other: (tags.distance(name.lower(), other.lower()), other)
    )
    hint = f"Nearest: {', '.join(near[:3])}" if near else "The plan has no task"
    raise NotFound(f"There is no task {name!r}", hint=hint, nearest=near[:3])


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _only(found: list[Task], name: str) -> Task:
    if len(found) == 1:
        return found[0]
    lines = [task.line for task in found]
    shown = ", ".join(f"line {task.line} ({task.title or task.id})" for task in found[:5])
    raise UsageError(
        f"{name!r} names {len(found)} tasks: {shown}",
        hint=f"Name one by its line, for example line:{lines[0]}",
        lines=lines,
    )
