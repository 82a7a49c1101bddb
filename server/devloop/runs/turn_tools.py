"""The tool calls of one turn: run, told, and answered in the turn's reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from devloop import tools
from devloop.models import conversation
from devloop.redact import one_line
from devloop.runs import asking, hooked_work, knowledge, paths_told, reporting
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.stall import fingerprint, stalled
from devloop.runs.tooling import tool_context
from devloop.runs.transcript import Transcript

Outcome = dict[str, Any]


async def run(
    services: Services,
    spec: RunSpec,
    transcript: Transcript,
    number: int,
    blocks: Sequence[dict[str, Any]],
    reply: dict[str, Any],
) -> None:
    """Run the calls of turn `number` and write into its `reply` what came of them."""
    context = await tool_context(services, spec)
    invalid = {block["id"]: conversation.invalid_input_result(block) for block in blocks}
    calls = [tools.ToolCall(b["id"], b["name"], b["input"]) for b in blocks if invalid[b["id"]] is None]
    asked: tools.ToolCall | None = None
    after: list[tools.ToolCall] = []
    if (await services.sandbox()).state == "off":
        calls, asked, after = asking.split(calls, context)
    around = hooked_work.around_tools(services, spec, number, context)
    told = _Told(services, spec.id, number)
    results = await tools.run_batch(calls, context, on_start=told.started, on_result=told.ended, around=around)
    snapshot = await services.workspace.snapshot(spec.id, f"turn {number}")
    paths_told.skipped(services, spec.id, snapshot.skipped)
    reply["snapshot"] = snapshot.commit
    reply["results"] = [result for result in invalid.values() if result is not None]
    reply["results"] += [
        conversation.tool_result(result.call_id, result.content, is_error=result.is_error)
        for result in (*results, *(tools.not_run(call, asking.why_not(call, context)) for call in after))
        if result.control is None
    ]
    reply["pending"] = [result.call_id for result in results if result.control is not None]
    reply["outcome"] = _control_outcome(spec, transcript, number, results)
    if around is not None and around.halted is not None and reply["outcome"]["outcome"] != "question":
        reply["outcome"] = hooked_work.halted(around.halted)
    if asked is not None:
        reply["pending"].append(asked.id)
        reply["outcome"] = asking.question(services, asked)
    reply["calls"] = _calls(calls, results)
    services.store.set_turn_tools(spec.id, number, reply["calls"])
    await asyncio.to_thread(knowledge.record_loaded, services, spec, number, calls, results)
    if reply["outcome"]["outcome"] == "go_on":
        history = [call for n in range(1, number) for call in (transcript.reply(n) or {}).get("calls", [])]
        if (repeated := stalled([*history, *reply["calls"]])) is not None:
            reason = f"the same call gave the same result three times: {repeated}"
            reply["outcome"] = {"outcome": "stalled", "reason": reason}


class _Told:
    """The events of a turn's calls, as they begin and end."""

    def __init__(self, services: Services, run: str, number: int) -> None:
        self._services, self._run, self._number = services, run, number
        self._began: dict[str, float] = {}

    def started(self, call: tools.ToolCall) -> None:
        self._began[call.id] = time.monotonic()
        about = tools.argument(call, self._services.redactor.text)
        data = {"turn": self._number, "id": call.id, "tool": call.name, "argument": about}
        self._services.events.emit("tool.started", data, self._run)

    def ended(self, result: tools.ToolResult) -> None:
        about = {"summary": one_line(result.summary), "is_error": result.is_error}
        took = round((time.monotonic() - self._began[result.call_id]) * 1000)
        data = {"turn": self._number, "id": result.call_id, **about, "ms": took}
        self._services.events.emit("tool.ended", data, self._run)


def _calls(calls: Sequence[tools.ToolCall], results: Sequence[tools.ToolResult]) -> list[dict[str, Any]]:
    return [
        {
            "name": call.name,
            "kind": result.kind,
            "summary": one_line(result.summary),
            "is_error": result.is_error,
            "fingerprint": fingerprint(call.name, call.input, result.content),
        }
        for call, result in zip(calls, results, strict=True)
    ]


def _control_outcome(
    spec: RunSpec, transcript: Transcript, number: int, results: Sequence[tools.ToolResult]
) -> Outcome:
    for result in results:
        if isinstance(result.control, tools.Ask):
            return {"outcome": "question", "text": result.control.question, "choices": list(result.control.choices)}
    for result in results:
        if isinstance(result.control, tools.Finish):
            return reporting.judge(spec, transcript, number, result.control.result, result.control.summary)
    return {"outcome": "go_on"}
