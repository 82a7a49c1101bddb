"""Who may start in the plan of a buffer: found once and kept while only titles and prose are typed."""

from __future__ import annotations

import asyncio
from typing import Final

from devloop import plan as plans
from devloop.lsp.buffers import Buffer

NAME: Final = "outlook"
MANY: Final = 2_000
"""Tasks of a plan from which on looking at all of them is nothing for the daemon's loop."""


def outlook(buffer: Buffer, plan: plans.Plan) -> plans.Outlook:
    found: plans.Outlook | None = buffer.of_structure.get(NAME)
    if found is None or not found.fits(plan):
        found = plans.Outlook(plan)
        buffer.keep(NAME, plan, found)
    return found


async def settled(buffer: Buffer, plan: plans.Plan, *, waiters: bool = False) -> plans.Outlook:
    """The same with all of it found already. `waiters`: also who waits for whom."""
    found = outlook(buffer, plan)
    if len(plan.tasks) > MANY and not found.settled(waiters=waiters):
        await asyncio.to_thread(found.settle, waiters=waiters)
    return found
