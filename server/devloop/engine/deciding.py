"""The decision on work that passed, as a run's workflow sees it; files that it leaves out are left out here.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from collections.abc import Sequence

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.engine.verdicts import gate_round, why
from devloop.engine.waiting import ask, decided, without_asking
from devloop.runs import checkpoint, leaving_out


async def decide(run: str, ready: Outcome, at: Position, summary: str, commit: str | None, checked: Outcome) -> Outcome:
    """The person's decision; or the loop's, where it runs unattended and nothing needs a person's eye.

    Beside what `ask` answers: `commit`, which is to be accepted and on which all gates passed, and what was `left_out`.
    """
    held = any(result["removed"] or result.get("holds") for result in checked["results"])
    whole: Outcome = {"commit": commit, "left_out": []}
    shown: Outcome = {"kind": "decision", "summary": summary, "commit": commit, "decisions": checkpoint.of_work(ready)}
    if commit and not held:
        passed = await without_asking(run, ready, at, **shown)
        if passed is not None or ready["decide"]:
            return {**(passed or decided(ready["decide"])), **whole}
    decision = await ask(run, at, **shown, problem=None)
    while commit and (paths := decision["leave_out"]):
        rest = await _without(run, ready, commit, paths)
        if rest["outcome"] == "green":
            return {**decision, "commit": rest["commit"], "left_out": rest["left_out"]}
        if rest["outcome"] == "cancelled":
            return {**decided("cancel"), **whole}
        if rest["outcome"] != "not_green":
            return {**decided("fail", rest.get("reason")), **whole}
        tried = {"paths": paths, "decision": decision["decision"], "commit": rest["commit"]}
        decision = await ask(run, at, **shown, problem=leaving_out.not_green(paths, rest["reason"]), leave_out=tried)
    return {**decision, **whole}


async def _without(run: str, ready: Outcome, commit: str, paths: Sequence[str]) -> Outcome:
    """The work without these files, and whether that passes: `green`, or `not_green` with the reason."""
    reduced = await steps.leave_out(run, commit, list(paths))
    if reduced["outcome"] == "irreducible":
        return {"outcome": "not_green", "reason": reduced["reason"], "commit": None}
    if reduced["outcome"] != "reduced":
        return reduced
    checked = await gate_round(run, ready, reduced["commit"])
    if checked["outcome"] != "gates":
        return checked
    if checked["verdict"] != "pass":
        return {"outcome": "not_green", "reason": why(checked), "commit": reduced["commit"]}
    return {"outcome": "green", "commit": reduced["commit"], "left_out": reduced["left_out"]}
