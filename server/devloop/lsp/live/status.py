"""`devloop/status`: the object of `devloop status --json`, for editors that declare `experimental.devloop.status`.

It is made once for all editors, at most ten times a second, and sent where it differs from what was sent before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from devloop.errors import DevloopError

if TYPE_CHECKING:
    from collections.abc import Set

    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

METHOD: Final = "devloop/status"
INTERVAL_S: Final = 0.1
MAX_BACKLOG: Final = 1024 * 1024
SAYS_NOTHING: Final = frozenset(
    {"turn.progress", "tool.started", "tool.ended", "gate.started", "gate.ended", "hook.ended"}
)
"""Events that change nothing of the status."""

Row = dict[str, Any]


class Status:
    def __init__(self, service: Service, joined: Set[Editor]) -> None:
        self._service, self._joined = service, joined
        self._sent: dict[Editor, Row] = {}
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def greet(self, editor: Editor) -> None:
        if editor.client.takes(METHOD):
            self._look()

    def leave(self, editor: Editor) -> None:
        self._sent.pop(editor, None)

    def heard(self, kind: str) -> None:
        if kind not in SAYS_NOTHING:
            self.changed()

    def changed(self) -> None:
        if any(editor.client.takes(METHOD) for editor in self._joined):
            self._look()

    def close(self) -> None:
        self._again = False
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _look(self) -> None:
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while self._again:
            self._again = False
            try:
                status = await self._service.call("devloop/status")
            except DevloopError as problem:
                log.info("editors were not told the status: %s", problem.message)
            except Exception:
                log.exception("the status could not be made")
                return
            else:
                self._send(status)
            await asyncio.sleep(INTERVAL_S)

    def _send(self, status: Row) -> None:
        core = {**status, "daemon": {key: value for key, value in status["daemon"].items() if key != "uptime_s"}}
        for editor in list(self._joined):
            if editor.backlog > MAX_BACKLOG or self._sent.get(editor) == core:
                continue
            if editor.notify(METHOD, status):
                self._sent[editor] = core
