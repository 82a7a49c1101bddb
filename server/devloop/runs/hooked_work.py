"""Hooks around an agent's work: what a conversation begins with, each tool call, and whether the agent may stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from devloop import hooks, tools
from devloop.hooks import Place, Verdict
from devloop.redact import printable
from devloop.runs import hooking
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Transcript

Outcome = dict[str, Any]

HELD_AT_MOST: Final = 3
"""Refusals in a row to let an agent stop, after which it may."""
NO_TOOLS: Final = ("finish",)
"""Calls that are no tool calls to hooks: `Stop` tells of them."""


async def session_start(services: Services, spec: RunSpec, source: str) -> str:
    """What hooks add to the first message of a conversation; `source`: startup, resume or compact."""
    verdict = await hooking.fire(services, spec, "SessionStart", subject=(source,), source=source, model=spec.model)
    return f"From hooks of this project:\n{verdict.context}" if verdict.context else ""


@dataclass
class ToolHooks:
    """The hooks around the tool calls of one turn. `halted`: why a person has to say how it goes on."""

    services: Services
    spec: RunSpec
    turn: int
    allowed: frozenset[str] | None
    halted: str | None = None
    _places: dict[str, Place] = field(default_factory=dict)

    async def before(self, call: tools.ToolCall) -> str | None:
        """Why this call is refused; None: it may be made."""
        if self.halted is not None:
            return f"It was not made: a hook stopped the work. {self.halted}"
        if not self._counts(call):
            return None
        verdict = await self._fire("PreToolUse", call)
        if verdict.halted is not None:
            self.halted = verdict.halted
            return f"It was not made: a hook stopped the work. {self.halted}"
        return f"A hook of this project refuses this call.\n{verdict.reason}" if verdict.blocked else None

    async def after(self, call: tools.ToolCall, result: tools.ToolResult) -> tools.ToolResult:
        """The result with what hooks say about it."""
        if result.control is not None or not self._counts(call):
            return result
        response = {"content": result.content, "is_error": result.is_error}
        verdict = await self._fire("PostToolUse", call, response)
        self.halted = self.halted or verdict.halted
        more = [f"A hook of this project objects:\n{verdict.reason}"] if verdict.blocked else []
        more += [f"From a hook of this project:\n{verdict.context}"] if verdict.context else []
        return replace(result, content="\n\n".join((result.content, *more))) if more else result

    def _counts(self, call: tools.ToolCall) -> bool:
        return call.name not in NO_TOOLS and (self.allowed is None or call.name in self.allowed)

    async def _fire(self, event: str, call: tools.ToolCall, response: Mapping[str, Any] | None = None) -> Verdict:
        if not any(ready.hook.event == event for ready in hooking.held_for(self.services, self.spec.id).ready):
            return Verdict()
        if event not in self._places:
            self._places[event] = await hooking.place_of(self.services, self.spec, event)
        return await hooking.fire(
            self.services,
            self.spec,
            event,
            subject=hooks.tool_names(call.name),
            place=self._places[event],
            turn=self.turn,
            call=call,
            response=response,
        )


def around_tools(services: Services, spec: RunSpec, turn: int, context: tools.ToolContext) -> ToolHooks | None:
    """None: the run has no hooks for tool calls."""
    found = hooking.held_for(services, spec.id).ready
    if not any(ready.hook.event in hooks.TOOL_EVENTS for ready in found):
        return None
    return ToolHooks(services, spec, turn, context.allowed)


def halted(reason: str) -> Outcome:
    """The outcome of a turn in which a hook wanted a person to say how it goes on."""
    return {"outcome": "question", "text": f"A hook stopped the work: {reason}\nHow should it go on?", "choices": []}


async def may_stop(services: Services, spec: RunSpec, transcript: Transcript, number: int, outcome: Outcome) -> Outcome:
    """The outcome of turn `number`, in which the agent says that it is finished: as it is, or with what hooks want
    first. After `HELD_AT_MOST` refusals in a row it may stop whatever they say."""
    event = stop_event(spec)
    if outcome["outcome"] != "finished":
        return outcome
    held = held_before(transcript, number)
    if held >= HELD_AT_MOST:
        services.notice(spec.id, f"Hooks held the agent back {held} times in a row; its work is now taken as it is.")
        return outcome
    said = printable(services.redactor.text(str(outcome.get("summary") or "")))
    more: dict[str, Any] = {"stop_hook_active": held > 0, "last_assistant_message": said}
    if event == "SubagentStop":
        names = (spec.agent, f"{spec.agent}:{spec.mode}")
        more |= {"subject": names, "agent_type": spec.agent, "agent_id": spec.id}
    verdict = await hooking.fire(services, spec, event, turn=number, **more)
    if verdict.halted is not None:
        return halted(verdict.halted)
    if verdict.blocked:
        text = f"You can't finish yet: a hook of this project holds you back.\n{verdict.reason}"
        return {"outcome": "unfit", "text": text, "hook": True}
    return outcome


def stop_event(spec: RunSpec) -> str:
    part = spec.task.errand is not None and spec.task.errand.part_of is not None
    return "SubagentStop" if spec.reports or part else "Stop"


def held_before(transcript: Transcript, number: int) -> int:
    """How often in a row before turn `number` hooks did not let the agent stop."""
    count = 0
    for turn in range(number - 1, 0, -1):
        outcome = (transcript.reply(turn) or {}).get("outcome", {})
        if outcome.get("outcome") == "unfit" and outcome.get("hook"):
            count += 1
        elif outcome.get("outcome") in ("finished", "question"):
            break
    return count
