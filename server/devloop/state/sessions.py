"""`sessions.json` (state-files §4): upstream's record of sessions, read once. Ours live in the store.

Both shapes are read, the shipped and the documented one; `export` writes the shipped one for programs that know it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from devloop.own_files import Fault
from devloop.state.storing import fault_of, json_lines, parse_json, stamp

PATH: Final = ".devloop/sessions.json"
CURRENT_PATH: Final = ".devloop/.current-session.json"


class Session(BaseModel):
    """One session. Times are aware; a percent is of the context; `end_time` None: it has not ended."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    session_id: str = Field(validation_alias=AliasChoices("session_id", "id"))
    project: str = ""
    model: str = ""
    start_time: datetime = Field(validation_alias=AliasChoices("start_time", "startedAt"))
    end_time: datetime | None = Field(default=None, validation_alias=AliasChoices("end_time", "endedAt"))
    start_context_pct: float | None = Field(default=None, ge=0)
    end_context_pct: float | None = Field(default=None, ge=0)
    context_delta: float | None = None
    start_tokens: int | None = Field(default=None, ge=0)
    end_tokens: int | None = Field(default=None, ge=0)
    tokens_used: int | None = None
    api_limits: dict[str, Any] | None = None
    plan: str | None = None
    tasks_completed: int | list[str] | None = Field(
        default=None, validation_alias=AliasChoices("tasks_completed", "tasksCompleted")
    )
    commits: tuple[str, ...] = ()
    fresh_start: bool | None = Field(default=None, validation_alias=AliasChoices("fresh_start", "freshStartTriggered"))


class SessionsFile(BaseModel):
    """The file as it is exported."""

    model_config = ConfigDict(frozen=True, extra="allow")

    sessions: tuple[Session, ...]
    created: str | None = None
    last_updated: str | None = None


def read(text: str, path: str = PATH) -> tuple[tuple[Session, ...], tuple[Fault, ...]]:
    """The sessions of a file, or the one of `.current-session.json`. A bad one is a fault; the others count."""
    value, faults = parse_json(text, path)
    if value is None:
        return (), faults
    single = "sessions" not in value
    entries = [value] if single else value["sessions"]
    lines = json_lines(text)
    if not isinstance(entries, list):
        return (), (Fault(path, lines.get(("sessions",), 1), "sessions: it has to be a list"),)
    found: dict[str, Session] = {}
    wrong: list[Fault] = []
    for at, entry in enumerate(entries):
        place: tuple[str | int, ...] = () if single else ("sessions", at)
        try:
            session = Session.model_validate(entry)
            found[session.session_id] = session  # written twice: the later one knows more
        except ValidationError as problem:
            wrong += [fault_of({**error, "loc": (*place, *error["loc"])}, lines, path) for error in problem.errors()]
    return tuple(sorted(found.values(), key=lambda each: _aware(each.start_time))), tuple(wrong)


def export(sessions: Iterable[Session], now: datetime) -> dict[str, Any]:
    """The shipped shape."""
    known = list(sessions)
    first = min((_aware(each.start_time) for each in known), default=now)
    entries = []
    for each in known:
        entry = each.model_dump(mode="json", exclude_none=True, exclude={"commits"} if not each.commits else None)
        entry["start_time"] = stamp(_aware(each.start_time))
        if each.end_time is not None:
            entry["end_time"] = stamp(_aware(each.end_time))
        entries.append(entry)
    return {"sessions": entries, "created": stamp(first), "last_updated": stamp(now)}


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)
