"""What a run needs from the outside, in one value that the engine composes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devloop.files import write_atomic
from devloop.models import Model, ModelLimits
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.runs.spec import RunSpec
from devloop.sandbox import Detection
from devloop.settings import Settings
from devloop.store import Store
from devloop.workspace import Workspace


class PlanPort(Protocol):
    """The daemon's side: only it reads and changes the plan."""

    async def apply(self, kind: str, task: dict[str, Any], text: str = "") -> str:
        """Make a change of the plan and answer with the whole text after it. Repeating one changes nothing."""

    async def next(
        self,
        held: list[str],
        phase: str | None = None,
        done_then: list[dict[str, Any]] | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        """What follows; with `done_then`, what would follow if these tasks were done. `beside`: what may begin with it,
        `limit` tasks in all."""

    async def take_effect(self, content: dict[str, Any]) -> str:
        """Do what accepting an errand's report does, and answer with a sentence about it. Repeating it changes
        nothing."""

    async def preview(self, content: dict[str, Any]) -> dict[str, Any] | None:
        """What a result would make of the plan as it is now; None where it asks for nothing."""

    async def propose(self, content: dict[str, Any]) -> str:
        """Change the plan as the result of one of its tasks asks, and answer with a sentence about it. Repeating it
        changes nothing."""

    async def hand_off(self, content: dict[str, Any]) -> None: ...


class Events(Protocol):
    def emit(self, kind: str, data: dict[str, Any], run: str | None = None, *, store: bool = True) -> None: ...


@dataclass
class Services:
    """One per engine process. `settings` and `model_for` change when a client brings a new key."""

    root: Path
    state: StateDir
    settings: Settings
    workspace: Workspace
    store: Store
    events: Events
    plan: PlanPort
    redactor: Redactor
    sandbox: Callable[[], Awaitable[Detection]]
    model_for: Callable[[RunSpec], Model]
    virtual_env: Path | None = None
    prices: dict[str, Any] = field(default_factory=dict)
    listed: dict[str, ModelLimits] = field(default_factory=dict)
    """What the model's server says of its models."""
    baselines: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    """Baselines that are taken ahead, by base commit."""
    baseline_users: dict[str, set[str]] = field(default_factory=dict)
    """The runs that each of these is taken for."""

    hooks: dict[str, Any] = field(default_factory=dict)
    """The hooks of runs that are at work (`runs/hooking.py`)."""
    accepting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def spec(self, run: str) -> RunSpec:
        row = self.store.run(run)
        assert row is not None, f"no record of run {run}"
        return RunSpec.model_validate(row["spec"])

    def folder(self, run: str) -> Path:
        folder = self.state.runs / run
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def set_state(self, run: str, state: str, *, waiting_for: str | None = None, **values: Any) -> None:
        """Record the run's state and tell everybody who listens; `values` are columns that change with it."""
        self.store.update_run(run, state=state, waiting_for=waiting_for, **values)
        self.events.emit("run.state", {"state": state, "waiting_for": waiting_for, **values}, run)

    def absence_s(self, run: str) -> float:
        """Seconds since the run's start in which no engine was there to work on it."""
        try:
            return float((self.folder(run) / "absence").read_text())
        except (FileNotFoundError, ValueError):
            return 0.0

    def add_absence(self, run: str, seconds: float) -> None:
        write_atomic(self.folder(run) / "absence", f"{self.absence_s(run) + seconds:.3f}\n".encode(), mode=0o600)

    def wait_for(self, run: str, what: str | None) -> None:
        """Say what the run waits for, in the state that it is in; None when the wait is over."""
        row = self.store.run(run)
        if row is not None:
            self.set_state(run, row["state"], waiting_for=what)

    def notice(self, run: str, *texts: str) -> None:
        """Say something once about a run: kept with it and shown at its checkpoint."""
        if texts:
            for text in self.store.add_notices(run, [self.redactor.text(text) for text in texts]):
                self.events.emit("notice", {"text": text}, run)
