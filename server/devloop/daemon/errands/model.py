"""What a command is: how words become an errand, and what accepting it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.daemon.documents import Documents, PlanText
from devloop.errors import UsageError
from devloop.paths import StateDir
from devloop.redact import one_line
from devloop.runs.spec import Errand, TaskSpec

if TYPE_CHECKING:
    from devloop.daemon.findings.findings import Findings

TITLE = 200
"""Characters of an errand's title; all of what was asked for is in its notes."""
ASKED = 20_000
"""Characters of what may be asked for."""


async def _nobody() -> list[str]:
    return []


@dataclass(frozen=True)
class Project:
    """Where an errand is asked for."""

    root: Path
    documents: Documents
    state: StateDir
    wrote: Callable[[PlanText | None], None] = lambda after: None
    """Told each plan that an errand wrote; None: a new file."""
    open_runs: Callable[[], Awaitable[list[str]]] = _nobody
    """The runs of the plan's tasks that have not ended."""

    @cached_property
    def findings(self) -> Findings:
        """What reviews found; one object for all who ask."""
        from devloop.daemon.findings.findings import findings_of

        return findings_of(self.state, self.root)


@dataclass(frozen=True)
class Asked:
    """`text`: the person's words. `options`: what else the command was called with, plain JSON."""

    text: str
    options: Mapping[str, Any]

    def required(self, example: str) -> str:
        """The words; raises `UsageError` where there are none."""
        if not self.text:
            raise UsageError("What shall be done?", hint=f"For example: {example}")
        return self.text

    def flag(self, name: str) -> bool:
        value = self.options.get(name, False)
        if not isinstance(value, bool):
            raise UsageError(f"`{name}` must be true or false.")
        return value

    def word(self, name: str, default: str = "") -> str:
        value = self.options.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise UsageError(f"`{name}` must be text.")
        return value.strip()


@dataclass(frozen=True)
class Accepted:
    """An errand that the person accepted, as the engine tells it.

    `given`: what its builder kept for its effect. `report`: `{"data", "fits", "text"}` of a mode with a result, else
    None. `commit`: of one that changed files, on the branch where it is now (`ended`: `landed` on the person's, else
    `accepted` on the plan branch). `message`: what the person said to it.
    """

    command: str
    given: Mapping[str, Any]
    run: str
    title: str
    commit: str | None
    report: Mapping[str, Any] | None
    message: str
    ended: str = "accepted"
    leave_out: tuple[str, ...] = ()
    """What of it the person does not want: `plan` is its change of the plan."""
    task: Mapping[str, Any] = field(default_factory=dict)
    """The task of the plan whose run it is, as records remember tasks."""
    result: str = ""
    """The name of the contract that the report follows."""

    @classmethod
    def told(cls, params: Mapping[str, Any]) -> Accepted:
        """As the engine tells it."""
        return cls(
            command=str(params.get("command") or ""),
            given=params.get("given") or {},
            run=str(params.get("run")),
            title=str(params.get("title") or ""),
            commit=params.get("commit"),
            report=params.get("report"),
            message=str(params.get("message") or ""),
            ended=str(params.get("ended") or "accepted"),
            leave_out=tuple(str(each) for each in params.get("leave_out") or ()),
            task=params.get("task") or {},
            result=str(params.get("result") or ""),
        )

    @property
    def data(self) -> Mapping[str, Any]:
        """What was handed in; nothing where that is no object."""
        found = (self.report or {}).get("data")
        return found if isinstance(found, Mapping) else {}


Build = Callable[[Project, Asked], Awaitable[TaskSpec]]
TakeEffect = Callable[[Project, Accepted], Awaitable[str]]
"""Does what accepting means and answers with a sentence. Called again after a crash, it changes nothing more. Raises
`DevloopError` when it can't be done now: the person is asked what to do."""


async def no_effect(project: Project, accepted: Accepted) -> str:
    """What was accepted is in the commit."""
    return ""


Question = Callable[[Project, Asked], Awaitable[dict[str, Any]]]
"""What can be asked beside starting an errand; begins nothing and changes nothing."""


@dataclass(frozen=True)
class Proposal:
    """What accepting would make of the plan: `path` is its file, `exists` whether it is there, `patch` the diff, `text`
    all of it then. `said`: the change in words; `left_out`: what does not fit and why; `notes`: what else a person
    should know; `optional`: the report can be accepted without it."""

    path: str
    exists: bool
    patch: str
    text: str
    said: str = ""
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    optional: bool = False


Preview = Callable[[Project, Accepted], Awaitable[Proposal | None]]
"""What accepting would make of the plan; None for nothing. Changes nothing."""


async def no_preview(project: Project, accepted: Accepted) -> Proposal | None:
    return None


@dataclass(frozen=True)
class Command:
    name: str
    build: Build
    take_effect: TakeEffect = no_effect
    questions: Mapping[str, Question] = field(default_factory=dict)
    preview: Preview = no_preview


def errand_task(command: str, title: str, *, given: Mapping[str, Any] | None = None, **fields: Any) -> TaskSpec:
    """The task of an errand. Its id starts as no task of a plan can; `fields` are those of `TaskSpec` and `Errand`."""
    names = ("base", "members", "part_of", "prepared", "only", "wishes")
    own = {name: fields.pop(name) for name in names if name in fields}
    errand = Errand(command=command, given=dict(given or {}), **own)
    return TaskSpec(id=f"@{fields.pop('name', command)}", title=one_line(title, TITLE), errand=errand, **fields)
