"""The tools' inputs, and the definitions that a model sees: both from the same classes, so that they can't differ."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devloop.redact import one_line
from devloop.tools.model import Problem, ToolCall

MAX_COMMAND = 100_000
MAX_TIMEOUT_S = 600

_Path = Annotated[str, Field(min_length=1, max_length=4096)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadFile(Input):
    """Read a text file; lines are numbered."""

    path: _Path
    offset: int = Field(default=1, ge=1, description="first line")
    limit: int = Field(default=2000, ge=1)
    column: int = Field(default=1, ge=1)


class ListFiles(Input):
    """List files and folders by glob."""

    pattern: str = Field(min_length=1, max_length=1000, description="e.g. src/**/*.py")
    path: _Path = Field(default=".", description="folder to start in")


class Search(Input):
    """Search a file or folder by Python regular expression, line by line."""

    pattern: str = Field(min_length=1, max_length=2000)
    path: _Path = "."
    glob: str = Field(default="", max_length=1000, description="e.g. **/*.py")


class LoadSkill(Input):
    """Load a skill, or a file of it."""

    name: str = Field(min_length=1, max_length=100)
    reference: str = Field(default="", max_length=400)


class WriteFile(Input):
    """Create a file or replace all of it. To change a part, use edit_file."""

    path: _Path
    content: str


class EditFile(Input):
    """Replace an exact string in a file. It must occur once, unless replace_all."""

    path: _Path
    old_string: str = Field(min_length=1, description="exact text, without line numbers")
    new_string: str
    replace_all: bool = False


class RunCommand(Input):
    """Run a shell command in a sandbox: project folder is writable, no network, no git. Processes end with it."""

    command: str = Field(min_length=1, max_length=MAX_COMMAND)
    timeout: int | None = Field(default=None, ge=1, le=MAX_TIMEOUT_S, description="seconds")


class AskPerson(Input):
    """Ask the person, only when you can't go on without a decision."""

    question: str = Field(min_length=1, max_length=4000)
    choices: list[str] = Field(default=[], max_length=10)


class FinishTask(Input):
    """Say that the task is done. Checks run afterwards."""

    summary: str = Field(min_length=1, max_length=8000)
    notes: str = Field(default="", max_length=8000, description="open points")


INPUTS: Mapping[str, type[Input]] = {
    "read_file": ReadFile,
    "list_files": ListFiles,
    "search": Search,
    "load_skill": LoadSkill,
    "write_file": WriteFile,
    "edit_file": EditFile,
    "run_command": RunCommand,
    "ask": AskPerson,
    "finish": FinishTask,
}


def definitions(names: Iterable[str] | None = None, finish: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The tool list for the Messages API: `{"name", "description", "input_schema"}` each.

    `names`: only these, None for all; unknown names are left out. The order is always the same, whatever the order of
    `names`: within one conversation these bytes never change. `finish`: what that tool says and takes instead, where an
    agent has a result of its own.
    """
    wanted = None if names is None else set(names)
    made = [_definition(name) for name in INPUTS if wanted is None or name in wanted]
    return [{**each, **(finish or {})} if each["name"] == "finish" else each for each in made]


def parse(name: str, values: Any) -> Input:
    """The validated input. Raises `Problem` with every mistake, in words a model can act on."""
    try:
        return INPUTS[name].model_validate(values)
    except ValidationError as problem:
        mistakes = "; ".join(_mistake(error) for error in problem.errors()[:8])
        raise Problem(f"Invalid input for {name}: {mistakes}.") from None


def argument(call: ToolCall, redact: Callable[[str], str]) -> str:
    """What a call is about, in at most 80 characters for people: its command, pattern, path or words.

    Cut only after it was redacted: half a secret would not be recognised as one.
    """
    for name in ("command", "pattern", "path", "question", "summary", "name"):
        if isinstance(value := call.input.get(name), str):
            return one_line(redact(value), 80)
    return ""


def _mistake(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "input"
    return f"{place}: {error['msg']}"


def _definition(name: str) -> dict[str, Any]:
    return copy.deepcopy(_cached(name))


@functools.cache
def _cached(name: str) -> dict[str, Any]:
    source = INPUTS[name].model_json_schema()
    schema = {
        "type": "object",
        "properties": {key: _property(value) for key, value in source["properties"].items()},
        "required": source["required"],
        "additionalProperties": False,
    }
    return {"name": name, "description": source["description"], "input_schema": schema}


def _property(value: Mapping[str, Any]) -> dict[str, Any]:
    """Only what helps a model: limits are checked here anyway, and every byte is sent with every conversation."""
    kind = next((option for option in value.get("anyOf", ()) if option.get("type") != "null"), value)
    result: dict[str, Any] = {"type": kind["type"]}
    if kind["type"] == "array":
        result["items"] = {"type": kind["items"]["type"]}
    if "description" in value:
        result["description"] = value["description"]
    return result
