"""What a run is asked to do, as it crosses processes and restarts: plain JSON in, frozen models out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

DECISIONS = ("continue", "commit", "fresh", "stop", "revise", "discard", "answer", "recheck", "block")
ACCEPTING = ("continue", "commit", "fresh", "stop")
"""Decisions that accept the work."""
LAND = "land"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Errand(_Model):
    """What makes a task one that stands in no plan: a command of the person's asked for it (ARCHITECTURE, "Errands").

    `given` is what the command was called with and what its effect needs: plain JSON. `members`: tasks that are done at
    the same time, each in a run of its own; their reports become one. `part_of`: the run that a member belongs to.
    """

    command: str
    given: dict[str, Any] = {}
    base: str | None = None
    """The commit to begin at; None: where the plan branch stands."""
    members: tuple[TaskSpec, ...] = ()
    part_of: str | None = None
    prepared: dict[str, str] = {}
    """Whole files by path, which are in the worktree before the agent begins: what devloop can do by itself."""
    only: tuple[str, ...] = ()
    """Patterns of the files that it may change, held by a gate of devloop's own. Documents alone need no other proof: a
    project that has no checks yet can be described all the same."""
    wishes: dict[str, Any] | None = None
    """How it was asked for, of a command of which one at a time is enough: the same wishes join the open run, others
    are refused. None: it is the same errand when its whole task is the same."""


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
    may_change_tests: tuple[str, ...] = ()
    """Counts only where a person said yes to it (`runs/allowing.py`)."""
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
    errand: Errand | None = None
    """None: it stands in the plan."""

    def reference(self) -> dict[str, Any]:
        return {"id": self.id, "key": self.key, "title": self.title, "line": self.line}


Errand.model_rebuild()


class PlanSpec(_Model):
    path: str = ".devloop/plan.md"
    """Relative to the repository."""
    name: str = ""
    goal: str = ""
    workflow: str = ""
    """What the plan's header says of it; `full` for one of `devloop start`."""


class Group(_Model):
    """Tasks of a loop that are done at the same time. `begins`: how many the loop had done before; `label`: as the plan
    calls the group."""

    id: str
    begins: int
    size: int
    label: str = ""


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
    when: Literal["each-task", "every", "phase-end", "on-failure"] = "each-task"
    """Where it stops for a person (`runs/stopping.py`)."""
    every: int = 1
    unseen: tuple[str, ...] = ()
    """Runs of the loop that were accepted by rule since a person last decided."""
    group: Group | None = None
    """Set where this task is done beside others; `done` is then its place among them, after those before the group."""
    parallel: bool = False
    """Whether the loop starts all ready tasks of a group at once."""

    @property
    def begins(self) -> int:
        """How many tasks the loop had done before this one and those beside it."""
        return self.group.begins if self.group is not None else self.done

    @property
    def size(self) -> int:
        """How many tasks are done at the same time."""
        return self.group.size if self.group is not None else 1

    @property
    def then_done(self) -> int:
        return self.begins + self.size

    def next(self, carry: str | None, unseen: tuple[str, ...] = ()) -> LoopSpec:
        return self.model_copy(update={"done": self.then_done, "carry": carry, "unseen": unseen, "group": None})

    @property
    def goes_on(self) -> bool:
        return self.limit is None or self.then_done < self.limit


class Chain(_Model):
    """A task that several modes of one agent do in turn; this run is mode `at`. `before`: the runs of those before."""

    name: str
    modes: tuple[str, ...]
    at: int = 0
    before: tuple[str, ...] = ()


class Profile(_Model):
    """What an agent is in this run, kept with it: a definition that changes later changes no conversation.

    `finish`: description and schema of that tool where the mode has a result of its own (`agents.contracts`, named or
    described by `result`); None: a summary in words.
    """

    access: Literal["read", "write", "scratch"] = "write"
    prompt: str
    tools: tuple[str, ...]
    finish: dict[str, Any] | None = None
    result: str | dict[str, Any] | None = None
    effort: str | None = None
    turns: int | None = None
    skills: tuple[str, ...] = ()
    """Skills that the agent's definition names: they fit whatever it does."""


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
    chain: Chain | None = None
    """None: one mode does the whole task."""

    @property
    def gathers(self) -> bool:
        """Whether it works through runs of its own only (`engine/gathering.py`)."""
        return self.task.errand is not None and bool(self.task.errand.members)

    @property
    def lands(self) -> bool:
        """Whether it only brings accepted work onto a branch that went on: no agent works, the gates look at both."""
        return self.task.errand is not None and self.task.errand.command == LAND

    @property
    def reads_only(self) -> bool:
        return self.profile is not None and self.profile.access == "read"

    @property
    def reports(self) -> bool:
        """Whether it ends with a report instead of a commit; what it may have written on the way is not kept."""
        return self.profile is not None and self.profile.access != "write"
