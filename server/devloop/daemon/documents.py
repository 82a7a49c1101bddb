"""The plan's file: which one it is, what it says now, and changes that nobody else's change can be lost by.

This is the one place through which plan text comes in and goes out. A plan that is open in an editor takes precedence
over its file: `read` and `plan` answer with the buffer, `record` changes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from devloop import beneath
from devloop import plan as plans
from devloop.daemon.archived import Archived
from devloop.daemon.open_plans import REOPENED_S, Change, EditsOf, OpenPlan, OpenPlans, compared, with_changes
from devloop.daemon.owed import OwedFile, as_lines
from devloop.errors import DevloopError, NotFound, Refused, StaleEdit, StorageError, Unavailable
from devloop.files import held_lock, storage_error
from devloop.own_files import write

log = logging.getLogger(__name__)

TRIES = 3
MAX_PLAN = 64 * 1024 * 1024
SETTLE_S = 0.15
"""How long an editor that empties a file before it writes it is given."""


@dataclass(frozen=True)
class PlanText:
    """One reading of the plan. `relative` is the path below the root, with slashes; `data` is never decoded here."""

    path: Path
    relative: str
    data: bytes
    sha256: str
    others: tuple[str, ...] = ()
    """Further files that could be the plan."""
    open: bool = False
    """It is an editor's buffer, not the file."""

    @property
    def text(self) -> str:
        """The whole file as text; bytes that are no UTF-8 survive as surrogates."""
        return self.data.decode("utf-8", "surrogateescape")


