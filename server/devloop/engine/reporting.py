"""The end of a run whose agent only reads, as its workflow sees it: no commit and no gates, a report and a decision.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from devloop.engine import steps
from devloop.engine.accepting import accept
from devloop.engine.position import Outcome, Position
from devloop.engine.waiting import ask, decided, without_accepting, without_asking
from devloop.runs import checkpoint
from devloop.runs.spec import ACCEPTING


async def report_and_ask(run: str, ready: Outcome, at: Position, summary: str) -> Outcome | None:
    """None: the agent goes on. Otherwise the run's end.

    Unattended, a report that a person has to see (it does not fit, or its verdict is not a good one) waits for one.
    """
    found = await steps.findings(run)
    if found["outcome"] != "findings":
        return found
    if ready.get("part_of"):  # the run that gathers asks, for all of them
        decision = decided("stop")
    else:
        shown: Outcome = {"kind": "decision", "summary": summary, "decisions": checkpoint.of_report(ready)}
        passed = await without_asking(run, ready, at, **shown) if found["clear"] else None
        if passed is None and found["clear"] and ready["decide"]:
            passed = decided(ready["decide"])
        decision = passed or await ask(run, at, **shown)
    if decision["decision"] not in ACCEPTING:
        return await without_accepting(run, at, decision)
    return await accept(run, ready, at, summary, {**decision, "commit": None, "left_out": []})
