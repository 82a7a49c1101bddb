"""`.devloop/next-action.json` (state-files §3): what a fresh start leaves for the next one. Used once.

Three shapes are read: the shipped one (it has `timestamp`), the documented one (`savedAt`), and ours (`version: "2"`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from devloop.errors import Refused
from devloop.own_files import Fault, read_text
from devloop.redact import cut, one_line, printable
from devloop.state.storing import json_lines, json_text, major, parse_json, stamp, update, validated

PATH: Final = ".devloop/next-action.json"
VERSION: Final = "2"
MAX_AGE: Final = timedelta(days=7)
MAX_HAND_OFF: Final = 2_000
Reason = Literal["fresh_start", "budget", "stopped"]
State = Literal["valid", "stale", "no_plan", "invalid", "superseded"]
_OLD_TASK = re.compile(r"(?:Task\s+)?(?P<id>[A-Za-z]{0,8}-?[0-9][\w.-]*)\s*(?::|[-–—]\s)\s*(?P<text>.*)\Z", re.DOTALL)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)


class NamedPlan(_Shape):
    name: str = ""
    file: str = ".devloop/plan.md"


class NamedTask(_Shape):
    """`id` is empty where an old file gave only words."""

    id: str = ""
    description: str = ""


class Metrics(_Shape):
    tasks_completed: int = Field(default=0, alias="tasksCompleted", ge=0)
    agent_invocations: int = Field(default=0, alias="agentInvocations", ge=0)
    duration_minutes: float = Field(default=0, alias="durationMinutes", ge=0)
    context_usage_percent: float | None = Field(default=None, alias="contextUsagePercent", ge=0, le=100)


class NextAction(_Shape):
    """The file, version 2. `saved_at`: UTC, ISO 8601. `handoff`: Markdown."""

    version: str = Field(default=VERSION, pattern=r"^[0-9]+(\.[0-9]+)*$")
    saved_at: datetime = Field(alias="savedAt")
    reason: Reason = "fresh_start"
    plan: NamedPlan
    plan_hash: str | None = Field(default=None, alias="planHash", pattern=r"^[0-9a-f]{64}$")
    plan_branch: str | None = Field(default=None, alias="planBranch")
    last_completed: NamedTask | None = Field(default=None, alias="lastCompletedTask")
    next_task: NamedTask | None = Field(default=None, alias="nextTask")
    open_runs: tuple[str, ...] = Field(default=(), alias="openRuns")
    metrics: Metrics | None = Field(default=None, alias="sessionMetrics")
    uncommitted: tuple[str, ...] = Field(default=(), alias="uncommittedWork")
    notes: str = ""
    handoff: str = Field(default="", max_length=MAX_HAND_OFF)


class _Shipped(_Shape):
    timestamp: datetime
    plan: str = ""
    last_completed: str | None = None
    next_pending: str | None = None
    summary: str = ""
    reason: str = "fresh_start"


@dataclass(frozen=True)
class Validity:
    """Whether the file may be used. `days`: its age; `message`: one sentence for a person, with what to do."""

    state: State
    days: int
    message: str

    def __str__(self) -> str:
        return f"stale:{self.days}" if self.state == "stale" else self.state


def read(text: str) -> tuple[NextAction | None, tuple[Fault, ...]]:
    """A file of any of the three shapes, as ours."""
    value, faults = parse_json(text, PATH)
    if value is None:
        return None, faults
    if "savedAt" not in value and "timestamp" in value:
        shipped, faults = validated(_Shipped, value, text, PATH)
        return (None, faults) if shipped is None else (_from_shipped(shipped), ())
    if (major(value.get("version", "1")) or 0) < 2:
        value = {**value, "version": VERSION, "reason": _reason(value.get("reason"))}
        value = {key: each for key, each in value.items() if each is not None}
    action, faults = validated(NextAction, value, text, PATH)
    if action is not None and (major(action.version) or 0) > 2:
        line = json_lines(text).get(("version",), 1)
        return action, (Fault(PATH, line, "a newer devloop wrote this; it is read, not written", "warning"),)
    return action, faults


def _from_shipped(old: _Shipped) -> NextAction:
    return NextAction(
        savedAt=_aware(old.timestamp),
        reason=_reason(old.reason),
        plan=NamedPlan(name=old.plan),
        lastCompletedTask=_named(old.last_completed),
        nextTask=_named(old.next_pending),
        notes=old.summary,
    )


def _reason(text: object) -> Reason:
    return "budget" if text == "budget" else "stopped" if text == "stopped" else "fresh_start"


def _named(text: str | None) -> NamedTask | None:
    """`Task 8.3: words` as id and words."""
    if not text or not text.strip():
        return None
    found = _OLD_TASK.match(text.strip())
    return NamedTask(id=found["id"], description=found["text"]) if found else NamedTask(description=text.strip())


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def validity(action: NextAction | None, now: datetime, *, plan_exists: bool, done: Collection[str] = ()) -> Validity:
    """`action`: what `read` gave (None: the file does not parse). `done`: ids of tasks that are done, in lower case."""
    if action is None:
        return Validity("invalid", 0, f"{PATH} can't be read. Delete it, or put it right.")
    days = max((now - _aware(action.saved_at)).days, 0)
    if not plan_exists:
        return Validity("no_plan", days, f"The plan that {PATH} belongs to is gone.")
    following = action.next_task
    if following is not None and following.id and following.id.lower() in done:
        text = f"Task {one_line(following.id, 40)}, which {PATH} names as next, is done already; its notes still count."
        return Validity("superseded", days, text)
    if now - _aware(action.saved_at) > MAX_AGE:
        text = f"{PATH} is {days} days old. Use it with `devloop continue --hand-off`, or delete it."
        return Validity("stale", days, text)
    return Validity("valid", days, "")


def to_json(action: NextAction) -> dict[str, Any]:
    """Our shape; the version stays what it was where it is newer within the same major version."""
    value = action.model_dump(mode="json", by_alias=True, exclude_none=False)
    return {**value, "savedAt": stamp(_aware(action.saved_at))}


def compose(content: dict[str, Any]) -> NextAction:
    """The hand-off of a run as a valid file: harmless and not too long. Raises `ValidationError`."""
    safe = {**content, "handoff": cut(printable(str(content.get("handoff") or "")), MAX_HAND_OFF)}
    return NextAction.model_validate(safe)


def write(root: Path, action: NextAction) -> bool:
    """Write the file. Raises `Refused` where one of a newer major version lies."""

    def edit(before: str | None) -> str:
        old = parse_json(before, PATH)[0] if before else None
        if old is not None and (major(old.get("version")) or 0) > 2:
            raise Refused(f"{PATH} was written by a newer devloop; it is left as it is.", hint="Move it away first.")
        return json_text(to_json(action))

    return update(root, PATH, edit)


def load(root: Path) -> tuple[NextAction | None, tuple[Fault, ...], bool]:
    """What lies in the project: (the hand-off, its faults, whether there is a file)."""
    text = read_text(root, PATH)
    if text is None:
        return None, (), False
    return (*read(text), True)
