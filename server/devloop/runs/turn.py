"""One turn: reserve budget, ask the model, run its tool calls, take a snapshot. The loop around it is the engine's.

A turn is one durable step, and a step that was killed is begun again. Therefore: the response is on disk before
anything acts on it, the worktree is put back to the last snapshot before tools run again, and the reply file is
the last thing written. A turn that has a reply is finished and only repeats its outcome.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from devloop import tools
from devloop.errors import NoModel
from devloop.models import (
    ModelFailure,
    Request,
    Response,
    conversation,
    limits_of,
    needs_fresh_conversation,
    wait_before_retry,
)
from devloop.redact import Redactor, one_line
from devloop.runs import appointing, hooked_work, knowledge, money, reporting, turn_tools
from devloop.runs.progress import Telling
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.tooling import offered, refusal
from devloop.runs.transcript import Transcript

Outcome = dict[str, Any]
"""`{"outcome": ...}`: go_on, finished, unfit, question, wait, blocked, hand_off, exhausted, stalled, refused or
failed."""

OTHER_TURNS = "what turns of its other parts may cost"
LOOK_S = 0.2
"""How often a part looks whether the budget that it shares has room again."""
MAX_ATTEMPTS = 8
LONGEST_WAIT_S = 15 * 60
FOR_A_PERSON = ("auth", "billing", "permission", "not_found")
"""Failures that a person mends outside; the run waits and then goes on where it was."""


async def take_turn(services: Services, run: str, number: int, attempt: int) -> Outcome:
    """Turn `number` (from 1) of `run`; `attempt` counts the tries of this turn that ended in a wait."""
    spec = services.spec(run)
    transcript = Transcript(services.folder(run), services.redactor)
    if (reply := transcript.reply(number)) is not None:
        return dict(reply["outcome"])
    if (refused := await refusal(services, spec)) is not None:
        return {"outcome": "blocked", "reason": f"{refused.message} {refused.hint}"}
    if transcript.begun(number):
        await services.workspace.restore(run, transcript.snapshot(number))
    transcript.begin_turn(number)
    services.store.update_run(run, commit_id=None)  # an earlier commit is no longer the run's work
    services.set_state(run, "working", turn=number)
    services.events.emit("turn.started", {"turn": number}, run)
    response, started = transcript.response(number), time.time()
    if response is None:
        asked = await _ask(services, spec, transcript, number, attempt)
        if isinstance(asked, dict):
            return asked
        response = without_known_secrets(asked.to_json(), services.redactor)
        transcript.set_response(number, response)
    answer = Response.from_json(response)
    record_turn(services, spec, number, answer, started=started)
    try:
        async with asyncio.timeout(money.remaining_wall_s(services, spec)):
            reply = await _react(services, spec, transcript, number, answer)
    except TimeoutError:
        return {"outcome": "exhausted", "reason": money.WALL_USED_UP}
    if "command" not in reply["outcome"]:  # what the person is asked to allow is what would run
        reply["outcome"] = services.redactor.data(reply["outcome"])
    transcript.set_reply(number, reply)
    outcome = dict(reply["outcome"])
    ended = {"turn": number, "outcome": outcome["outcome"], **money.so_far(services, run)}
    services.events.emit("turn.ended", ended, run)
    return outcome


async def _ask(
    services: Services, spec: RunSpec, transcript: Transcript, number: int, attempt: int
) -> Response | Outcome:
    """The model's answer; or the outcome that ends or delays the turn without one."""
    request = await build_request(services, spec, transcript, number)
    if (sentence := await _reserve(services, spec, number, request)) is not None:
        return {"outcome": "exhausted", "reason": sentence}
    try:
        model = services.model_for(spec)
    except NoModel as problem:
        services.store.release(spec.id, number)
        return {"outcome": "blocked", "reason": f"{problem.message} {problem.hint}"}
    telling = Telling(services, spec.id, number)
    try:
        async with asyncio.timeout(money.remaining_wall_s(services, spec)):
            return await model.turn(request, telling)
    except TimeoutError:
        services.store.release(spec.id, number)
        return {"outcome": "exhausted", "reason": money.WALL_USED_UP}
    except ModelFailure as failure:
        services.store.release(spec.id, number)
        said = services.redactor.text(f"{failure.message} {failure.hint}".strip())
        return _after_failure(failure, said, attempt, fresh=transcript.is_fresh(number))
    except BaseException:
        services.store.release(spec.id, number)
        raise
    finally:
        telling.close()


async def _reserve(services: Services, spec: RunSpec, number: int, request: Request) -> str | None:
    """Why the turn can't be afforded; None: it is reserved. What the run's other parts hold for their turns is waited
    for: they hold a slot each, so it takes no longer than these turns."""
    waited = False
    try:
        async with asyncio.timeout(money.remaining_wall_s(services, spec)):
            while (sentence := money.reserve(services, spec, number, request)) is not None:
                if not money.held_by_others(services, spec, number, request):
                    break
                if not waited:
                    services.wait_for(spec.id, OTHER_TURNS)
                    waited = True
                await asyncio.sleep(LOOK_S)
            return sentence
    except TimeoutError:
        return money.WALL_USED_UP
    finally:
        if waited:
            services.wait_for(spec.id, None)


