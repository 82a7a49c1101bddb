"""The gates of a run, as its workflow sees them: a round of all of them, and what follows when they are not green.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.runs import checks, leaks

REPEATS = 3
"""The same failure of the gates this often in a row: the agent goes in circles."""


async def gate_round(run: str, ready: Outcome, commit: str) -> Outcome:
    """All gates on one commit, cheap ones first. `verdict` is the worst of the required ones."""
    results: list[Outcome] = []
    built = True
    for declared in ready["gates"]:
        if not built:
            results.append(checks.skipped(declared, "the build failed"))
            continue
        result = await steps.gate(run, commit, declared, len(ready["gates"]))
        if result["outcome"] != "checked":
            return result
        results.append(result)
        built = declared["kind"] != "build" or result["verdict"] == "pass"
    if ready.get("only"):
        result = await steps.only(run, commit, ready["only"])
        if result["outcome"] != "checked":
            return result
        results.append(result)
    # Looks of devloop's own, in runs that an older devloop did not begin. That they find nothing proves no work.
    looks: list[Outcome] = []
    for asked, look in (("searched", steps.leaks), ("guarded", steps.guards)):
        if ready.get(asked):
            result = await look(run, commit)
            if result["outcome"] != "checked":
                return result
            looks.append(result)
    verdict = checks.worst([*results, *(each for each in looks if each["verdict"] != "pass")])
    return {"outcome": "gates", "verdict": verdict, "results": [*results, *looks]}


async def look_again(run: str, ready: Outcome) -> Outcome | None:
    """Take up gates that a person declared since a run began without any; what went wrong with that, else None."""
    if ready.get("looks_again") and not ready["gates"]:
        found = await steps.gates_now(run)
        if found["outcome"] != "found":
            return found
        ready["gates"] = found["gates"]
    return None


async def feed_back(run: str, ready: Outcome, at: Position, commit: str, checked: Outcome) -> Outcome | None:
    """Give failures back to the agent, a bounded number of times; None when it is the person's turn."""
    if checked["verdict"] != "fail":
        return None
    fingerprint = repr(sorted((r["gate"], r["fingerprint"]) for r in checked["results"] if r["verdict"] == "fail"))
    at.repeats = at.repeats + 1 if fingerprint == at.fingerprint else 1
    at.fingerprint = fingerprint
    holds = [r for r in checked["results"] if r["verdict"] == "fail" and r["required"]]
    if at.repeats > 1 and all(r["gate"] == leaks.NAME for r in holds):
        return None  # told once; only a person can say that it is none
    if at.repeats >= REPEATS:
        return {"outcome": "stalled", "reason": f"the same failure again and again: {why(checked)}"}
    if at.rounds >= ready["gate_rounds"]:
        return None
    at.rounds += 1
    feedback = await steps.feedback(run, commit)
    if feedback["outcome"] != "feedback":
        return feedback
    return await steps.tell(run, at.turn, feedback["text"])


def why(checked: Outcome) -> str:
    bad = [r for r in checked["results"] if r["verdict"] != "pass" and r["required"]]
    if not bad:
        return (
            "no required gate was found, so nothing proves the work; declare one in .devloop/config.toml, trust it "
            "with `devloop trust`, and have the work checked again"
        )
    return "; ".join(f"{r['gate']}: {r['verdict']}" + (f" ({r['reason']})" if r["reason"] else "") for r in bad)
