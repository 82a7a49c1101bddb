"""A run as a durable workflow: read it from top to bottom.

Everything here is deterministic (engine §5 rule 3): no clock, no files, no settings; what varies comes out of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbos import DBOS, SetWorkflowID

from devloop.engine import steps
from devloop.engine.context import context
from devloop.runs import asking, checkpoint, checks
from devloop.runs.spec import ACCEPTING

REPEATS = 3
"""The same failure of the gates this often in a row: the agent goes in circles."""

Outcome = dict[str, Any]


@dataclass
class Position:
    """Where the workflow stands; rebuilt from step outputs when it is replayed."""

    turn: int = 0
    rounds: int = 0
    checkpoint: int = 0
    fingerprint: str = ""
    repeats: int = 0
    """How often in a row the gates failed with this fingerprint."""
    patience_s: float = 30 * 86400.0
    """How long a checkpoint waits. After it the run ends as `partial`; the work stays on the run's branch."""


@DBOS.workflow(name="run", max_recovery_attempts=None)
async def run_workflow(run: str) -> str:
    """One attempt at one task, to its end. Answers with the outcome."""
    context().alive.add(run)
    try:
        context().recoveries.begin(run)
        ready = await steps.prepare(run)
        if ready["outcome"] != "ready":
            return await _end(run, ready)
        ended = await _until_accepted(run, ready, Position(patience_s=ready["patience_s"]))
        outcome = await _end(run, ended)
        if ended.get("goes_on"):
            following = await steps.next_run(run)
            if following.get("run"):
                await start(following["run"])
        return outcome
    finally:
        context().alive.discard(run)


async def start(run: str) -> None:
    """Start the workflow of a recorded run; starting it twice attaches to the first.

    Its place in the queue is taken here: whose workflow comes to its first step sooner is chance.
    """
    row = context().services.store.run(run)
    if row is not None and row["state"] == "queued":
        context().slots.ask(run)
    with SetWorkflowID(workflow_id(run)):
        await DBOS.start_workflow_async(run_workflow, run)


def workflow_id(run: str) -> str:
    return f"{context().services.state.path.name}/{run}"


async def send_decision(run: str, number: int, decision: str, message: str) -> None:
    """Wake the run at checkpoint `number`. One topic and one key per checkpoint: no answer is taken by another."""
    await DBOS.send_async(
        workflow_id(run),
        {"decision": decision, "message": message},
        topic=f"decision-{number}",
        idempotency_key=f"{workflow_id(run)}/checkpoint-{number}",
    )


async def _until_accepted(run: str, ready: Outcome, at: Position) -> Outcome:
    """Work, check, ask; again after a revision. Answers with the run's end."""
    while True:
        worked = await _work(run, at)
        if worked["outcome"] == "question":
            answered = await _question(run, at, worked)
            if answered is not None:
                return answered
            continue
        if worked["outcome"] == "blocked":
            at.turn -= 1  # it was not made: words for the agent follow the one before, and it is tried again
            ended = await _problem(run, at, worked["reason"], checkpoint.PAUSED, None)
            if ended is not None:
                return ended
            continue
        if worked["outcome"] != "finished":
            return worked
        ended = await _check_and_ask(run, ready, at, worked["summary"])
        if ended is not None:
            return ended


async def _work(run: str, at: Position) -> Outcome:
    """Turn after turn, until the agent is finished, asks, or can't go on."""
    attempt = 0
    at.turn += 1
    while True:
        outcome = await steps.turn(run, at.turn, attempt)
        match outcome["outcome"]:
            case "go_on":
                at.turn, attempt = at.turn + 1, 0
            case "wait":
                attempt += 1
                waited = await steps.pause(run, outcome["until"], outcome["reason"])
                if waited["outcome"] != "waited":
                    return waited
            case "hand_off":
                handed = await steps.hand_off(run, at.turn)
                if handed["outcome"] != "handed_off":
                    return handed
                at.turn, attempt = handed["turn"] + 1, 0
            case _:
                return outcome


