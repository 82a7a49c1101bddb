"""What a run is asked to do, as it crosses processes and restarts: plain JSON in, frozen models out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

DECISIONS = ("continue", "commit", "fresh", "stop", "revise", "discard", "answer", "recheck", "block")
ACCEPTING = ("continue", "commit", "fresh", "stop")
"""Decisions that accept the work."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TaskSpec(_Model):
    """The task as the plan said it when the run began. `id`, `key`, `title` and `line` find it again later."""

    id: str
    key: str = ""
    title: str
    line: int = 0
    phase: str | None = None
    phase_name: str = ""
    depends_on: tuple[str, ...] = ()
    acceptance: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    notes: str = ""
    verify: str = ""
    """How to check the work, as the plan says it: told to the agent, never run by devloop."""
    agent: str | None = None
    mode: str | None = None
    model: str | None = None
    budget_usd: float | None = None
    turns: int | None = None
    timeout_s: float | None = None
    skills: tuple[str, ...] = ()
    """Skills that the task names: their texts are there from the start."""

    def reference(self) -> dict[str, Any]:
        return {"id": self.id, "key": self.key, "title": self.title, "line": self.line}


class PlanSpec(_Model):
    path: str = ".devloop/plan.md"
    """Relative to the repository."""
    name: str = ""
    goal: str = ""


class LoopSpec(_Model):
    """`limit` tasks at most (None: to the plan's end), `done` so far; `decide` answers checkpoints unattended."""

    id: str
    limit: int | None = 1
    done: int = 0
    decide: Literal["continue", "commit"] | None = None
    carry: str | None = None
    """The run whose conversation goes on in this one."""
    phase: str | None = None
    """The id of the phase that the loop keeps to; None for the whole plan."""

    def next(self, carry: str | None) -> LoopSpec:
        return self.model_copy(update={"done": self.done + 1, "carry": carry})

    @property
    def goes_on(self) -> bool:
        return self.limit is None or self.done + 1 < self.limit


class Profile(_Model):
    """What an agent is in this run, kept with it: a definition that changes later changes no conversation.

    `finish`: description and schema of that tool where the mode has a result of its own (`agents.contracts`, named or
    described by `result`); None: a summary in words.
    """

    access: Literal["read", "write"] = "write"
    prompt: str
    tools: tuple[str, ...]
    finish: dict[str, Any] | None = None
    result: str | dict[str, Any] | None = None
    effort: str | None = None
    turns: int | None = None


class RunSpec(_Model):
    id: str
    attempt: int
    task: TaskSpec
    plan: PlanSpec
    loop: LoopSpec
    agent: str
    mode: str
    model: str
    profile: Profile | None = None
    """None only in a run that an older devloop began."""
    choice: dict[str, Any] | None = None
    """Why this agent: see `agents.Choice.to_json`."""

    @property
    def reads_only(self) -> bool:
        return self.profile is not None and self.profile.access == "read"
