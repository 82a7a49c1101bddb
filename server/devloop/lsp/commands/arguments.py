"""What a command of an editor may be given: one object, checked before anything happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devloop.errors import UsageError
from devloop.redact import one_line

MAX_MESSAGE = 100_000


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class TaskArgument(_Strict):
    """A task as the editor was told of it; `id` alone will do when it is typed by hand."""

    id: str = Field(default="", max_length=200)
    key: str = Field(default="", max_length=64)
    title: str = Field(default="", max_length=10_000)
    line: int = Field(default=0, ge=0)

    @property
    def reference(self) -> str | dict[str, Any]:
        """As `devloop/run` takes it: a name that somebody typed, or what the editor was told, to be that task still."""
        typed = bool(self.id) and not (self.key or self.title or self.line)
        return self.id if typed else self.model_dump()


class Arguments(_Strict):
    """Every key that some command knows; each command takes what it needs and passes over the rest."""

    uri: str | None = None
    """The plan, or the file, that the command was given in."""
    task: TaskArgument | None = None
    run: str | None = Field(default=None, min_length=1, max_length=200)
    decision: str | None = Field(default=None, min_length=1, max_length=40)
    checkpoint: int | None = Field(default=None, ge=1)
    group: str | None = Field(default=None, min_length=1, max_length=200)
    """All tasks of a group that wait, instead of one run."""
    checkpoints: dict[str, int] | None = Field(default=None, min_length=1, max_length=1_000)
    """Of a group: the checkpoint of each run, as the person saw it; no other is answered."""
    phase: str | None = Field(default=None, min_length=1, max_length=500)
    message: str | None = Field(default=None, max_length=MAX_MESSAGE)
    leave_out: list[str] | None = Field(default=None, max_length=10_000)
    """Paths, as `devloop/diff` names them, that a decision leaves out of the work it accepts."""
    limit: int | None = Field(default=None, ge=1)
    stop_at: str | int | None = None
    """Where the loop asks: each, phase, failure, or a number of tasks."""
    parallel: bool | None = None
    to: str | None = Field(default=None, min_length=1, max_length=40)
    reason: str | None = Field(default=None, max_length=MAX_MESSAGE)
    before: TaskArgument | None = None
    after: TaskArgument | None = None
    on: list[str] | None = Field(default=None, max_length=500)
    scope: str | None = Field(default=None, min_length=1, max_length=40)
    """What a review is of: auto, uncommitted, staged, commits, branch, files, run."""
    commits: str | None = Field(default=None, min_length=1, max_length=300)
    against: str | None = Field(default=None, min_length=1, max_length=300)
    files: list[str] | None = Field(default=None, max_length=2_000)
    quick: bool = False
    security: bool | None = None
    categories: list[str] | None = Field(default=None, max_length=20)
    source: str | None = Field(default=None, min_length=1, max_length=1_000)
    """An issue, or a file of the repository, that a plan or a spike comes from."""
    time_box: str | None = Field(default=None, min_length=1, max_length=20)
    add: bool = False
    replace: bool = False
    skip: list[str] | None = Field(default=None, max_length=20)
    """Phases of the workflow that are left out."""
    version: str | None = Field(default=None, min_length=1, max_length=40)
    tag: bool = False
    preview: bool = False
    finding: str | None = Field(default=None, min_length=1, max_length=200)
    review: str | None = Field(default=None, min_length=1, max_length=200)


def read(command: str, arguments: Sequence[Any] | None) -> Arguments:
    """The arguments of a call. Raises `UsageError` that names what is wrong."""
    given = list(arguments or ())
    if len(given) > 1 or (given and not isinstance(given[0], Mapping | None)):
        raise UsageError(f'{command} takes one object, such as {{"task": {{"id": "1.2"}}}}.')
    values = {key: value for key, value in dict(given[0] if given and given[0] else {}).items() if value is not None}
    try:
        return Arguments.model_validate(values)
    except ValidationError as problem:
        raise UsageError(f"{command}: {_wrong(problem)}") from None


def _wrong(problem: ValidationError) -> str:
    found = problem.errors(include_url=False, include_input=False)[0]
    place = one_line(".".join(str(part) for part in found["loc"]), 80)
    if found["type"] == "extra_forbidden":
        return f"there is no argument {place!r}; there are {', '.join(Arguments.model_fields)}."
    return f"{place!r} is wrong: {one_line(str(found['msg']), 200).lower()}."