async def _check_and_ask(run: str, ready: Outcome, at: Position, summary: str) -> Outcome | None:
    """None: the agent goes on. Otherwise the run's end."""
    committed = await steps.commit(run, summary)
    if committed["outcome"] != "committed":
        return committed
    commit = committed["commit"]
    while True:
        checked = await _gates(run, ready, commit or ready["base"])
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] == "pass":
            decision = await _decide(run, ready, at, summary, commit, checked)
        else:
            again = await _feed_back(run, ready, at, commit or ready["base"], checked)
            if again is not None:
                return None if again["outcome"] == "told" else again
            decision = await _ask(
                run,
                at,
                kind="problem",
                problem=_why(checked),
                summary=summary,
                commit=commit,
                decisions=checkpoint.UNACCEPTABLE,
            )
        if decision["decision"] == "recheck":
            at.fingerprint = ""  # the agent changed nothing since: the same failure once more is no sign of circles
            continue
        if decision["decision"] not in ACCEPTING or checked["verdict"] != "pass":
            return await _without_accepting(run, at, decision)
        return await _accept(run, ready, at, summary, commit, decision["decision"])


async def _gates(run: str, ready: Outcome, commit: str) -> Outcome:
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
    return {"outcome": "gates", "verdict": checks.worst(results), "results": results}


async def _feed_back(run: str, ready: Outcome, at: Position, commit: str, checked: Outcome) -> Outcome | None:
    """Give failures back to the agent, a bounded number of times; None when it is the person's turn."""
    if checked["verdict"] != "fail":
        return None
    fingerprint = repr(sorted((r["gate"], r["fingerprint"]) for r in checked["results"] if r["verdict"] == "fail"))
    at.repeats = at.repeats + 1 if fingerprint == at.fingerprint else 1
    at.fingerprint = fingerprint
    if at.repeats >= REPEATS:
        return {"outcome": "stalled", "reason": f"the same failure again and again: {_why(checked)}"}
    if at.rounds >= ready["gate_rounds"]:
        return None
    at.rounds += 1
    feedback = await steps.feedback(run, commit)
    if feedback["outcome"] != "feedback":
        return feedback
    return await steps.tell(run, at.turn, feedback["text"])


def _why(checked: Outcome) -> str:
    if not checked["results"]:
        return "no gate was found, so nothing proves the work; declare one in .devloop/config.toml"
    bad = [r for r in checked["results"] if r["verdict"] != "pass" and r["required"]]
    return "; ".join(f"{r['gate']}: {r['verdict']}" + (f" ({r['reason']})" if r["reason"] else "") for r in bad)


async def _decide(
    run: str, ready: Outcome, at: Position, summary: str, commit: str | None, checked: Outcome
) -> Outcome:
    """The person's decision; or the loop's, where it runs unattended and nothing needs a person's eye."""
    removed = any(result["removed"] for result in checked["results"])
    if ready["decide"] and commit and not removed:
        return {"decision": ready["decide"], "message": ""}
    return await _ask(
        run, at, kind="decision", summary=summary, commit=commit, decisions=checkpoint.ACCEPTABLE, problem=None
    )


async def _ask(run: str, at: Position, **content: Any) -> Outcome:
    """Open a checkpoint and wait for what the person decides: hours, days, over restarts."""
    at.checkpoint += 1
    opened = await steps.open_checkpoint(run, at.checkpoint, content)
    if opened["outcome"] != "opened":
        return (
            {"decision": "cancel", "message": ""}
            if opened["outcome"] == "cancelled"
            else {
                "decision": "fail",
                "message": opened.get("reason", ""),
            }
        )
    answer = await DBOS.recv_async(f"decision-{at.checkpoint}", timeout_seconds=at.patience_s)
    if answer is None:
        answer = {"decision": "expire", "message": ""}
    await steps.close_checkpoint(run, at.checkpoint, answer["decision"], answer.get("message") or "")
    return {"decision": answer["decision"], "message": answer.get("message") or ""}


async def _question(run: str, at: Position, asked: Outcome) -> Outcome | None:
    question = {"text": asked["text"], "choices": asked["choices"]}
    answer = await _ask(run, at, kind="question", question=question, decisions=checkpoint.QUESTION)
    if answer["decision"] != "answer":
        return await _without_accepting(run, at, answer)
    words = answer["message"]
    if "command" in asked:
        if asking.allows(words):
            ran = await steps.run_allowed(run, at.turn, asked["command"])
            if ran["outcome"] != "ran":
                return ran
            words = ran["text"]
        else:
            words = asking.denial(words)
    told = await steps.tell(run, at.turn, words)
    return None if told["outcome"] == "told" else told


