"""Finding runs that nobody executes: DBOS recovers once, at launch, and only logs what fails (engine §5 rule 22)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS

from devloop.engine import grouping
from devloop.engine.context import Context
from devloop.engine.ending import end
from devloop.engine.waking import send_decision, workflow_id
from devloop.runs import acceptance

log = logging.getLogger(__name__)

INTERVAL_S = 3.0
RESUMABLE = ("PENDING", "ENQUEUED", "DELAYED", "CANCELLED")
"""States of a workflow that is not over."""
ROOM = 1024**2
"""Bytes that have to be free where runs are kept, so that one can go on."""
NO_ROOM = "room on the disk"
"""What such a run waits for."""
GRACE_S = 15.0
"""A run that nobody touched for less than this, or an engine that is younger, may still be on the way into its
workflow."""


class Watchdog:
    """Every open run is either executing here, or started again, or ended as failed with the reason."""

    def __init__(self, context: Context, start: Callable[[str], Awaitable[None]]) -> None:
        self._context, self._start = context, start
        self._task: asyncio.Task[None] | None = None
        self._began = time.time()

    async def begin(self) -> None:
        await self.resend_decisions()
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """At first the runs without a living workflow: nobody else can be starting these when an engine is new."""
        await self._try(self.look_at_strays)
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self._try(self.beat)
            await self._try(self.resend_decisions)
            await self._try(self.look)

    async def beat(self) -> None:
        """Say that the engine is alive. A long time since the last beat (no engine, or the machine slept) is no time
        that a run has worked."""
        services = self._context.services
        mark, now = services.state.path / "engine.beat", time.time()
        away = now - mark.stat().st_mtime if mark.exists() else 0.0
        if away > GRACE_S:
            for row in self._open_runs():
                if row["started"] is not None and row["state"] != "waiting":
                    services.add_absence(row["id"], away)
        with contextlib.suppress(OSError):  # a full disk
            mark.touch()

    async def _try(self, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except Exception:
            log.exception("the watchdog could not look")

    async def look_at_strays(self) -> None:
        for row in self._open_runs():
            state = await self._workflow_state(row["id"])
            if state not in RESUMABLE:
                await self._revive(row, state)

    async def look(self) -> None:
        for row in self._open_runs():
            if row["id"] in self._context.alive:
                continue
            starved = row["id"] in self._context.no_room
            if self._without_room(row["id"]):
                continue
            state = await self._workflow_state(row["id"])
            over = state is not None and state not in RESUMABLE
            if over or starved or time.time() - max(row["touched"], self._began) >= GRACE_S:
                await self._revive(row, state)

    def _without_room(self, run: str) -> bool:
        """A full disk ends a run's workflow, since no step of it can be kept. It goes on when there is room; until
        then that is said, once and without a record of it."""
        free = shutil.disk_usage(self._context.services.state.path).free
        if free >= ROOM:
            self._context.no_room.discard(run)
            return False
        if run not in self._context.no_room:
            self._context.no_room.add(run)
            text = "The disk is full: free some space. The run goes on by itself when there is room."
            self._context.services.events.emit("notice", {"text": text, "waiting_for": NO_ROOM}, run, store=False)
        return True

    async def _workflow_state(self, run: str) -> str | None:
        status = await DBOS.get_workflow_status_async(workflow_id(run))
        return None if status is None else str(status.status)

    def _open_runs(self) -> list[dict[str, Any]]:
        """Oldest first: in that order they get their slots."""
        return self._context.services.store.find_runs(open_only=True, limit=1000)[::-1]

    async def _revive(self, row: dict[str, Any], state: str | None) -> None:
        run = row["id"]
        now = self._context.services.store.run(run)
        if now is None or now["state"] == "ended":
            return  # it came to its end while we looked
        log.warning("run %s is %s here but nobody executes it (workflow: %s)", run, row["state"], state)
        if state is None:
            await self._start(run)
        elif state in RESUMABLE:
            await DBOS.resume_workflow_async(workflow_id(run))
        else:
            await self._give_up(run, state)

    async def _give_up(self, run: str, state: str) -> None:
        """The workflow is over, but the run never heard of it: say so instead of leaving it open for ever."""
        services = self._context.services
        reason = f"the run could not be resumed ({state.lower().replace('_', ' ')}); its worktree and branch are kept"
        await acceptance.give_back(services, run, "reset", reason)
        services.store.release(run)
        self._context.slots.release(run)
        services.set_state(run, "ended", outcome="failed", reason=reason, ended=time.time(), checkpoint=None)
        services.events.emit("run.ended", {"outcome": "failed", "reason": reason}, run)
        grouping.look(services, run)
        for part in services.store.find_runs(loop=run, open_only=True):  # nobody would gather what they bring
            await end(self._context, part)

    async def resend_decisions(self) -> None:
        """A decision that was recorded just before a crash is sent again; its key keeps it from counting twice."""
        store = self._context.services.store
        for row in self._open_runs():
            if row["state"] != "waiting" or row["checkpoint"] is None:
                continue
            if row["cancel"]:
                store.decide_checkpoint(row["id"], row["checkpoint"], "cancel", "")
            known = store.checkpoint(row["id"], row["checkpoint"])
            if known is not None and known["decision"]:
                words, paths = known["message"] or "", known["leave_out"] or ()
                await send_decision(row["id"], row["checkpoint"], known["decision"], words, paths)
