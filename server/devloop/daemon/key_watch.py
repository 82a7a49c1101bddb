"""Noticing that a person signed in or out: in a terminal, in an editor, in any project."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from devloop import keys
from devloop.daemon.watch import DEBOUNCE_MS, LOOK_ANYWAY_MS, STEP_MS

log = logging.getLogger(__name__)

ABSENT_S = 2.0
"""How long is waited where watching failed, as where there is no folder yet."""

Seen = tuple[int, int, int]


class KeyWatch:
    """Calls `changed` when `keys.json` did. What is in it is read by whoever wants to know, and never here."""

    def __init__(self, changed: Callable[[], None], absent_s: float = ABSENT_S) -> None:
        self._changed, self._absent_s = changed, absent_s
        self._seen = _seen()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._watch()
            except Exception:  # the status is read anew all the same, when somebody asks or something happens
                log.exception("watching for keys failed")
            await asyncio.sleep(self._absent_s)
            self._look()

    async def _watch(self) -> None:
        folder = keys.file().parent
        if not folder.is_dir():
            return
        from watchfiles import awatch

        async for _ in awatch(
            folder,
            step=STEP_MS,
            debounce=DEBOUNCE_MS,
            rust_timeout=LOOK_ANYWAY_MS,
            yield_on_timeout=True,
            recursive=False,
            watch_filter=None,
        ):
            self._look()
            if not folder.is_dir():
                return

    def _look(self) -> None:
        seen = _seen()
        if seen != self._seen:
            self._seen = seen
            self._changed()


def _seen() -> Seen | None:
    """Which file it is, without what it holds; None where there is none."""
    try:
        found = keys.file().stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode
