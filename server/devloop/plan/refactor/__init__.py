"""Refactorings of a plan: each a function from a plan and a place to edits, checked before they are given out.

    for offer in refactorings(plan, line): ...                          what applies at a line
    carry_out(plan, offer.kind, offer.line, now, answer).edits          its edits

Nobody ticks a task here: that is devloop's, when its gates have passed (plan-format §15).
"""

from __future__ import annotations

from devloop.plan.refactor.archiving import FOLDER, Archive, archivable, archive
from devloop.plan.refactor.convert import kiro, spec_kit
from devloop.plan.refactor.explicit import from_order, from_phases
from devloop.plan.refactor.headings import convertible, from_headings
from devloop.plan.refactor.moving import move
from devloop.plan.refactor.offers import Done, Offer, carry_out, refactorings
from devloop.plan.refactor.splitting import split
from devloop.plan.refactor.states import block, reopen, skip, start

__all__ = [
    "FOLDER",
    "Archive",
    "Done",
    "Offer",
    "archivable",
    "archive",
    "block",
    "carry_out",
    "convertible",
    "from_headings",
    "from_order",
    "from_phases",
    "kiro",
    "move",
    "refactorings",
    "reopen",
    "skip",
    "spec_kit",
    "split",
    "start",
]
