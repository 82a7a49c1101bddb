"""Telling of changes, not too often: many changes within a moment are one piece of news."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

Listener = Callable[[frozenset[str]], None]

INTERVAL_S = 0.1


class Listeners:
    """Each listener is told names of what changed at most every `INTERVAL_S`, the last change always. One that raises
    is logged and disturbs nobody."""

    def __init__(self) -> None:
        self._listeners: dict[int, Listener] = {}
        self._numbers = itertools.count()
        self._changed: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told = float("-inf")

    def __len__(self) -> int:
        return len(self._listeners)

    def listen(self, callback: Listener) -> Callable[[], None]:
        """`callback` is told from now on, from the event loop, never while `tell` is called. Calling the answer ends
        that; calling it again does nothing."""
        number = next(self._numbers)
        self._listeners[number] = callback

        def end() -> None:
            self._listeners.pop(number, None)

        return end

    def tell(self, name: str) -> None:
        if not self._listeners:
            return
        self._changed.add(name)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._told + INTERVAL_S - loop.time()), self._flush)

    def close(self) -> None:
        self._listeners.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self._timer, self._told = None, asyncio.get_running_loop().time()
        changed, self._changed = frozenset(self._changed), set()
        for number, callback in list(self._listeners.items()):
            if number not in self._listeners:
                continue  # another one ended it just now
            try:
                callback(changed)
            except Exception:
                log.exception("one who listens to changes failed")
