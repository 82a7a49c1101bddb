"""From a scripted turn to a message and to the events of its stream (model-api §13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import cycle
from typing import Any

from devloop.models.scenario import Place, ScriptedFailure, ScriptedTurn
from devloop.models.scripted import call_id
from double.flat import Part
from double.refusal import Refusal
from double.signing import sign, sign_summary
from double.wire import Wire

_FAILURES = {
    "rate_limited": "rate_limit_error",
    "overloaded": "overloaded_error",
    "server": "api_error",
    "timeout": "timeout_error",
    "auth": "authentication_error",
    "billing": "billing_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "invalid_request": "invalid_request_error",
    "context_window": "invalid_request_error",
}


def refusal_for(fail: ScriptedFailure, wire: Wire) -> Refusal | None:
    """The error that plays a failure; None for one that is no HTTP answer (`connection`, `malformed`)."""
    if fail.kind not in _FAILURES:
        return None
    text = fail.message or (
        "prompt is too long: 1000001 tokens > 1000000 maximum" if fail.kind == "context_window" else ""
    )
    return Refusal(
        text or f"The scenario plays {fail.kind}.",
        wire.error_type or _FAILURES[fail.kind],
        status=wire.error_status,
        error_code=fail.error_code,
        headers={**_retry_after(fail.retry_after_s, wire), **wire.headers},
    )


def _retry_after(seconds: float | None, wire: Wire) -> dict[str, str]:
    if seconds is None:
        return {}
    if wire.retry_after == "ms":
        return {"retry-after-ms": str(int(seconds * 1000))}
    if wire.retry_after == "date":
        return {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}
    return {"retry-after": str(int(seconds) if seconds == int(seconds) else seconds)}


def summary_block(wire: Wire, place: Place) -> dict[str, Any]:
    """The compaction block of an answer, null keys included as the real API sends them."""
    if not wire.compaction:
        return {"type": "compaction", "content": None, "encrypted_content": None}
    signature = sign_summary(wire.compaction, place)
    return {"type": "compaction", "content": wire.compaction, "encrypted_content": None, "signature": signature}


def blocks(turn: ScriptedTurn, wire: Wire, place: Place, before: list[Part]) -> list[dict[str, Any]]:
    """The blocks of an answer. A tool call holds the text of its input under `_raw`, valid JSON or not."""
    found: list[dict[str, Any]] = []
    if wire.compaction is not None:
        found.append(summary_block(wire, place))
    if turn.thinking:
        found.append({"type": "thinking", "thinking": turn.thinking, "signature": sign(turn.thinking, before)})
    if turn.text:
        found.append({"type": "text", "text": turn.text})
    found.extend(dict(block) for block in wire.extra_blocks)
    for number, call in enumerate(turn.calls):
        raw = json.dumps(call.input, ensure_ascii=False) if call.raw_input is None else call.raw_input
        found.append({"type": "tool_use", "id": call_id(place, number), "name": call.name, "input": {}, "_raw": raw})
    return found


def whole_message(message: dict[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer to a request without `stream`."""
    return {**message, "content": [_finished(block) for block in content]}


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    if "_raw" not in block:
        return block
    try:
        value = json.loads(block["_raw"] or "{}")
    except ValueError:
        value = block["_raw"]
    return {**{key: item for key, item in block.items() if key != "_raw"}, "input": value}


def stream(message: dict[str, Any], content: list[dict[str, Any]], wire: Wire) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and data of the events, in order. `message` is the finished one without content."""
    for event in _plain(message, content, wire):
        yield event
        if event[0] == "message_stop":
            return
        if wire.pings:
            yield ("ping", {"type": "ping"})
        if wire.unknown_events:
            yield ("weather_report", {"type": "weather_report", "index": 0, "sky": "clear"})


def _plain(message: dict[str, Any], content: list[dict[str, Any]], wire: Wire) -> Iterator[tuple[str, dict[str, Any]]]:
    usage = message["usage"]
    start = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_details": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield _event("message_start", message=start)
    for index, block in enumerate(content):
        yield from _block(index, block, wire)
    delta = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    last: dict[str, Any] = {"delta": delta}
    if wire.usage_in_delta == "output":
        last["usage"] = {"output_tokens": usage["output_tokens"]}
    elif wire.usage_in_delta == "full":
        last["usage"] = {**usage}
    yield _event("message_delta", **last)
    yield _event("message_stop")


def _block(index: int, block: dict[str, Any], wire: Wire) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = block["type"]
    streamed = {"text": "text", "thinking": "thinking"}.get(kind)
    start = {key: value for key, value in block.items() if key != "_raw"}
    if streamed:
        start[streamed] = ""
    if kind == "thinking":
        start["signature"] = ""
    if kind == "compaction":
        start["content"] = None
    yield _event("content_block_start", index=index, content_block=start)
    if wire.unknown_deltas:
        yield _event("content_block_delta", index=index, delta={"type": "mood_delta", "mood": "calm"})
    if streamed:
        for piece in _pieces(block[streamed], wire.cuts):
            yield _event("content_block_delta", index=index, delta={"type": f"{kind}_delta", streamed: piece})
    if kind == "thinking":
        yield _event(
            "content_block_delta", index=index, delta={"type": "signature_delta", "signature": block["signature"]}
        )
    if kind == "compaction":  # whole, in one piece; the signature came with the start
        delta = {"type": "compaction_delta", "content": block["content"], "encrypted_content": None}
        yield _event("content_block_delta", index=index, delta=delta)
    if "_raw" in block:
        for piece in ["", *_pieces(block["_raw"], wire.cuts)]:
            yield _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece})
    yield _event("content_block_stop", index=index)


def _event(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return name, {"type": name, **data}


def _pieces(text: str, cuts: tuple[int, ...]) -> Iterator[str]:
    lengths, at = cycle(cuts), 0
    while at < len(text):
        length = max(1, next(lengths))
        yield text[at : at + length]
        at += length


def encode(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
