"""What people see of an answer while it comes in: `turn.progress`, a few times a second, with the words so far."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from devloop.models import Progress
from devloop.redact import printable
from devloop.runs.services import Services

INTERVAL_S = 0.1
SHOWN = 4_000
"""Characters of the words so far that are told: the last ones."""
_KEPT = 4 * SHOWN
_UNFINISHED = re.compile(r"[!-~]+\Z")
_BROKEN = re.compile(r"\A[!-~]+")
"""A word that is still being written, and one whose beginning is gone: either may be a part of a secret, which is known
as one only when it is whole."""


class Telling:
    """The progress of one turn. Of what comes faster than `INTERVAL_S` the newest is told; `close` tells the rest."""

    def __init__(self, services: Services, run: str, turn: int) -> None:
        self._services, self._run, self._turn = services, run, turn
        self._words = {"text": "", "thinking": ""}
        self._length = {"text": 0, "thinking": 0}
        self._newest: Progress | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.kind != "tool_input":
            self._words[progress.kind] = (self._words[progress.kind] + progress.text)[-_KEPT:]
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
        """Redacted before it is cut: half a secret would not be recognised as one."""
        words = _UNFINISHED.sub("", self._words[kind])
        if self._length[kind] > _KEPT:
            words = _BROKEN.sub("", words)
        return printable(self._services.redactor.text(words))[-SHOWN:]
