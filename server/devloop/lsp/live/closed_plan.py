"""Problems and checkpoints of the workspace's plan while an editor does not have it open.

The editor is told of them by the file's URI; when it opens the plan, the buffer's own diagnostics take over.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.daemon.plan_rules import problems_outside
from devloop.errors import DevloopError
from devloop.lsp import diagnostics
from devloop.lsp.buffers import Snapshot
from devloop.lsp.chosen import Chosen
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from collections.abc import Set

    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

SETTLE_S: Final = 1.0
"""An editor that just started opens its files first."""
MOST: Final = 100

Row = dict[str, Any]


class ClosedPlan:
    def __init__(self, service: Service, joined: Set[Editor]) -> None:
        self._service, self._joined = service, joined
        self._told: dict[Editor, tuple[str, list[Row]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def leave(self, editor: Editor) -> None:
        self._told.pop(editor, None)

    def opened(self, editor: Editor, uri: str) -> None:
        """The buffer's diagnostics come now; what was told under another spelling of the URI is taken back."""
        before = self._told.pop(editor, None)
        if before is not None and before[1] and (before[0] != uri or editor.pulls):
            _publish(editor, before[0], [])

    def look(self) -> None:
        """Soon, and once for all that happens until then."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._tell())

    def close(self) -> None:
        self._again = False
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _tell(self) -> None:
        while self._again:
            await asyncio.sleep(SETTLE_S)
            self._again = False
            if not self._without():
                continue
            try:
                found = await asyncio.to_thread(self._read)
            except DevloopError:
                self._gone()
            except Exception:
                log.exception("the closed plan could not be looked at")
            else:
                for editor in self._without():
                    self._look_at(editor, *found)

    def _without(self) -> list[Editor]:
        return [each for each in self._joined if not any(buffer.main for buffer in each.buffers.values())]

    def _read(self) -> tuple[Snapshot, list[Any]]:
        found, plan = self._service.documents.plan()
        path = found.path.resolve()
        outside = problems_outside(plan, self._service.root, datetime.now(UTC), found.others)
        _ = plan.problems
        return Snapshot(path.as_uri(), 0, plan, path, found.relative, True), list(outside)

    def _look_at(self, editor: Editor, snapshot: Snapshot, outside: list[Any]) -> None:
        items = diagnostics.listed(editor, snapshot, outside, Chosen(), most=MOST)
        before = self._told.get(editor)
        if before == (snapshot.uri, items) or (before is None and not items):
            return
        self._told[editor] = (snapshot.uri, items)
        _publish(editor, snapshot.uri, items)

    def _gone(self) -> None:
        for editor in self._without():
            before = self._told.pop(editor, None)
            if before is not None and before[1]:
                _publish(editor, before[0], [])


def _publish(editor: Editor, uri: str, items: list[Row]) -> None:
    editor.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, Plain({"uri": uri, "diagnostics": items}))