def without_known_secrets(response: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """An answer as it is kept and acted on: no text or call of it holds a secret of this machine. Thinking goes back as
    it came, because it is signed; what only looks like a secret stays, because a test may need one."""
    signed = ("thinking", "redacted_thinking", "compaction")

    def clean(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each if each.get("type") in signed else redactor.values_in_data(each) for each in blocks]

    raw = dict(response["raw"])
    if "content" in raw:
        raw["content"] = clean(raw["content"])
    return {**response, "content": clean(response["content"]), "raw": raw}


async def build_request(services: Services, spec: RunSpec, transcript: Transcript, number: int) -> Request:
    profile = appointing.profile_of(services, spec)
    return Request(
        model=spec.model,
        system=profile.prompt,
        tools=tools.definitions(await offered(services, spec), profile.finish),
        messages=transcript.messages(number),
        max_tokens=min(services.settings.model.max_tokens, limits_of(spec.model, services.listed).max_output),
        effort=services.settings.model.effort or profile.effort,
    )


def _after_failure(failure: ModelFailure, said: str, attempt: int, *, fresh: bool) -> Outcome:
    """`fresh`: nothing was answered in this conversation yet, so another one would begin with the same words."""
    reason = one_line(said, 400)
    if failure.kind == "context_window" and not fresh:
        return {"outcome": "hand_off", "reason": reason}
    if failure.kind in FOR_A_PERSON:
        return {"outcome": "blocked", "reason": reason}
    if not failure.retryable:
        return {"outcome": "failed", "reason": reason}
    if attempt >= MAX_ATTEMPTS:
        return {"outcome": "blocked", "reason": f"{reason} It was tried {attempt + 1} times."}
    seconds = wait_before_retry(failure, attempt + 1)
    if seconds > LONGEST_WAIT_S:
        return {"outcome": "blocked", "reason": f"{reason} It asks to wait {seconds / 60:.0f} minutes."}
    return {"outcome": "wait", "until": time.time() + seconds, "reason": reason}


def record_turn(services: Services, spec: RunSpec, number: int, answer: Response, *, started: float) -> None:
    """Called once the answer is on disk, and again whenever it is found there: it is recorded once."""
    usage = answer.usage
    row = {
        "run": spec.id,
        "number": number,
        "model": answer.model,
        "scripted": bool(answer.raw.get("scripted")),
        "stop_reason": answer.stop_reason,
        "request_id": answer.request_id,
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "cost_usd": money.price(services, spec.model, usage),
        "tools": [],
        "at": time.time(),
        "duration_s": time.time() - started,
    }
    services.store.add_turn(row)
    services.store.update_run(spec.id, context_tokens=answer.context.total)


async def _react(
    services: Services, spec: RunSpec, transcript: Transcript, number: int, answer: Response
) -> dict[str, Any]:
    """The reply file of this turn: what the answer's stop reason asks for (model-api §10)."""
    reaction = conversation.reaction(
        answer.stop_reason,
        answer.content,
        resent=transcript.in_a_row("resend", number),
        nudged=transcript.in_a_row("nudge", number),
        cut=transcript.in_a_row("continue_cut", number),
        stop_details=answer.stop_details,
    )
    reply: dict[str, Any] = {
        "reaction": reaction.kind,
        "results": [],
        "pending": [],
        "snapshot": transcript.snapshot(number),
        "calls": [],
        "outcome": {"outcome": "go_on"},
    }
    match reaction.kind:
        case "run_tools":
            await turn_tools.run(services, spec, transcript, number, reaction.calls, reply)
        case "finished":
            reply["outcome"] = reporting.judge(spec, transcript, number, None, answer.text.strip())
        case "continue_cut" | "resend" | "nudge" | "compacted":
            pass
        case "fresh_conversation":
            reply["outcome"] = {"outcome": "hand_off", "reason": reaction.reason}
        case "refused" | "stalled":
            reply["outcome"] = {"outcome": reaction.kind, "reason": reaction.reason}
        case _:
            reply["outcome"] = {"outcome": "failed", "reason": reaction.reason}
    reply["outcome"] = await hooked_work.may_stop(services, spec, transcript, number, reply["outcome"])
    summarised = any(block.get("type") == "compaction" and block.get("content") for block in answer.content)
    if summarised and not reply["pending"]:
        # the summary stands for all that was said: what was loaded is given again
        told = await asyncio.to_thread(knowledge.again, services, spec, number, transcript, opening_lost=True)
        if told:
            transcript.answer(number, told)
    listed = services.listed
    threshold = services.settings.checkpoints.context_threshold / 100
    full = needs_fresh_conversation(answer.context, spec.model, fraction=threshold, listed=listed)  # unless compacted
    if reply["outcome"]["outcome"] == "go_on" and full:
        reply["outcome"] = {"outcome": "hand_off", "reason": "The context window is nearly full."}
    return reply
