"""Who may start in the plan of a buffer: found once and kept while only titles and prose are typed."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from devloop import plan as plans
from devloop.lsp.buffers import Buffer

_known: Final[WeakKeyDictionary[Buffer, plans.Outlook]] = WeakKeyDictionary()


def outlook(buffer: Buffer, plan: plans.Plan) -> plans.Outlook:
    found = _known.get(buffer)
    if found is None or not found.fits(plan):
        found = _known[buffer] = plans.Outlook(plan)
    return found