async def _problem(run: str, at: Position, problem: str, decisions: list[str], commit: str | None) -> Outcome | None:
    decision = await _ask(run, at, kind="problem", problem=problem, decisions=decisions, commit=commit)
    return await _without_accepting(run, at, decision)


async def _without_accepting(run: str, at: Position, decision: Outcome) -> Outcome | None:
    """What follows a decision that does not accept the work; None when the agent goes on."""
    message = decision["message"]
    match decision["decision"]:
        case "revise":
            at.rounds, at.fingerprint = 0, ""
            told = await steps.tell(run, at.turn, message or "Go on with the task.")
            return None if told["outcome"] == "told" else told
        case "discard":
            return {"outcome": "discarded", "reason": message or "discarded by a person"}
        case "block":
            return {"outcome": "blocked", "reason": message or "blocked by a person"}
        case "cancel":
            return {"outcome": "cancelled", "reason": "cancelled by a person"}
        case "expire":
            return {"outcome": "partial", "reason": "nobody decided"}
        case "fail":
            return {"outcome": "failed", "reason": message}
        case _:
            return {"outcome": "partial", "reason": message or "stopped by a person"}


async def _accept(
    run: str, ready: Outcome, at: Position, summary: str, commit: str | None, decision: str
) -> Outcome | None:
    """Onto the plan branch, and for `commit` onto the person's branch."""
    while commit is not None:
        forecast = await steps.forecast(run, commit)
        if forecast["outcome"] == "conflict":
            return await _problem(run, at, forecast["reason"], checkpoint.CONFLICTED, commit)
        if forecast["outcome"] != "replayed":
            return forecast
        if not forecast["moved"]:
            break
        commit = str(forecast["commit"])
        checked = await _gates(run, ready, commit)
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] != "pass":
            reason = f"on top of the work accepted meanwhile: {_why(checked)}"
            return await _problem(run, at, reason, checkpoint.CONFLICTED, commit)
    accepted = await steps.accept(run, commit, summary)
    if accepted["outcome"] == "moved":
        return await _accept(run, ready, at, summary, commit, decision)
    if accepted["outcome"] == "refused":
        chosen = await _ask(
            run,
            at,
            kind="problem",
            problem=_said(accepted),
            summary=summary,
            commit=commit,
            decisions=checkpoint.REFUSED,
        )
        if chosen["decision"] == "recheck":
            return await _accept(run, ready, at, summary, commit, decision)
        return await _without_accepting(run, at, chosen)
    if accepted["outcome"] != "accepted":
        return accepted
    if decision == "fresh":
        await steps.fresh(run)
    if decision == "commit":
        return await _land(run, ready, at)
    return {"outcome": "accepted", "reason": "", "goes_on": decision in ("continue", "commit")}


async def _land(run: str, ready: Outcome, at: Position) -> Outcome:
    """Until the commits are on the person's branch, or the person leaves them on the plan branch."""
    while True:
        landed = await _try_landing(run, ready)
        if landed["outcome"] == "landed":
            return {"outcome": "landed", "reason": "", "goes_on": True}
        if landed["outcome"] == "nothing":
            return {"outcome": "accepted", "reason": "there was nothing to land", "goes_on": True}
        if landed["outcome"] == "cancelled":
            return {"outcome": "accepted", "reason": "the landing was cancelled; the work is on the plan branch"}
        decision = await _ask(run, at, kind="problem", problem=_said(landed), decisions=checkpoint.UNLANDED)
        if decision["decision"] != "commit":
            goes_on = decision["decision"] == "continue"
            return {"outcome": "accepted", "reason": "the work is on the plan branch", "goes_on": goes_on}


def _said(refused: Outcome) -> str:
    return " ".join(filter(None, (refused.get("reason"), refused.get("hint"))))


async def _try_landing(run: str, ready: Outcome) -> Outcome:
    planned = await steps.plan_landing(run)
    if planned["outcome"] != "planned":
        return planned
    if planned["nothing"]:
        return {"outcome": "nothing"}
    if planned["needs_gates"]:
        checked = await _gates(run, ready, planned["new"])
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] != "pass":
            return {"outcome": "refused", "reason": f"On top of your branch as it is now, {_why(checked)}."}
    return await steps.land(run, planned["new"])


async def _end(run: str, ended: Outcome) -> str:
    finished = await steps.finish(run, ended["outcome"], _said(ended))
    return str(finished["outcome"])
