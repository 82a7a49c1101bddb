"""`devloop/event`: what happens, for editors that declare `experimental.devloop.event`: `{"events": [event, …]}`.

The events are those of the terminal's `devloop log`, in order, sent together at most ten times a second. Of several
`turn.progress` of a run only the newest is told.

An editor that leaves more unread than a subscriber may (`daemon/fanout.py`) misses events until it has read. It is not
dropped as that one is: its buffers live in the same connection. How runs stand reaches it with the next status; the log
has the events.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from devloop.daemon.fanout import MAX_BACKLOG

if TYPE_CHECKING:
    from collections.abc import Set

    from devloop.lsp.editor import Editor

METHOD: Final = "devloop/event"
INTERVAL_S: Final = 0.1

Event = dict[str, Any]


class Events:
    def __init__(self, joined: Set[Editor]) -> None:
        self._joined = joined
        self._waiting: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._told = float("-inf")

    def offer(self, event: Event) -> None:
        if not any(editor.client.takes(METHOD) for editor in self._joined):
            return
        if event.get("kind") == "turn.progress":
            self._waiting = [
                each
                for each in self._waiting
                if each.get("kind") != "turn.progress" or each.get("run") != event.get("run")
            ]
        self._waiting.append(event)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._told + INTERVAL_S - loop.time()), self._flush)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self._timer, self._told = None, asyncio.get_running_loop().time()
        events, self._waiting = self._waiting, []
        for editor in list(self._joined):
            if editor.backlog <= MAX_BACKLOG:
                editor.notify(METHOD, {"events": events})
