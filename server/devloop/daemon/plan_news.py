"""Tells every client of each new text of the plan, with what it counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devloop import plan as plans
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.fanout import Fanout
from devloop.daemon.plan_port import plan_changed

log = logging.getLogger(__name__)


class PlanNews:
    def __init__(self, documents: Documents, fanout: Fanout) -> None:
        self._documents, self._fanout = documents, fanout
        self._news: PlanText | None = None
        self._told: tuple[Path, str] | None = None
        """Path and hash of the text that was told last."""
        self._telling: asyncio.Task[None] | None = None
        self.look: Callable[[], None] = lambda: None
        """Somebody says that a plan's file changed: look at once (see `watch`)."""
        self.told: Callable[[], None] = lambda: None
        """Every client was told of a new text (see `glance`)."""

    def changed(self, found: PlanText) -> None:
        """Tell everybody; of texts that follow each other faster than they can be read only the last is told."""
        self._news = found
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while (found := self._news) is not None:
            self._news = None
            try:
                found = await asyncio.to_thread(self._as_shown, found)
                if (found.path, found.sha256) == self._told:
                    continue
                stats = await asyncio.to_thread(self._stats, found)
            except Exception:
                log.exception("the changed plan could not be counted")
            else:
                self._told = (found.path, found.sha256)
                self._fanout.publish(plan_changed(found, stats))
                self.told()

    def _as_shown(self, found: PlanText) -> PlanText:
        """While an editor has the plan open its buffer is the plan, whatever was written to the file."""
        if found.open or self._documents.open_plans.of(found.path.resolve()) is None:
            return found
        return self._documents.read()

    def _stats(self, found: PlanText) -> dict[str, Any]:
        now, parsed = self._documents.plan()
        if (now.path, now.sha256) != (found.path, found.sha256):
            parsed = plans.parse(found.data, name=found.relative, archived_ids=self._documents.archived_ids())
        return dict(plans.show(parsed)["stats"])
