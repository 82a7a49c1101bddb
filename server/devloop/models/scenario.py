"""Scenario files: what the scripted player (and the tests' double of the API) answers, turn by turn.

    description = "Two tasks, no model."

    [[tasks."1.1".turns]]
    text = "I look at the file first."
    calls = [{ name = "read", input = { path = "app.py" } }]

    [[tasks."1.1".turns]]
    fail = { kind = "rate_limited", retry_after_s = 1 }     # raised once, then the turn is played
    text = "Done."

    [[tasks."1.1".attempts.2.turns]]                        # instead, on the second attempt
    text = "Done at once."

    [[tasks."*".turns]]                                     # every other task
    text = "Nothing to do."

TOML, or the same as JSON. The turn is chosen from the conversation alone: the task by a line `Task: <id> …` in the
first user message, the attempt and the conversation by the lines `Attempt: N` and `Conversation: N` there, the turn by
counting the answers that the messages hold since. A conversation that goes on with another task says so in a later
user text or tool result with the lines `Task: <id> …` and `Attempt: N`: the newest of these counts. So a turn that is
asked for again after a crash is the same turn.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from devloop.errors import UsageError
from devloop.models.conversation import DROPPED_NOTES
from devloop.models.failures import FailureKind

ANY_TASK = "*"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedCall(_Part):
    """One tool call. `raw_input` is sent as it stands in place of `input`: for input that is no JSON."""

    name: str = Field(min_length=1)
    input: dict[str, Any] = {}
    raw_input: str | None = None


class ScriptedUsage(_Part):
    """What is left out is computed from sizes."""

    input: int | None = Field(default=None, ge=0)
    output: int | None = Field(default=None, ge=0)
    cache_read: int | None = Field(default=None, ge=0)
    cache_write_5m: int | None = Field(default=None, ge=0)
    cache_write_1h: int | None = Field(default=None, ge=0)


class ScriptedFailure(_Part):
    """Raised `times` times in place of the turn (0: always), then the turn is played."""

    kind: FailureKind
    retry_after_s: float | None = Field(default=None, ge=0)
    message: str = ""
    error_code: str | None = None
    times: int = Field(default=1, ge=0)


class ScriptedTurn(_Part):
    """One answer. `stop_reason` left out: `tool_use` with calls, else `end_turn`. `stop_details` for a refusal."""

    text: str = ""
    thinking: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    stop_reason: str | None = None
    stop_details: dict[str, Any] | None = None
    usage: ScriptedUsage = ScriptedUsage()
    delay_s: float = Field(default=0.0, ge=0)
    fail: ScriptedFailure | None = None
    wire: dict[str, Any] = {}
    """How a server sends it (`tests/double`); the player ignores it."""

    @property
    def stops(self) -> str:
        return self.stop_reason or ("tool_use" if self.calls else "end_turn")


Number = Annotated[int, Field(ge=1)]


class Turns(_Part):
    turns: tuple[ScriptedTurn, ...] = ()


class Script(Turns):
    conversations: dict[Number, Turns] = {}
    """Turns for the n-th conversation of an attempt, where they differ."""


class TaskScript(Script):
    attempts: dict[Number, Script] = {}

    @model_validator(mode="after")
    def _has_turns(self) -> TaskScript:
        if not self.turns and not self.attempts and not self.conversations:
            raise ValueError("the task has no turns")
        return self

    def choose(self, attempt: int, conversation: int) -> tuple[ScriptedTurn, ...]:
        script: Script = self.attempts.get(attempt, self)
        return script.conversations.get(conversation, script).turns


class Scenario(_Part):
    description: str = ""
    version: Literal[1] = 1
    tasks: dict[str, TaskScript] = Field(min_length=1)


@dataclass(frozen=True)
class Place:
    """Where in a scenario a request stands; `index` counts turns from 0."""

    task: str | None
    attempt: int
    conversation: int
    index: int

    @property
    def key(self) -> tuple[str | None, int, int, int]:
        return (self.task, self.attempt, self.conversation, self.index)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises `UsageError` naming the file and the place of every fault in it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise UsageError(
            f"The scenario {path} can't be read: {why}.", hint="DEVLOOP_SCENARIO names it; unset it to ask a model."
        ) from None
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(f"The scenario {path} is no valid {kind}: {problem}.") from None
    return parse_scenario(data, str(path))


def parse_scenario(data: Any, name: str = "scenario") -> Scenario:
    try:
        return Scenario.model_validate(data)
    except ValidationError as problem:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'top level'}: {e['msg']}" for e in problem.errors()]
        raise UsageError(f"The scenario {name} has faults: {'; '.join(faults)}.", faults=faults) from None


_TASK = re.compile(r"^Task: (\S+)", re.MULTILINE)
_ATTEMPT = re.compile(r"^Attempt: (\d+)", re.MULTILINE)
_CONVERSATION = re.compile(r"^Conversation: (\d+)", re.MULTILINE)
_NEXT_TASK = re.compile(r"^Task: \S.*\nAttempt: \d+$", re.MULTILINE)
"""Stricter than what the first message needs: tool results may hold any text."""


def place_of(messages: Sequence[Mapping[str, Any]]) -> Place:
    """The place that the messages of a request stand at.

    An answer that left no message behind (cut, empty, refused) is counted by the note that stands for it.
    """
    opening, since = "\n".join(next((_texts(m) for m in messages if m.get("role") == "user"), [])), 0
    parts: list[str | None] = []  # None stands for an answer
    for message in messages:
        if message.get("role") == "assistant":
            parts.append(None)
            continue
        for text in _texts(message, results=True):
            parts.append(text)
            if _NEXT_TASK.search(text):
                opening, since = text, len(parts)
    task = _TASK.search(opening)
    attempt = _ATTEMPT.search(opening)
    conversation = _CONVERSATION.search(opening)
    return Place(
        task[1] if task else None,
        int(attempt[1]) if attempt else 1,
        int(conversation[1]) if conversation else 1,
        sum(part is None or part in DROPPED_NOTES for part in parts[since:]),
    )


def _texts(message: Mapping[str, Any], *, results: bool = False) -> list[str]:
    """The texts of a message; with `results` those of its tool results too, in their order."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    found: list[str] = []
    for block in content if isinstance(content, list) else []:
        if not isinstance(block, Mapping):
            continue
        if block.get("type") == "text":
            found.append(str(block.get("text", "")))
        elif results and block.get("type") == "tool_result":
            found += _texts(block)
    return found


def turn_at(scenario: Scenario, place: Place) -> ScriptedTurn | None:
    """The turn for `place`; None when the scenario has none for it."""
    script = scenario.tasks.get(place.task or ANY_TASK) or scenario.tasks.get(ANY_TASK)
    turns = script.choose(place.attempt, place.conversation) if script else ()
    return turns[place.index] if place.index < len(turns) else None
