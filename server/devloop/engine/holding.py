"""The commit of a run's work, as its workflow sees it, where hooks may hold it back: bounded, then a person decides.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.engine.waiting import ask, without_accepting
from devloop.runs import checkpoint


async def commit_work(run: str, ready: Outcome, at: Position, summary: str) -> Outcome | None:
    """`committed`; None: the agent goes on. Otherwise the run's end.

    What hooks say goes back to the agent as often as what gates say, unless one wants a person at once.
    """
    while True:
        made = await steps.commit(run, summary)
        if made["outcome"] != "held":
            return made
        if at.rounds < ready["gate_rounds"] and not made["halted"]:
            at.rounds += 1
            told = await steps.tell(run, at.turn, made["text"])
            return None if told["outcome"] == "told" else told
        reason, decisions = made["reason"], checkpoint.UNACCEPTABLE
        decision = await ask(run, at, kind="problem", problem=reason, summary=summary, decisions=decisions)
        if decision["decision"] != "recheck":
            return await without_accepting(run, at, decision)
