"""An errand that several agents do at the same time, as its workflow sees it: begin their runs, wait, put their reports
together, and ask once.

Deterministic, as `workflow.py` is. The members are runs like any other, with a budget, a transcript and a sandbox of
their own; only the run that gathers has a decision for a person. It does no work itself, so it holds no slot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.engine.reporting import report_and_ask

Start = Callable[[str], Awaitable[None]]


async def gather(run: str, ready: Outcome, at: Position, start: Start) -> Outcome:
    """The run's end."""
    begun = await steps.begin_members(run)
    if begun["outcome"] != "begun":
        return begun
    for member in begun["runs"]:
        await start(member)
    waited = await steps.members_ended(run, begun["runs"])
    if waited["outcome"] != "ended":
        await steps.cancel_members(run, begun["runs"])
        return waited
    gathered = await steps.gather_reports(run, begun["runs"])
    if gathered["outcome"] != "gathered":
        return gathered
    return await report_and_ask(run, ready, at, gathered["summary"]) or {
        "outcome": "partial",
        "reason": "nobody decided",
    }
