"""What `.devloop/plan-state.json` holds (state-files §2): version 2, and what is known of version 1."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_DESCRIPTION: Final = 500
MAX_NAME: Final = 200

TaskStatus = Literal["pending", "in_progress", "complete", "blocked", "skipped", "deferred", "unknown"]
Count = Field(ge=0)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class PartState(_Shape):
    total: int = Count
    done: int = Count


class StatsState(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count
    in_progress: int = Field(default=0, ge=0)
    blocked: int = Field(default=0, ge=0)
    skipped: int = Field(default=0, ge=0)
    deferred: int = Field(default=0, ge=0)
    unknown: int = Field(default=0, ge=0)
    done: int = Field(default=0, ge=0)
    percentage: int = Field(ge=0, le=100)


class PhaseStats(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count


class PhaseState(_Shape):
    """`number` is null where the phase's id is no number."""

    id: str
    number: int | None
    name: str
    goal: str = ""
    status: str
    task_ids: tuple[str, ...] = ()
    stats: PhaseStats


class FileState(_Shape):
    path: str
    new: bool = False


class TaskState(_Shape):
    """An entry of `tasks`: the first task of an id."""

    id: str
    description: str = Field(max_length=MAX_DESCRIPTION)
    status: TaskStatus
    phase: int | str | None = None
    acceptance: str = ""
    files: tuple[str, ...] = ()
    notes: str = ""
    parallel_group: str | None = None
    depends_on: tuple[str, ...] = ()


class ListedTask(_Shape):
    """An entry of `task_list`: every task, in the order of the document."""

    line: int = Field(ge=1)
    key: str
    id: str
    title: str
    marker: str
    status: TaskStatus
    phase: str | None
    parent: str | None
    optional: bool
    agent: str | None
    mode: str | None
    model: str | None
    tags: tuple[str, ...]
    requirements: tuple[str, ...]
    files: tuple[FileState, ...]


class CriterionState(_Shape):
    line: int = Field(ge=1)
    text: str
    done: bool
    section: str


class Diagnostics(_Shape):
    error: int = Count
    warning: int = Count


class BlockedTask(_Shape):
    id: str
    by: tuple[str, ...]
    why: str


class PlanState(_Shape):
    """The whole file. `outcome` says what `next_task` is the answer of: the selection's state."""

    schema_version: str = Field(pattern=r"^2\.[0-9]+\.[0-9]+$")
    plan_file: str
    plan_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    last_sync: str
    plan_name: str = Field(max_length=MAX_NAME)
    status: Literal["planning", "in_progress", "paused", "blocked", "review", "complete", "archived"]
    created: str | None = None
    updated: str | None = None
    current_phase: int | str | None = None
    stats: StatsState
    subtasks: PartState
    diagnostics: Diagnostics
    phases: tuple[PhaseState, ...]
    tasks: dict[str, TaskState]
    task_list: tuple[ListedTask, ...]
    criteria: tuple[CriterionState, ...]
    parallel_groups: dict[str, tuple[str, ...]]
    dependencies: dict[str, tuple[str, ...]]
    ready: tuple[str, ...]
    blocked: tuple[BlockedTask, ...]
    next_task: str | None
    outcome: Literal["found", "all_complete", "all_blocked", "partial", "empty"]
    archived_phases: tuple[str, ...] = ()


class V1Stats(_Shape):
    total: int = Count
    completed: int = Count
    pending: int = Count
    percentage: int = Field(ge=0, le=100)


class PlanStateV1(_Shape):
    """What a file of version 1 must have; the rest is read where it makes sense."""

    schema_version: Literal["1.0.0"]
    plan_file: str
    last_sync: str
    stats: V1Stats
    tasks: dict[str, dict[str, Any]] = {}
    phases: tuple[dict[str, Any], ...] = ()
    next_task: str | None = None
