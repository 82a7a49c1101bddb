"""Noticing that a person or a tool changed the plan's file, without the editor's help."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from devloop.daemon.documents import SETTLE_S, Documents, PlanText
from devloop.errors import DevloopError

log = logging.getLogger(__name__)

STEP_MS, DEBOUNCE_MS = 10, 50
"""12 ms from write to event instead of the 100 ms of the defaults (language-server §10)."""
LOOK_ANYWAY_MS = 5_000
"""For plans outside `.devloop/`, for file systems that tell nothing, and for what changes while the watch begins."""
ABSENT_S = 2.0
"""How often is looked whether `.devloop/` has come into being."""
SETTLE_TRIES = 5


class PlanWatch:
    """Calls `changed` once for each new content of the plan, whoever wrote it; the same bytes never count twice."""

    def __init__(self, documents: Documents, changed: Callable[[PlanText], None], absent_s: float = ABSENT_S) -> None:
        self._documents, self._changed, self._absent_s = documents, changed, absent_s
        self._seen: PlanText | None = None
        self._asked: asyncio.Task[None] | None = None

    def saw(self, found: PlanText) -> bool:
        """Take note of a content; False when it was known."""
        if self._seen is not None and (found.path, found.sha256) == (self._seen.path, self._seen.sha256):
            return False
        self._seen = found
        return True

    def look_soon(self) -> None:
        """Somebody else noticed a change: look now. Looks that are asked for while one is under way become one."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._look())

    async def run(self) -> None:
        """Watch until cancelled. A folder that does not exist yet, or goes away, is waited for."""
        folder = self._documents.root / ".devloop"
        await self._look(first=True)
        while True:
            if not folder.is_dir():
                await asyncio.sleep(self._absent_s)
                await self._look()
                continue
            try:
                await self._watch()
            except Exception:  # watching is a convenience: without it the plan is read when it is needed
                log.exception("watching %s failed", folder.name)
            await asyncio.sleep(self._absent_s)

    async def _watch(self) -> None:
        from watchfiles import awatch

        folder = self._documents.root / ".devloop"
        await self._look()
        async for _ in awatch(
            folder,
            step=STEP_MS,
            debounce=DEBOUNCE_MS,
            rust_timeout=LOOK_ANYWAY_MS,
            yield_on_timeout=True,
            recursive=False,
            watch_filter=None,
        ):
            await self._look()
            if not folder.is_dir():
                return

    async def _look(self, *, first: bool = False) -> None:
        found = await self._settled()
        if found is None or not self.saw(found) or first:
            return
        self._changed(found)

    async def _settled(self) -> PlanText | None:
        """The plan once it is whole: an empty or much shorter text may be one that is just being written."""
        found = await self._read()
        for _ in range(SETTLE_TRIES):
            if found is not None and not self._suspicious(found):
                return found
            if found is None and self._seen is None:
                return None
            await asyncio.sleep(SETTLE_S)
            again = await self._read()
            if again is not None and found is not None and again.sha256 == found.sha256 and again.data:
                return again
            found = again
        return found

    def _suspicious(self, found: PlanText) -> bool:
        before = len(self._seen.data) if self._seen is not None and self._seen.path == found.path else 0
        return len(found.data) * 2 < before

    async def _read(self) -> PlanText | None:
        try:
            return await asyncio.to_thread(self._documents.read_file)
        except DevloopError:
            return None
