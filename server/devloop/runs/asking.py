"""Commands without a sandbox: none runs before the person has seen it and said yes to this one call.

The turn that wants a command runs what stands before it and ends with a question; the call stays open. A yes runs
exactly that call in a durable step of its own, and what came out answers the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from devloop import tools
from devloop.redact import one_line
from devloop.runs import money, paths_told
from devloop.runs.services import Services
from devloop.runs.stall import fingerprint
from devloop.runs.tooling import tool_context
from devloop.runs.transcript import Transcript

ALLOW, DENY = "allow", "deny"
NOT_RUN = "not run: without a sandbox commands are asked for one at a time"
NOT_SHOWN = (
    "not run: without a sandbox the person sees all of a command before it runs, and this one is too long or holds what"
    " looks like a secret. Run shorter commands, one at a time"
)
MOST_SHOWN = 2_000
"""Characters of a command that a person reads before a yes; every face shows that many."""
NOT_ALLOWED = "The person did not allow this command."
_YES = (ALLOW, "yes", "1")
_NO = (DENY, "no", "2")

Outcome = dict[str, Any]


def split(
    calls: Sequence[tools.ToolCall], context: tools.ToolContext
) -> tuple[list[tools.ToolCall], tools.ToolCall | None, list[tools.ToolCall]]:
    """What runs now, the command to ask for, and what is not run because it came after.

    A command that the tools would refuse anyway is no question, and one that a person would not see whole is not asked
    for. After `ask` or `finish` the batch ends, too: the person
    is asked one thing at a time, and a task is not finished before its last command.
    """
    spoken = False
    for index, call in enumerate(calls):
        spoken = spoken or call.name in ("ask", "finish")
        if tools.is_command(call, context):
            before, after = list(calls[:index]), list(calls[index + 1 :])
            return (before, None, [call, *after]) if spoken or not shown_whole(call, context) else (before, call, after)
    return list(calls), None, []


def shown_whole(call: tools.ToolCall, context: tools.ToolContext) -> bool:
    """Whether a person sees all that would run: what hides secrets could hide a command, as between the lines that
    begin and end a private key."""
    text = in_full(str(call.input["command"]))
    return len(text) <= MOST_SHOWN and context.redact(text) == text


def why_not(call: tools.ToolCall, context: tools.ToolContext) -> str:
    """Why a call that came with a command was not run."""
    return NOT_SHOWN if tools.is_command(call, context) and not shown_whole(call, context) else NOT_RUN


def question(services: Services, call: tools.ToolCall) -> Outcome:
    """The outcome of a turn that waits for a yes to `call`."""
    shown = services.redactor.text(in_full(str(call.input["command"])))
    return {
        "outcome": "question",
        "text": f"Run this command without a sandbox?\n$ {shown}",
        "choices": [ALLOW, DENY],
        "command": {"id": call.id, "input": dict(call.input)},
    }


def in_full(command: str) -> str:
    """Every character of a command, the hidden ones by number: a shell acts on what a terminal does not show."""
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\u{{{ord(c):x}}}" for c in command)


def allows(answer: str) -> bool:
    return answer.strip().casefold() in _YES


def denial(answer: str) -> str:
    """What the agent is told after anything but a yes; what else the person wrote is kept."""
    said = answer.strip()
    return NOT_ALLOWED if not said or said.casefold() in _NO else f"{NOT_ALLOWED} They say: {said}"


async def run_allowed(services: Services, run: str, number: int, command: dict[str, Any]) -> Outcome:
    """Run the call that turn `number` left open: `{"outcome": "ran", "text"}`, or exhausted.

    It may be begun again after a crash: then the worktree is first put back to how the turn left it. What it did is
    kept as the turn's snapshot; once that is written, the call is not run again.
    """
    spec = services.spec(run)
    transcript = Transcript(services.folder(run), services.redactor)
    reply = transcript.reply(number)
    assert reply is not None, "a question belongs to a finished turn"
    if "allowed" in reply:
        return {"outcome": "ran", "text": reply["allowed"]}
    if transcript.command_begun(number):
        await services.workspace.restore(run, reply["snapshot"])
    transcript.begin_command(number)
    call = tools.ToolCall(command["id"], "run_command", command["input"])
    services.set_state(run, "working", turn=number)
    about = tools.argument(call, services.redactor.text)
    begun = {"turn": number, "id": call.id, "tool": call.name, "argument": about}
    services.events.emit("tool.started", begun, run)
    try:
        async with asyncio.timeout(money.remaining_wall_s(services, spec)):
            (result,) = await tools.run_batch([call], await tool_context(services, spec))
    except TimeoutError:
        return {"outcome": "exhausted", "reason": money.WALL_USED_UP}
    summary = one_line(result.summary)
    ended = {"turn": number, "id": call.id, "summary": summary, "is_error": result.is_error}
    services.events.emit("tool.ended", ended, run)
    snapshot = await services.workspace.snapshot(run, f"turn {number}, allowed command")
    paths_told.skipped(services, run, snapshot.skipped)
    record = {
        "name": call.name,
        "kind": result.kind,
        "summary": summary,
        "is_error": result.is_error,
        "fingerprint": fingerprint(call.name, call.input, result.content),
    }
    calls = [*reply["calls"], record]
    services.store.set_turn_tools(run, number, calls)
    transcript.set_reply(number, {**reply, "snapshot": snapshot.commit, "calls": calls, "allowed": result.content})
    return {"outcome": "ran", "text": result.content}
