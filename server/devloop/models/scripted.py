"""The scripted player: a model that answers from a scenario file, for demonstrations and tests. No network, no key."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from devloop.models.assembly import parse_input
from devloop.models.failures import ModelFailure
from devloop.models.scenario import Place, Scenario, ScriptedTurn, load_scenario, place_of, turn_at
from devloop.models.turn import OnProgress, Progress, Request, Response, Usage, canonical

BYTES_PER_TOKEN = 4
CACHE_FLOOR = 1024
"""A shorter prefix is not cached, as with the real models (model-api §8)."""


class ScriptedModel:
    """Implements `Model`. Answers depend on the request only; a failure's `times` are counted in this process."""

    scripted = True

    def __init__(self, scenario: Scenario | Path, name: str = "") -> None:
        self._scenario = load_scenario(scenario) if isinstance(scenario, Path) else scenario
        named = name or (scenario.name if isinstance(scenario, Path) else "")
        self.label = f"scripted player ({named})" if named else "scripted player"
        self._failed: dict[tuple[Any, ...], int] = {}

    async def turn(self, request: Request, on_progress: OnProgress | None = None) -> Response:
        place = place_of(request.messages)
        script = turn_at(self._scenario, place)
        if script is None:
            task = f"task {place.task}" if place.task else "a request without a task"
            raise ModelFailure(
                "malformed",
                f"The scenario has no turn {place.index + 1} for {task} (attempt {place.attempt}).",
                hint="Add the turn to the scenario file.",
            )
        if script.delay_s:
            await asyncio.sleep(script.delay_s)
        self._maybe_fail(script, place)
        content = blocks_of(script, place)
        if on_progress is not None:
            _report(content, on_progress)
        return _response(request, script, place, content)

    def _maybe_fail(self, script: ScriptedTurn, place: Place) -> None:
        fail = script.fail
        if fail is None:
            return
        done = self._failed.get(place.key, 0)
        if fail.times and done >= fail.times:
            return
        self._failed[place.key] = done + 1
        raise ModelFailure(
            fail.kind,
            fail.message or f"The scenario plays a failure here: {fail.kind}.",
            error_code=fail.error_code,
            retry_after_s=fail.retry_after_s,
        )

    async def close(self) -> None:
        return None


def blocks_of(script: ScriptedTurn, place: Place) -> list[dict[str, Any]]:
    """The content blocks of a scripted turn; ids of calls are the same whenever the turn is played."""
    blocks: list[dict[str, Any]] = []
    if script.text:
        blocks.append({"type": "text", "text": script.text})
    for number, call in enumerate(script.calls):
        value = call.input if call.raw_input is None else parse_input(call.raw_input)
        blocks.append({"type": "tool_use", "id": call_id(place, number), "name": call.name, "input": value})
    return blocks


def call_id(place: Place, number: int) -> str:
    return "toolu_" + _tag("call", *place.key, number)


def _tag(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _report(content: list[dict[str, Any]], on_progress: OnProgress) -> None:
    size = 0
    for block in content:
        size += len(canonical(block))
        if block["type"] == "text":
            on_progress(Progress("text", size // BYTES_PER_TOKEN, text=block["text"]))
        else:
            on_progress(Progress("tool_input", size // BYTES_PER_TOKEN, tool=block["name"]))


def _response(request: Request, script: ScriptedTurn, place: Place, content: list[dict[str, Any]]) -> Response:
    usage = usage_of(request, script, content)
    raw = {
        "id": "msg_scripted_" + _tag("message", *place.key),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": content,
        "stop_reason": script.stops,
        "stop_sequence": None,
        "stop_details": script.stop_details,
        "usage": {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation_input_tokens": usage.cache_write,
        },
        "scripted": True,
    }
    return Response(
        id=str(raw["id"]),
        model=request.model,
        content=content,
        stop_reason=script.stops,
        usage=usage,
        stop_details=script.stop_details,
        raw=raw,
    )


def usage_of(request: Request, script: ScriptedTurn, content: list[dict[str, Any]]) -> Usage:
    """Tokens from sizes, about four bytes each; the prompt up to the last answer counts as read from the cache."""
    whole = request.size // BYTES_PER_TOKEN
    answers = [i for i, m in enumerate(request.messages) if m.get("role") == "assistant"]
    read = 0
    if answers:
        before = list(request.messages)[: answers[-1]]
        known = len(canonical({"system": request.system, "tools": list(request.tools)})) + len(canonical(before))
        read = known // BYTES_PER_TOKEN
    read = read if read >= CACHE_FLOOR else 0
    written = whole - read if whole >= CACHE_FLOOR else 0
    said = len(script.thinking.encode()) + sum(len(canonical(block)) for block in content)
    computed = Usage(
        input=whole - read - written,
        output=max(1, said // BYTES_PER_TOKEN),
        cache_read=read,
        cache_write_5m=written,
    )
    given = {key: value for key, value in script.usage.model_dump().items() if value is not None}
    return Usage(**{**computed.to_json(), **given})
