"""What a status line shows, kept in a file of the state directory, so that showing it needs no connection and no plan.

`glance.json` is the daemon's: the plan and its runs, `{"version", "pid", "at", "plan", "runs"}`. Without a daemon the
status line itself keeps what it had to read: `glance-plan.json`, the plan alone. Both may be deleted any time.

With it the daemon keeps `.devloop/plan-state.json` in step, where a person has made that file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from devloop import plan as plans
from devloop.daemon.board import Board
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import DevloopError
from devloop.files import write_atomic
from devloop.paths import StateDir
from devloop.redact import one_line

log = logging.getLogger(__name__)

VERSION = 1
FILE, PLAN_FILE = "glance.json", "glance-plan.json"
PLAN_STATE = ".devloop/plan-state.json"
INTERVAL_S = 0.25
"""Changes that follow each other faster are written once."""


def plan_part(found: PlanText, plan: plans.Plan) -> dict[str, Any]:
    """The plan as the status line takes it. `file` and `sha256` say for which text it holds."""
    counts, following = plan.stats.tasks, plans.select(plan).task
    return {
        "file": str(found.path),
        "sha256": found.sha256,
        "open": found.open,
        "name": one_line(plan.name, 80),
        "done": counts.done,
        "total": counts.total,
        "percentage": counts.percentage,
        "next": {"id": following.id, "title": one_line(following.title, 80)} if following else None,
    }


def keep_plan(root: str, path: str) -> dict[str, Any]:
    """Read the plan, and keep what the status line needs of it. Raises `OSError`, never on what the plan says."""
    place = Path(root)
    documents = Documents(place, Path(path))
    try:
        found, plan = documents.plan()
        part = plan_part(found, plan)
        state = StateDir.of(place).make()
        write_atomic(state.path / PLAN_FILE, _encoded(part), mode=0o600)
    except DevloopError as problem:
        raise OSError(problem.message) from problem
    return part


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


class Glance:
    """Writes the glance whenever something changed, at most every `INTERVAL_S`, in a thread."""

    def __init__(self, state: StateDir, documents: Documents, board: Board) -> None:
        self._state, self._documents, self._board = state, documents, board
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._written = b""
        self._synced = ""
        self._end: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._end = self._board.listen(lambda _: self.changed())
        self.changed()

    def changed(self) -> None:
        """Something is to be told; called from the event loop."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def close(self) -> None:
        """The daemon ends: its runs are shown no more, because its process is gone."""
        self._end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _write_all(self) -> None:
        while self._again:
            self._again = False
            runs = [
                {
                    "id": view.id,
                    "task": one_line(view.task, 60),
                    "doing": one_line(view.doing, 60),
                    "needs_person": view.needs_person,
                    "cost_usd": view.cost_usd,
                }
                for view in self._board.open[:20]
            ]
            try:
                await asyncio.to_thread(self._write, runs)
            except Exception:  # it is for show: nothing may depend on it
                log.exception("the glance could not be written")
            await asyncio.sleep(INTERVAL_S)

    def _write(self, runs: list[dict[str, Any]]) -> None:
        part: dict[str, Any] | None = None
        try:
            found, plan = self._documents.plan()
            part = plan_part(found, plan)
            self._sync(found, plan)
        except DevloopError:
            pass  # there is no plan, or it can't be read: who asks for it is told why
        value = {"version": VERSION, "pid": os.getpid(), "plan": part, "runs": runs}
        data = _encoded(value)
        if data != self._written:
            write_atomic(self._state.path / FILE, _encoded({**value, "at": time.time()}), mode=0o600)
            self._written = data

    def _sync(self, found: PlanText, plan: plans.Plan) -> None:
        """Only a saved plan below the root, and only where the file is: nobody's checkout gets a file unasked."""
        root = self._documents.root
        if found.open or found.sha256 == self._synced or PurePath(found.relative).is_absolute():
            return
        if not (root / PLAN_STATE).is_file():
            return
        from devloop.state import plan_state  # here: most plans have no such file

        try:
            plan_state.write(root, plan, found.relative, datetime.now(UTC))
        except DevloopError as problem:
            log.warning("%s was not brought in step: %s", PLAN_STATE, problem.message)
        self._synced = found.sha256
