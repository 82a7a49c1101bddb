"""What a command is: how words become an errand, and what accepting it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.daemon.documents import Documents
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


@dataclass(frozen=True)
class Project:
    """Where an errand is asked for."""

    root: Path
    documents: Documents
    state: StateDir

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
class Command:
    name: str
    build: Build
    take_effect: TakeEffect = no_effect
    questions: Mapping[str, Question] = field(default_factory=dict)


def errand_task(command: str, title: str, *, given: Mapping[str, Any] | None = None, **fields: Any) -> TaskSpec:
    """The task of an errand. Its id starts as no task of a plan can; `fields` are those of `TaskSpec` and `Errand`."""
    own = {name: fields.pop(name) for name in ("base", "members", "part_of", "prepared") if name in fields}
    errand = Errand(command=command, given=dict(given or {}), **own)
    return TaskSpec(id=f"@{fields.pop('name', command)}", title=one_line(title, TITLE), errand=errand, **fields)
