"""The way of checked work onto the plan branch and the person's branch, as a run's workflow sees it.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.engine.verdicts import gate_round, look_again, why
from devloop.engine.waiting import ask, problem, said, without_accepting
from devloop.runs import checkpoint


async def accept(run: str, ready: Outcome, at: Position, summary: str, decision: Outcome) -> Outcome | None:
    """Onto the plan branch, and for `commit` onto the person's branch; `decision` as `deciding.decide` answers it."""
    commit, word = decision["commit"], decision["decision"]
    if ready.get("group"):
        placed = await steps.take_place(run)
        if placed["outcome"] != "placed":
            return placed
    if ready.get("proposes"):
        made, ended = await _propose(run, at, decision)
        if not made:
            return ended
    if commit is not None:
        commit, ended = await _on_top(run, ready, at, commit)
        if commit is None:
            return ended
    by_rule = decision.get("by_rule")
    accepted = await steps.accept(run, commit, f"({by_rule}) {summary}" if by_rule else summary)
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
    if word == "fresh":
        await steps.fresh(run)
    if word == "commit":
        ended = await land(run, ready, at)
    else:
        ended = {"outcome": "accepted", "reason": "", "goes_on": word == "continue"}
    if not ready.get("errand") or ready.get("part_of"):  # a part has its effect with the whole
        return ended
    return await _take_effect(run, at, ended, commit, decision)


async def _on_top(run: str, ready: Outcome, at: Position, commit: str) -> tuple[str | None, Outcome | None]:
    """The commit on top of what was accepted meanwhile, where its gates pass; else None with what follows."""
    while True:
        forecast = await steps.forecast(run, commit)
        if forecast["outcome"] == "conflict":
            return None, await problem(run, at, forecast["reason"], checkpoint.CONFLICTED, commit)
        if forecast["outcome"] != "replayed":
            return None, forecast
        if not forecast["moved"]:
            return commit, None
        commit = str(forecast["commit"])
        checked = await gate_round(run, ready, commit)
        if checked["outcome"] != "gates":
            return None, checked
        if checked["verdict"] != "pass":
            reason = f"on top of the work accepted meanwhile: {why(checked)}"
            return None, await problem(run, at, reason, checkpoint.CONFLICTED, commit)


async def _propose(run: str, at: Position, decision: Outcome) -> tuple[bool, Outcome | None]:
    """The change of the plan that the report asks for, before its own task is ticked. False with what follows, where it
    could not be made and the person decided otherwise."""
    while True:
        done = await steps.propose(run, decision["message"], decision["leave_out"])
        if done["outcome"] == "done":
            return True, None
        chosen = await ask(run, at, kind="problem", problem=said(done), decisions=checkpoint.UNPROPOSED)
        if chosen["decision"] != "recheck":
            return False, await without_accepting(run, at, chosen)


async def _take_effect(run: str, at: Position, ended: Outcome, commit: str | None, decision: Outcome) -> Outcome:
    """What accepting an errand does beside its commit, and the run's end with that."""
    while True:
        done = await steps.effect(run, decision["message"], ended["outcome"], decision["leave_out"])
        if done["outcome"] == "done":
            return {**ended, "goes_on": False}
        chosen = await ask(run, at, kind="problem", problem=said(done), decisions=checkpoint.UNAPPLIED)
        if chosen["decision"] == "recheck":
            continue
        without = f"given up after that: {said(done)}"
        return {"outcome": "discarded" if commit is None else ended["outcome"], "reason": without}


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


async def land_rest(run: str, ready: Outcome, at: Position) -> Outcome:
    """What was accepted before, where the person's branch went on since: the end of a run that does only that."""
    while True:
        landed = await _try_landing(run, ready)
        match landed["outcome"]:
            case "landed":
                return {"outcome": "landed", "reason": ""}
            case "nothing":  # a person merged it: what is there is said of every run all the same
                await steps.land(run, "")
                return {"outcome": "landed", "reason": "it was on your branch already"}
            case "cancelled":
                return {"outcome": "cancelled", "reason": "cancelled by a person; the work is on the plan branch"}
        seen = {"problem": said(landed), "commit": landed.get("commit")}
        decision = await ask(run, at, kind="problem", decisions=checkpoint.UNLANDED_REST, **seen)
        if decision["decision"] != "commit":
            ended = await without_accepting(run, at, decision) or {"outcome": "partial", "reason": ""}
            return {**ended, "reason": f"{ended['reason']}; the work is on the plan branch"}
        wrong = await look_again(run, ready)
        if wrong is not None:
            return wrong


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
            reason = f"On top of your branch as it is now, {why(checked)}."
            return {"outcome": "refused", "reason": reason, "commit": planned["new"]}
    return await steps.land(run, planned["new"])
