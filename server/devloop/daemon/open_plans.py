"""Plans that an editor has open: while one is, its buffer is the plan, and the file is what was last saved.

An editor's front-end registers each open plan here. Changes that devloop makes go to the buffer that counts. Until the
file and every other buffer show them too they are owed to those: a buffer that lacks one (it was opened from a file
that was not saved yet, or its editor can't be asked) is read as if it had it, and what nobody saved is written to the
file when the last buffer closes. So no tick gets lost, and no finished task looks as if it had still to be done.
`owed.py` keeps them for the case that the daemon is killed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from devloop import plan as plans
from devloop.errors import NotFound, StaleEdit

log = logging.getLogger(__name__)

REOPENED_S: Final = 60.0
"""How long after a daemon was killed an editor's buffer may come back with the text that it had."""

EditsOf = Callable[[plans.Plan], Sequence[plans.Edit]]
"""The edits that make a change to a plan; none when it says so already."""


class OpenPlan(Protocol):
    """One buffer of one editor."""

    path: Path
    """Resolved."""
    touched: float
    """Monotonic time of the last change; of several buffers of one file the one that was changed last counts."""

    @property
    def document(self) -> plans.Document:
        """The text as it is now; readable from any thread."""

    def last_plan(self, archived: frozenset[str]) -> plans.Plan | None:
        """The plan of `document`, where it was read already with these archived ids; from any thread."""

    async def plan(self) -> plans.Plan: ...

    async def apply(self, plan: plans.Plan, edits: Sequence[plans.Edit], label: str) -> bool:
        """Ask the editor to change the buffer. True once it says that the buffer holds the change; False when the
        buffer was changed meanwhile. Raises `Unavailable` when this editor can't do it at all."""


@dataclass(eq=False)
class Change:
    """Something that devloop changed while the plan was open. `about`: what it is about, such as a task; a text that
    has a later change about the same needs no earlier one."""

    path: Path
    edits_of: EditsOf
    about: str = ""
    shown_by: set[OpenPlan] = field(default_factory=set)
    """Buffers that had it at some time: what the person makes of it there is the person's decision."""
    in_file: bool = False
    kept: Mapping[str, Any] | None = None
    """How it can be made again by another process (see `owed`)."""
    until: float | None = None
    """Of one that a daemon before this one owed, and that is in the file: the monotonic time until which a buffer that
    is opened may be one that the daemon had not given it to."""


Missing = tuple[Change, Sequence[plans.Edit]]


class OpenPlans:
    def __init__(self) -> None:
        self._open: list[OpenPlan] = []
        self._owed: dict[Path, list[Change]] = {}
        self.changed: Callable[[], None] = lambda: None
        """Called, from any thread, when something is owed no more."""

    def of(self, path: Path) -> OpenPlan | None:
        """The buffer that counts for this (resolved) path."""
        found = [each for each in self._open if each.path == path]
        return max(found, key=lambda each: each.touched, default=None)

    def opened(self, plan: OpenPlan) -> None:
        if self.of(plan.path) is None:
            for change in list(self._owed.get(plan.path, ())):
                if change.until is not None and change.until < time.monotonic():
                    self.drop(change)
        self._open.append(plan)

    def closed(self, plan: OpenPlan) -> list[Change]:
        """The buffer is gone. What devloop changed and the file does not have has to be written to it, unless
        another buffer of that plan is still there: then it is owed to that one."""
        if plan in self._open:
            self._open.remove(plan)
        owed = self._owed.get(plan.path, [])
        for change in list(owed):
            change.shown_by.discard(plan)
        if self.of(plan.path) is not None:
            self._forget_settled(plan.path)
            return []
        self.changed()
        return [change for change in self._owed.pop(plan.path, []) if not change.in_file]

    def owe(self, path: Path, edits_of: EditsOf, about: str) -> Change:
        """Note a change that is about to be made; the plan must be open."""
        change = Change(path, edits_of, about)
        self._owed.setdefault(path, []).append(change)
        return change

    def drop(self, change: Change) -> None:
        """It was not made after all, or there was nothing to do."""
        owed = self._owed.get(change.path, [])
        if change in owed:
            owed.remove(change)
        if not owed:
            self._owed.pop(change.path, None)
        if change.kept is not None:
            self.changed()

    def owe_again(self, changes: Iterable[Change]) -> None:
        """Those that a daemon before this one owed, or that could not be written."""
        for change in changes:
            self._owed.setdefault(change.path, []).append(change)

    def to_keep(self) -> list[Change]:
        """What a later daemon has to know, oldest first."""
        shown = {each.path for each in list(self._open)}
        return [
            change
            for path, changes in list(self._owed.items())
            for change in list(changes)
            if change.kept is not None and (path in shown or not change.in_file)
        ]

    def owed(self, shown: OpenPlan) -> tuple[Change, ...]:
        """The changes that this buffer never had, as far as is known, oldest first."""
        return tuple(change for change in list(self._owed.get(shown.path, ())) if shown not in change.shown_by)

    def lacking(self, shown: OpenPlan, plan: plans.Plan) -> list[Missing]:
        """What is missing in a text of this buffer, oldest first; what it has is noted."""
        missing, there = compared(self.owed(shown), plan)
        for change in there:
            change.shown_by.add(shown)
        self._forget_settled(shown.path)
        return missing

    def saved(self, shown: OpenPlan) -> None:
        """The file has the text of this buffer now, with what it had and without what it never had."""
        for change in list(self._owed.get(shown.path, ())):
            change.in_file = shown in change.shown_by
        self._forget_settled(shown.path)
        self.changed()

    def _forget_settled(self, path: Path) -> None:
        buffers = {each for each in self._open if each.path == path}
        for change in list(self._owed.get(path, ())):
            if change.in_file and buffers <= change.shown_by:
                self.drop(change)


def compared(changes: Sequence[Change], plan: plans.Plan) -> tuple[list[Missing], list[Change]]:
    """The changes that a text does not have, with their edits for it, oldest first; and those that it has. One whose
    task is not in the text is neither."""
    missing: list[Missing] = []
    there: list[Change] = []
    about: set[str] = set()
    for change in reversed(changes):
        try:
            edits = () if change.about in about else change.edits_of(plan)
        except (NotFound, StaleEdit):
            continue
        if edits:
            missing.append((change, edits))
            continue
        there.append(change)
        if change.about:
            about.add(change.about)
    return missing[::-1], there


def with_changes(data: bytes, changes: Sequence[Change]) -> bytes:
    """A text as if it had these changes."""
    for _ in changes:
        missing, _there = compared(changes, plans.parse(data))
        if not missing:
            break
        data = plans.apply(data, missing[0][1])
    return data
