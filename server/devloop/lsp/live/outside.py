"""Problems of an open plan that its text alone can't show: missing files, other plans, unknown agents, age.

They are looked for in a thread, when the plan is opened, saved and at a slow interval, and kept with the text of their
lines: what is typed meanwhile moves them along at a cost that does not depend on the plan's length.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from devloop import plan as plans
from devloop.daemon.plan_rules import problems_outside
from devloop.errors import DevloopError

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot

Find = Callable[[], tuple[Path, tuple[str, ...]]]

INTERVAL_S: Final = 30.0
MOST: Final = 500
"""So many are kept for a document."""


@dataclass(frozen=True)
class _Seen:
    """A problem, the text of its line, and the number of lines of the document in which it stood there."""

    problem: plans.Problem
    text: str
    count: int

    def moved(self, document: plans.Document) -> _Seen | None:
        """The same in another version; None when its line is not where it would be."""
        line = self.problem.line
        if document.line(line - 1) == self.text:
            return self if self.count == document.count else replace(self, count=document.count)
        line += document.count - self.count
        if document.line(line - 1) != self.text:
            return None
        return _Seen(replace(self.problem, line=line), self.text, document.count)


class Outside:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: WeakKeyDictionary[Buffer, tuple[_Seen, ...]] = WeakKeyDictionary()
        self._beyond: WeakKeyDictionary[Buffer, int] = WeakKeyDictionary()
        self._saved: WeakKeyDictionary[Buffer, asyncio.Event] = WeakKeyDictionary()

    def problems(self, buffer: Buffer, snapshot: Snapshot) -> list[plans.Problem]:
        """Those of the last look, on the lines on which they are now; what can't be found there is left out."""
        known = self._found.get(buffer)
        if not known:
            return []
        moved = [(seen, seen.moved(snapshot.document)) for seen in known]
        self._found[buffer] = tuple(now or before for before, now in moved)
        return [now.problem for _, now in moved if now is not None]

    def beyond(self, buffer: Buffer) -> int:
        """How many more there were than are kept."""
        return self._beyond.get(buffer, 0)

    def saved(self, buffer: Buffer) -> None:
        event = self._saved.get(buffer)
        if event is not None:
            event.set()

    async def watch(self, buffer: Buffer, find: Find, tell: Callable[[], None]) -> None:
        """Look while the buffer is open. `find` names the other plans (see `Documents.find`); `tell` is called when
        something else was found."""
        saved = self._saved[buffer] = asyncio.Event()
        while True:
            saved.clear()
            if buffer.closed or not buffer.main:
                return
            snapshot = await buffer.snapshot()
            found, beyond = await asyncio.to_thread(self._look, snapshot.plan, find)
            del snapshot  # its plan may be long and be replaced while this waits
            before, self._found[buffer] = self._found.get(buffer, ()), found
            more, self._beyond[buffer] = self.beyond(buffer), beyond
            if beyond != more or [seen.problem for seen in found] != [seen.problem for seen in before]:
                tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_S):
                    await saved.wait()

    def _look(self, plan: plans.Plan, find: Find) -> tuple[tuple[_Seen, ...], int]:
        try:
            _, others = find()
        except DevloopError:
            others = ()
        document = plan.document
        problems = problems_outside(plan, self._root, datetime.now(UTC), others)
        kept = tuple(_Seen(each, document.line(each.line - 1), document.count) for each in problems[:MOST])
        return kept, len(problems) - len(kept)
