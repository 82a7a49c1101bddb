"""Checkpoints, as a run's workflow sees them: ask, wait, and what follows a decision that accepts nothing.

Deterministic, as `workflow.py` is.
"""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from devloop.engine import steps
from devloop.engine.position import Outcome, Position
from devloop.errors import as_sentence
from devloop.runs import asking, checkpoint


async def ask(run: str, at: Position, **content: Any) -> Outcome:
    """Open a checkpoint and wait for what the person decides: hours, days, over restarts.

    Answers with `decision`, `message` and `leave_out`.
    """
    at.checkpoint += 1
    opened = await steps.open_checkpoint(run, at.checkpoint, content)
    if opened["outcome"] == "cancelled":
        return decided("cancel")
    if opened["outcome"] != "opened":
        return decided("fail", opened.get("reason"))
    answer = await DBOS.recv_async(f"decision-{at.checkpoint}", timeout_seconds=at.patience_s)
    answer = answer or {"decision": "expire"}  # an older devloop sent no `leave_out`
    now = decided(answer["decision"], answer.get("message"), answer.get("leave_out"))
    await steps.close_checkpoint(run, at.checkpoint, now)
    return now


async def without_asking(run: str, ready: Outcome, at: Position, **content: Any) -> Outcome | None:
    """The decision that the loop's rule makes on work that passed, recorded as such; None: somebody decides."""
    if ready.get("fresh") and ready["decide"]:
        word = "fresh"
    elif ready.get("when", "each-task") != "each-task":  # an older devloop knew no other
        word = "continue"
    else:
        return None
    passed = await steps.by_rule(run, at.checkpoint + 1, content, word)
    if passed["outcome"] == "due":
        return None
    if passed["outcome"] == "cancelled":
        return decided("cancel")
    if passed["outcome"] != "passed":
        return decided("fail", passed.get("reason"))
    at.checkpoint += 1
    return {**decided(word), "by_rule": passed["said"]}


def decided(decision: str, message: str | None = None, leave_out: list[str] | None = None) -> Outcome:
    """A decision as `ask` answers it."""
    return {"decision": decision, "message": message or "", "leave_out": leave_out or []}


async def question(run: str, at: Position, asked: Outcome) -> Outcome | None:
    shown = {"text": asked["text"], "choices": asked["choices"]}
    answer = await ask(run, at, kind="question", question=shown, decisions=checkpoint.QUESTION)
    if answer["decision"] != "answer":
        return await without_accepting(run, at, answer)
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


async def problem(run: str, at: Position, text: str, decisions: list[str], commit: str | None) -> Outcome | None:
    decision = await ask(run, at, kind="problem", problem=text, decisions=decisions, commit=commit)
    return await without_accepting(run, at, decision)


async def without_accepting(run: str, at: Position, decision: Outcome) -> Outcome | None:
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


def said(refused: Outcome) -> str:
    reason, hint = refused.get("reason") or "", refused.get("hint") or ""
    return f"{as_sentence(reason)} {hint}" if reason and hint else reason or hint
