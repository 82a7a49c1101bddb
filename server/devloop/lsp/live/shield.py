"""The state of the sandbox on the plan's first line, where it is not on: what it means and how to mend it.

Looked for a moment after an editor came, because trying a sandbox takes a processor some tenths of a second, and then
at a slow interval: settings change, and programs are installed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from devloop.errors import DevloopError
from devloop.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from devloop.daemon.service import Service
    from devloop.lsp.buffers import Buffer, Snapshot
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

FIRST_S: Final = 1.0
INTERVAL_S: Final = 20.0
SOURCE: Final = "devloop"
CODES: Final = {"degraded": "sandbox-degraded", "off": "sandbox-off"}
_SEVERITY: Final = {"degraded": 3, "off": 2}

Row = dict[str, Any]


class Shield:
    def __init__(self, service: Service, tell: Callable[[], None]) -> None:
        """`tell` is called when diagnostics have to be made anew."""
        self._service, self._tell = service, tell
        self._state: Row | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def close(self) -> None:
        """No editor is left."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def rows(self, editor: Editor, buffer: Buffer, snapshot: Snapshot) -> list[Row]:
        """The diagnostic, for the plan that devloop works by and no other document."""
        state = self._state
        if state is None or state["state"] not in CODES or not buffer.main:
            return []
        word = state["state"]
        parts = (f"The sandbox is {word}.", state["meaning"], state["reason"], state["fix"])
        return [
            {
                "range": editor.protocol.plain(editor.positions.range(snapshot.document, 1)),
                "severity": _SEVERITY[word],
                "code": CODES[word],
                "source": SOURCE,
                "message": " ".join(one_line(part, 400) for part in parts if part),
            }
        ]

    async def _watch(self) -> None:
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                state = await self._service.sandbox()
            except DevloopError as problem:
                log.info("the sandbox could not be looked at: %s", problem.message)
            else:
                before, self._state = self._state, state
                if state != before and (before or state["state"] != "on"):
                    self._tell()
            await asyncio.sleep(INTERVAL_S)
