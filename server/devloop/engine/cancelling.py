"""Cancelling: at once, and seen by the run itself as an outcome, so that it ends in order.

The wish is recorded with the run (it survives a crash) and wakes whatever step the run is in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from devloop.store import Store

CANCELLED = {"outcome": "cancelled", "reason": "cancelled by a person"}


class Cancelling:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._events: dict[str, asyncio.Event] = {}

    def request(self, run: str) -> None:
        self._store.update_run(run, cancel=True)
        self._event(run).set()

    def requested(self, run: str) -> bool:
        row = self._store.run(run)
        return row is not None and bool(row["cancel"])

    async def unless_cancelled(self, run: str, work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """The result of `work`, or `CANCELLED` as soon as the person wants it; `work` is then cancelled and awaited."""
        task = asyncio.ensure_future(work)
        if self.requested(run):
            task.cancel()
        waiter = asyncio.create_task(self._event(run).wait())
        try:
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
            await asyncio.wait({task})
            return dict(CANCELLED) if task.cancelled() else task.result()
        finally:
            waiter.cancel()
            if not task.done():
                task.cancel()

    def forget(self, run: str) -> None:
        self._events.pop(run, None)

    def _event(self, run: str) -> asyncio.Event:
        return self._events.setdefault(run, asyncio.Event())
