"""Plans that an editor has open: while one is, its buffer is the plan, and the file is what was last saved.

An editor's front-end registers each open plan here. Changes that devloop makes go to the buffer; what the person then
never saves is written to the file when the buffer closes, so that no tick gets lost with an editor that was killed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from devloop import plan as plans

log = logging.getLogger(__name__)

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

    async def plan(self) -> plans.Plan: ...

    async def apply(self, plan: plans.Plan, edits: Sequence[plans.Edit], label: str) -> bool:
        """Ask the editor to change the buffer. True once the buffer holds the change; False when the buffer was
        changed meanwhile. Raises `Unavailable` when this editor can't do it at all."""


class OpenPlans:
    def __init__(self) -> None:
        self._open: list[OpenPlan] = []
        self._unsaved: dict[Path, list[EditsOf]] = {}

    def of(self, path: Path) -> OpenPlan | None:
        """The buffer that counts for this (resolved) path."""
        found = [each for each in self._open if each.path == path]
        return max(found, key=lambda each: each.touched, default=None)

    def opened(self, plan: OpenPlan) -> None:
        self._open.append(plan)

    def closed(self, plan: OpenPlan) -> list[EditsOf]:
        """The buffer is gone. What devloop changed in it and nobody saved has to be written to the file, unless
        another editor still shows that plan."""
        if plan in self._open:
            self._open.remove(plan)
        return [] if self.of(plan.path) else self._unsaved.pop(plan.path, [])

    def changed(self, path: Path, edits_of: EditsOf) -> None:
        """Note a change that is in a buffer, but not in the file."""
        self._unsaved.setdefault(path, []).append(edits_of)

    def saved(self, path: Path) -> None:
        self._unsaved.pop(path, None)
