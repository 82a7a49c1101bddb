"""The documents that one editor has open (LSP 3.18, Text Document Synchronization).

A buffer's text changes with every message, in order; its plan is read again when somebody asks. Whoever asks gets an
immutable snapshot with the version it belongs to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.chosen import Chosen
from devloop.lsp.positions import BOM, Positions

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Up to so many lines a plan is read on the daemon's loop (some 5 ms); longer ones in a thread."""
SPLICED_AT_ONCE = 10_000
"""The same for an edit after which only lines moved: 1 ms for each 1,000 lines below it."""

Change = t.TextDocumentContentChangePartial | t.TextDocumentContentChangeWholeDocument
Apply = Callable[["Buffer", plans.Plan, Sequence[plans.Edit], str], Awaitable[bool]]


@dataclass(frozen=True)
class Snapshot:
    """One version of a document. `main`: it is the workspace's plan, the one that runs act on. `relative`: its path
    below the workspace's root, with slashes; the URI where it lies elsewhere."""

    uri: str
    version: int
    plan: plans.Plan
    path: Path | None
    relative: str
    main: bool

    @property
    def document(self) -> plans.Document:
        return self.plan.document


class Buffer:
    """An open document. `apply` asks the editor for a change of it; see `daemon.open_plans.OpenPlan`."""

    def __init__(
        self,
        uri: str,
        version: int,
        text: str,
        *,
        path: Path,
        relative: str,
        main: bool,
        archived: frozenset[str],
        apply: Apply,
        known: plans.Plan | None = None,
    ) -> None:
        """`known`: the plan of this text, if somebody has read it already."""
        self.uri, self.version, self.path, self.relative, self.main = uri, version, path, relative, main
        self.document = known.document if known is not None else plans.Document.of(text)
        self.touched = time.monotonic()
        self.closed = False
        self.advanced = asyncio.Event()
        """Set with each new version, and replaced."""
        self._archived, self._apply = archived, apply
        self.chosen = Chosen()
        """Diagnostics as they were last sent (see `lsp.diagnostics`)."""
        self._collecting: list[list[plans.Document]] = []
        self.of_structure: dict[str, Any] = {}
        """What features keep of the plan that was read last, by their names. It is gone once tasks, phases or their
        needs are others: it would be of no use, and no old plan stays in memory."""
        self._plan = known
        self._reading: asyncio.Task[plans.Plan] | None = None
        self._turns = asyncio.Lock()

    def change(self, version: int, changes: Sequence[Change], positions: Positions) -> bool:
        """Take a new version over. False, and nothing changes, when it is older than the one we have."""
        if version < self.version:
            log.warning("a change of version %d came after version %d and was dropped", version, self.version)
            return False
        document = self.document
        for change in changes:
            if isinstance(change, t.TextDocumentContentChangePartial):
                document = replaced(document, change.range, change.text, positions)
            else:
                document = plans.Document.of(change.text)
        self.document, self.version, self.touched = document, version, time.monotonic()
        for texts in self._collecting:
            texts.append(document)
        self.advance()
        return True

    @contextlib.contextmanager
    def collected(self) -> Iterator[list[plans.Document]]:
        """Every text that the editor sends during the block, oldest first."""
        texts: list[plans.Document] = []
        self._collecting.append(texts)
        try:
            yield texts
        finally:
            self._collecting = [each for each in self._collecting if each is not texts]

    @property
    def last_read(self) -> plans.Plan | None:
        """The plan that was read last, perhaps of an older version: for those who can't wait for the newest."""
        return self._plan

    def last_plan(self, archived: frozenset[str]) -> plans.Plan | None:
        """See `daemon.open_plans.OpenPlan`."""
        known = self._plan
        return known if known is not None and known.document is self.document and archived == self._archived else None

    def advance(self) -> None:
        """Wake whoever waits for news of this buffer."""
        self.advanced.set()
        self.advanced = asyncio.Event()

    def archive(self, archived: frozenset[str]) -> bool:
        """Take over which tasks are archived as done; True when that is news."""
        if archived == self._archived:
            return False
        self._archived, self._plan = archived, None
        self.of_structure.clear()
        return True

    def keep(self, name: str, plan: plans.Plan, value: object) -> None:
        """Something for `of_structure`; it is dropped when another structure was read while it was being found."""
        if self._plan is not None and self._plan.graph is plan.graph:
            self.of_structure[name] = value

    def _take(self, plan: plans.Plan) -> None:
        if self._plan is None or self._plan.graph is not plan.graph:
            self.of_structure.clear()
        self._plan = plan

    async def snapshot(self) -> Snapshot:
        """The newest version with its plan."""
        while True:
            version, document = self.version, self.document
            plan = await self._read(document)
            if plan.document is self.document:
                return Snapshot(self.uri, version, plan, self.path, self.relative, self.main)

    async def plan(self) -> plans.Plan:
        return (await self.snapshot()).plan

    async def apply(self, plan: plans.Plan, edits: Sequence[plans.Edit], label: str) -> bool:
        return await self._apply(self, plan, edits, label)

    async def _read(self, document: plans.Document) -> plans.Plan:
        known = self._plan
        if known is not None and known.document is document:
            return known
        quick = plans.patched(known, document) if known is not None else None
        if quick is None and known is not None and document.count <= SPLICED_AT_ONCE:
            quick = plans.spliced(known, document)
        if quick is None and document.count <= AT_ONCE:
            quick = plans.parse(document, name=self.relative, archived_ids=self._archived)
            _ = quick.problems
        if quick is not None:
            self._take(quick)
            return quick
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_in_thread(document))
        plan = await asyncio.shield(self._reading)
        async with self._turns:  # all who waited for it would go on in one step of the loop, and others wait for that
            await asyncio.sleep(0)
        return plan

    async def _read_in_thread(self, document: plans.Document) -> plans.Plan:
        """One at a time; while it lasts, what is typed is collected in `document`."""
        archived, known = self._archived, self._plan
        try:
            plan = await asyncio.to_thread(_read_whole, known, document, self.relative, archived)
        finally:
            self._reading = None
        if archived is self._archived:
            self._take(plan)
        return plan


def replaced(document: plans.Document, place: t.Range, text: str, positions: Positions) -> plans.Document:
    """The document with what an editor wrote at a place."""
    start, end = positions.point(document, place.start), positions.point(document, place.end)
    if not positions.in_bom(document, place.start):
        return document.replace(start, end, text)
    before = BOM if positions.in_bom(document, place.end) else ""
    line, column = end
    return plans.Document.of(text + before + "".join(document.lines(line))[column:])


def _read_whole(known: plans.Plan | None, document: plans.Document, name: str, archived: frozenset[str]) -> plans.Plan:
    plan = plans.spliced(known, document) if known is not None and document.count > SPLICED_AT_ONCE else None
    plan = plan or plans.parse(document, name=name, archived_ids=archived)
    _ = plan.problems  # found here and not on the loop
    return plan
