"""The way of checked work onto the plan branch and the person's branch, as a run's workflow sees it.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.engine.verdicts import gate_round, why
from devloop.engine.waiting import ask, problem, said, without_accepting
from devloop.runs import checkpoint


async def accept(run: str, ready: Outcome, at: Position, summary: str, decision: Outcome) -> Outcome | None:
    """Onto the plan branch, and for `commit` onto the person's branch; `decision` as `deciding.decide` answers it."""
    commit, word = decision["commit"], decision["decision"]
    while commit is not None:
        forecast = await steps.forecast(run, commit)
        if forecast["outcome"] == "conflict":
            return await problem(run, at, forecast["reason"], checkpoint.CONFLICTED, commit)
        if forecast["outcome"] != "replayed":
            return forecast
        if not forecast["moved"]:
            break
        commit = str(forecast["commit"])
        checked = await gate_round(run, ready, commit)
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] != "pass":
            reason = f"on top of the work accepted meanwhile: {why(checked)}"
            return await problem(run, at, reason, checkpoint.CONFLICTED, commit)
    accepted = await steps.accept(run, commit, summary)
    if accepted["outcome"] == "moved":
        return await accept(run, ready, at, summary, {**decision, "commit": commit})
    if accepted["outcome"] == "refused":
        chosen = await ask(
            run,
            at,
            kind="problem",
            problem=said(accepted),
            summary=summary,
            commit=commit,
            decisions=checkpoint.REFUSED,
        )
        if chosen["decision"] == "recheck":
            return await accept(run, ready, at, summary, {**decision, "commit": commit})
        return await without_accepting(run, at, chosen)
    if accepted["outcome"] != "accepted":
        return accepted
    if decision["left_out"]:
        await steps.set_aside(run, decision["left_out"])
    if ready.get("errand"):
        ended = await _take_effect(run, at, decision)
        if ended is not None or word != "commit":
            return ended or {"outcome": "accepted", "reason": "", "goes_on": False}
    if word == "fresh":
        await steps.fresh(run)
    if word == "commit":
        return await land(run, ready, at)
    return {"outcome": "accepted", "reason": "", "goes_on": word in ("continue", "commit")}


async def _take_effect(run: str, at: Position, decision: Outcome) -> Outcome | None:
    """What accepting an errand does beside its commit. None: it is done, or the person gave it up."""
    while True:
        done = await steps.effect(run, decision["message"])
        if done["outcome"] == "done":
            return None
        chosen = await ask(run, at, kind="problem", problem=said(done), decisions=checkpoint.REFUSED)
        if chosen["decision"] != "recheck":
            return await without_accepting(run, at, chosen)


async def land(run: str, ready: Outcome, at: Position) -> Outcome:
    """Until the commits are on the person's branch, or the person leaves them on the plan branch."""
    while True:
        landed = await _try_landing(run, ready)
        if landed["outcome"] == "landed":
            return {"outcome": "landed", "reason": "", "goes_on": True}
        if landed["outcome"] == "nothing":
            return {"outcome": "accepted", "reason": "there was nothing to land", "goes_on": True}
        if landed["outcome"] == "cancelled":
            return {"outcome": "accepted", "reason": "the landing was cancelled; the work is on the plan branch"}
        decision = await ask(run, at, kind="problem", problem=said(landed), decisions=checkpoint.UNLANDED)
        if decision["decision"] != "commit":
            goes_on = decision["decision"] == "continue"
            return {"outcome": "accepted", "reason": "the work is on the plan branch", "goes_on": goes_on}


async def _try_landing(run: str, ready: Outcome) -> Outcome:
    planned = await steps.plan_landing(run)
    if planned["outcome"] != "planned":
        return planned
    if planned["nothing"]:
        return {"outcome": "nothing"}
    if planned["needs_gates"]:
        checked = await gate_round(run, ready, planned["new"])
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] != "pass":
            return {"outcome": "refused", "reason": f"On top of your branch as it is now, {why(checked)}."}
    return await steps.land(run, planned["new"])
