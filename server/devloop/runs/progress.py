"""What people see of an answer while it comes in: `turn.progress`, a few times a second, with the words so far."""

from __future__ import annotations

import asyncio
from typing import Any

from devloop.models import Progress
from devloop.redact import Stream, printable, tail
from devloop.runs.services import Services

INTERVAL_S = 0.1
SHOWN = 4_000
"""Characters of the words so far that are told: the last ones."""


class Telling:
    """The progress of one turn. Of what comes faster than `INTERVAL_S` the newest is told; `close` tells the rest."""

    def __init__(self, services: Services, run: str, turn: int) -> None:
        self._services, self._run, self._turn = services, run, turn
        self._streams = {kind: Stream(services.redactor) for kind in ("text", "thinking")}
        self._words = {"text": "", "thinking": ""}
        self._length = {"text": 0, "thinking": 0}
        self._newest: Progress | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.kind != "tool_input":
            clean = self._streams[progress.kind].feed(progress.text)
            self._words[progress.kind] = tail(self._words[progress.kind] + clean, SHOWN, "")
            self._length[progress.kind] += len(progress.text)
        self._newest = progress
        if self._timer is None:
            self._tell()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._emit()

    def _tell(self) -> None:
        self._timer = None
        if self._newest is not None:
            self._emit()
            self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._tell)

    def _emit(self) -> None:
        newest, self._newest = self._newest, None
        if newest is None:
            return
        data: dict[str, Any] = {
            "turn": self._turn,
            "doing": newest.kind,
            "tokens": newest.output_tokens,
            "tool": newest.tool,
            "text": self._shown("text"),
            "thinking": self._shown("thinking"),
            "cut": any(length > SHOWN for length in self._length.values()),
        }
        self._services.events.emit("turn.progress", data, self._run, store=False)

    def _shown(self, kind: str) -> str:
        """Whole lines, and of the one that is being written what can be no part of a secret."""
        return tail(printable(self._words[kind] + self._streams[kind].preview()), SHOWN, "")