class Documents:
    """The plan of the workspace at `root`. `explicit` is the file a person named; the usual places otherwise. `owed` is
    where changes are kept that an open plan has and its file has not.

    Methods block on the file system for a moment: call them from a thread where that counts.
    """

    def __init__(
        self,
        root: Path,
        explicit: Path | None = None,
        lock: Path | None = None,
        owed: Path | None = None,
    ) -> None:
        self.root = root.resolve()
        self.open_plans = OpenPlans()
        self._owed = OwedFile(owed, self.open_plans.to_keep)
        self.open_plans.changed = self._owed.soon
        self._explicit = explicit
        self._lock = lock
        self._parsed: tuple[tuple[str, str, frozenset[str]], plans.Plan] | None = None
        archived = Archived(self.root)
        self.archived_ids, self.last_archived_ids = archived.ids, archived.last
        self._with_owed: tuple[plans.Document, tuple[Change, ...], bytes] | None = None

    @property
    def explicit(self) -> Path | None:
        return self._explicit

    def find(self) -> tuple[Path, tuple[str, ...]]:
        """The plan's file and the other candidates. Raises `NotFound` with how to make one."""
        if self._explicit is not None:
            path = self._explicit if self._explicit.is_absolute() else self.root / self._explicit
            if not path.is_file():
                raise NotFound(f"There is no file {path}.", hint="DEVLOOP_PLAN_PATH names it.")
            return path, ()
        found = [self.root / name for name in plans.PLAN_FILES if (self.root / name).is_file()]
        if not found:
            for path in (self.root / name for name in plans.PLAN_FILES):
                if os.path.lexists(path):
                    raise NotFound(
                        f"{path} is no file, so it can't be the plan.",
                        hint="Move it away, then make a plan with `devloop init`.",
                    )
            raise NotFound(f"There is no plan in {self.root}.", hint="Make one with `devloop init`.")
        unique = [path for n, path in enumerate(found) if not any(path.samefile(other) for other in found[:n])]
        return unique[0], tuple(str(path.relative_to(self.root)) for path in unique[1:])

    def read(self) -> PlanText:
        """The plan as it is now. Raises `NotFound`, or `StorageError` when it can't be read."""
        path, others = self.find()
        shown = self.open_plans.of(path.resolve())
        if shown is None:
            return self.read_file(path, others)
        return self._text(path, self._data_of(shown), others, shown=True)

    def _data_of(self, shown: OpenPlan) -> bytes:
        """The buffer's text, with what devloop changed and this buffer was never made to show."""
        document, owed = shown.document, self.open_plans.owed(shown)
        if not owed:
            return document.data
        known = self._with_owed
        if known is None or known[0] is not document or known[1] != owed:
            self.open_plans.lacking(shown, plans.parse(document.data))  # what it has meanwhile is owed no more
            owed = self.open_plans.owed(shown)
            known = self._with_owed = (document, owed, with_changes(document.data, owed))
        return known[2]

    def read_file(self, path: Path | None = None, others: tuple[str, ...] = ()) -> PlanText:
        """The plan as it was last saved."""
        if path is None:
            path, others = self.find()
        try:
            data = beneath.read_anywhere(path, MAX_PLAN)
        except beneath.TooLarge:
            raise Refused(f"{path} is larger than {MAX_PLAN // 1024**2} MiB.") from None
        except OSError as problem:
            raise storage_error(problem, f"{path} could not be read") from problem
        return self._text(path, data, others)

    def _text(self, path: Path, data: bytes, others: tuple[str, ...], *, shown: bool = False) -> PlanText:
        return PlanText(path, self._relative(path), data, hashlib.sha256(data).hexdigest(), others, shown)

    def plan(self) -> tuple[PlanText, plans.Plan]:
        """The plan, parsed: as its editor's buffer has it read already (a long one takes a hundred megabytes), else
        anew; the last result is kept as long as the bytes are the same."""
        archived = self.archived_ids()
        path, others = self.find()
        shown = self.open_plans.of(path.resolve())
        if shown is not None and not self.open_plans.owed(shown):
            known = shown.last_plan(archived)
            if known is not None:
                self._parsed = None
                return self._text(path, known.data, others, shown=True), known
        found = self.read()
        key = (found.relative, found.sha256, archived)
        if self._parsed is None or self._parsed[0] != key:
            plan = plans.parse(found.data, name=found.relative, archived_ids=archived)
            if shown is not None and not self.open_plans.owed(shown):  # its editor may have read it meanwhile
                known = shown.last_plan(archived)
                if known is not None and known.data == found.data:
                    return found, known
            self._parsed = (key, plan)
        return found, self._parsed[1]

    def parsed(self, text: str, archived: frozenset[str]) -> plans.Plan | None:
        """The plan that was read last, if it is the one of this text: a second one would take as much room again."""
        known = self._parsed
        if known is None or known[0][2] != archived or not known[1].document.valid:
            return None
        return known[1] if known[1].text == text else None

    async def record(
        self, edits_of: EditsOf, label: str, about: str = "", event: plans.Event | None = None
    ) -> tuple[PlanText, bool]:
        """Make a change: in the editor that shows the plan, else in the file. True when that changed something.

        `edits_of` may be called more than once and finds nothing to do when the plan says so already; `about` as in
        `open_plans.Change`; `event` where that is what the edits record. An editor that can't make the change is passed
        over: the file is changed under it, which it will notice, and until it shows the change its buffer is read as if
        it did.
        """
        path, _ = await asyncio.to_thread(self.find)
        shown = self.open_plans.of(path.resolve())
        if shown is None:
            return await asyncio.to_thread(self.change, _on_bytes(edits_of))
        self._must_be_inside(path)
        change = self.open_plans.owe(shown.path, edits_of, about)
        try:
            await self._keep(change, await shown.plan(), event)
            try:
                return await self._record_in(shown, change, label)
            except Unavailable as problem:
                log.warning("the plan is open in an editor that did not change it: %s", problem.message)
            after, changed = await asyncio.to_thread(self.change, _on_bytes(edits_of))
        except DevloopError:
            self.open_plans.drop(change)
            raise
        change.in_file = True
        self._owed.soon()
        return after, changed or self.open_plans.of(shown.path) is not shown  # `closed` may have been quicker

    async def _keep(self, change: Change, plan: plans.Plan, event: plans.Event | None) -> None:
        """Before anybody is asked to make it: from then on it is made, whoever is killed."""
        edits = change.edits_of(plan)
        if edits:
            change.kept = {"event": event.to_json()} if event is not None else as_lines(plan.document, edits)
            await self._owed.kept()

    async def _record_in(self, shown: OpenPlan, change: Change, label: str) -> tuple[PlanText, bool]:
        """The change, and before it those that this buffer lacks. Whether it was made is seen in the buffer, whatever
        the editor says."""
        asked: set[Change] = set()
        failures = 0
        while failures < TRIES:
            plan = await shown.plan()
            if not change.edits_of(plan) and change not in asked:
                self.open_plans.drop(change)
                return self._text(shown.path, plan.data, (), shown=True), False
            missing = self.open_plans.lacking(shown, plan)
            if not missing:
                return self._text(shown.path, plan.data, (), shown=True), True
            first, edits = missing[0]
            failures += first in asked
            asked.add(first)
            if not await shown.apply(plan, edits, label):
                failures += 1
                asked.discard(first)
        raise Unavailable("it was being changed all the time, or its editor only says that it makes changes")

    def closed(self, shown: OpenPlan) -> None:
        """An editor closed the plan: what devloop had changed there and nobody saved is written to the file. Blocks."""
        owed = self.open_plans.closed(shown)
        self.open_plans.owe_again(self._written(shown.path, owed))
        self._owed.keep()

    def restore(self) -> None:
        """Before anybody opens the plan: write to the file what a daemon owed that was killed. Blocks.

        Buffers that it had not given a change to come back as they were, and are read as if they had it.
        """
        for path, members in groupby(self._owed.load(), key=lambda change: change.path):
            changes = list(members)
            left = self._written(path, changes)
            try:
                plan = plans.parse(self.read_file(path if path.is_file() else None).data)
            except DevloopError:
                continue
            _, there = compared(changes, plan)
            for change in there:
                change.in_file, change.until = True, time.monotonic() + REOPENED_S
            self.open_plans.owe_again(each for each in changes if each in there or each in left)
        self._owed.keep()

    def _written(self, path: Path, changes: Sequence[Change]) -> list[Change]:
        """Make changes in the file that has them not; those that only the disk prevents."""
        left = []
        for change in changes:
            try:
                if not change.in_file:
                    self.change(_unless_there(change, changes), path if path.is_file() else None)
            except StorageError as problem:
                log.warning("a change of the plan that was not saved could not be written: %s", problem.message)
                left.append(change)
            except DevloopError as problem:
                log.warning("a change of the plan that was not saved could not be repeated: %s", problem.message)
        return left

    def change(self, edit: Callable[[bytes], bytes], path: Path | None = None) -> tuple[PlanText, bool]:
        """Replace the bytes of the plan's file (of `path`) by `edit` of them; True when that changed something.

        Compare-and-swap on the content's hash under a lock, `TRIES` times (plan-format §16.5); `edit` may be called
        more than once. Mode and link target stay. Raises `StaleEdit` when the file keeps changing or no longer has
        what the edit is about, `Refused` when the file lies outside the repository.
        """
        with self._locked():
            for last in (False,) * (TRIES - 1) + (True,):
                before = self.read_file(path)
                self._must_be_inside(before.path)
                try:
                    after = edit(before.data)
                except (NotFound, StaleEdit):
                    if last:
                        raise
                    time.sleep(SETTLE_S)  # perhaps an editor is just writing the file; then it is whole again soon
                    continue
                if after == before.data:
                    return before, False
                if self._same(before):
                    write(self.root, before.relative, after)
                    return self.read_file(path), True
        raise StaleEdit(
            f"{before.relative} is being changed by something else at the same time.", hint="Try again in a moment."
        )

    def _same(self, before: PlanText) -> bool:
        try:
            return hashlib.sha256(beneath.read_anywhere(before.path, MAX_PLAN)).hexdigest() == before.sha256
        except OSError:
            return False

    def _must_be_inside(self, path: Path) -> None:
        """A link is followed only inside the repository (state-files §16)."""
        if not path.resolve().is_relative_to(self.root):
            raise Refused(
                f"{path} leads outside the repository to {path.resolve()}; devloop does not change it.",
                hint=f"Put the plan itself into the repository: {self.root / '.devloop/plan.md'}.",
            )

    def _relative(self, path: Path) -> str:
        lexical = Path(os.path.normpath(path))
        for candidate in (lexical, path.resolve()):
            if candidate.is_relative_to(self.root):
                return candidate.relative_to(self.root).as_posix()
        return str(path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self._lock is None:
            yield
        else:
            with held_lock(self._lock, wait=True):
                yield


def _on_bytes(edits_of: EditsOf) -> Callable[[bytes], bytes]:
    return lambda data: plans.apply(data, edits_of(plans.parse(data)))


def _unless_there(change: Change, owed: Sequence[Change]) -> Callable[[bytes], bytes]:
    """As `_on_bytes`, for one of several changes of which later ones may be in the file already."""

    def edit(data: bytes) -> bytes:
        plan = plans.parse(data)
        edits = change.edits_of(plan)
        wanted = edits and any(each is change for each, _ in compared(owed, plan)[0])
        return plans.apply(data, edits) if wanted else data

    return edit
