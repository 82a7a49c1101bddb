"""How many runs work at the same time. A run that waits for a person holds no slot.

Slots live in the process, not in the database: every run that is open is started again after a crash, and the order
in which they then ask is their order of creation.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict


class Slots:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._holders: set[str] = set()
        self._queue: OrderedDict[str, asyncio.Future[None]] = OrderedDict()

    def holds(self, run: str) -> bool:
        return run in self._holders

    def take(self, run: str) -> bool:
        """Take a slot if that needs no waiting; True when the run holds one afterwards."""
        if run not in self._holders and len(self._holders) < self.limit and not self._queue:
            self._holders.add(run)
        return run in self._holders

    def ask(self, run: str) -> None:
        """Take a slot or a place in the queue now, for an `acquire` that comes later."""
        if not self.take(run):
            self._queue.setdefault(run, asyncio.get_running_loop().create_future())

    async def acquire(self, run: str) -> None:
        """Wait for a slot, first come first served; at once when the run holds one already."""
        self.ask(run)
        if self.holds(run):
            return
        try:
            await self._queue[run]
        except asyncio.CancelledError:
            self.release(run)
            raise

    def resize(self, limit: int) -> None:
        """Another limit: more runs begin at once; fewer do as those at work end."""
        self.limit = limit
        self._hand_out()

    def release(self, run: str) -> None:
        """Give the slot, or the place in the queue, to the next."""
        self._queue.pop(run, None)
        self._holders.discard(run)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._queue and len(self._holders) < self.limit:
            name, turn = self._queue.popitem(last=False)
            self._holders.add(name)
            if not turn.done():
                turn.set_result(None)
