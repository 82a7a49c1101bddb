"""Refactorings of a plan: each a function from a plan and a place to edits, checked before they are given out.

    for offer in refactorings(plan, line): ...                          what applies at a line
    carry_out(plan, offer.kind, offer.line, now, answer).edits          its edits

No refactoring of an editor ticks a task: that is devloop's, when its gates have passed (plan-format §15). `complete` is
the tick by hand of the plan's owner.
"""

from __future__ import annotations

from devloop.plan.refactor.archiving import FOLDER, Archive, archivable, archive
from devloop.plan.refactor.convert import kiro, spec_kit
from devloop.plan.refactor.explicit import from_order, from_phases
from devloop.plan.refactor.headings import from_headings
from devloop.plan.refactor.moving import move
from devloop.plan.refactor.offers import Done, Offer, carry_out, refactorings
from devloop.plan.refactor.placing import place
from devloop.plan.refactor.restoring import Restored, restore
from devloop.plan.refactor.splitting import split
from devloop.plan.refactor.states import MARKS, block, complete, mark, marked, reopen, skip, start
from devloop.plan.refactor.waiting import depend

__all__ = [
    "FOLDER",
    "MARKS",
    "Archive",
    "Done",
    "Offer",
    "Restored",
    "archivable",
    "archive",
    "block",
    "carry_out",
    "complete",
    "depend",
    "from_headings",
    "from_order",
    "from_phases",
    "kiro",
    "mark",
    "marked",
    "move",
    "place",
    "refactorings",
    "reopen",
    "restore",
    "skip",
    "spec_kit",
    "split",
    "start",
]
