"""From the events of a stream to one whole answer (model-api §13). Pure.

Not the SDK's accumulator, on purpose: that one raises on a tool input that is no JSON, forgets `usage.iterations` and
rewrites blocks it does not know, while the raw JSON has to go back unchanged. Tests hold the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devloop.models.conversation import encodable
from devloop.models.failures import ModelFailure, from_error
from devloop.models.turn import INVALID_INPUT_KEY, OnProgress, Progress, Response, Usage

_TOOL_BLOCKS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_BYTES_PER_TOKEN = 4


class Assembly:
    """Feed it every event with `add`; `done` after `message_stop`; then `response()`.

    Raises `ModelFailure`: what an error event says, or `malformed` for a stream that breaks the grammar. Unknown events
    and unknown deltas are ignored.
    """

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self._message: dict[str, Any] | None = None
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}
        self._usage: dict[str, Any] = {}
        self._received = 0
        self._on_progress = on_progress
        self.done = False

    def add(self, name: str | None, data: str) -> None:
        """One server-sent event: its name and its data as text."""
        if name == "ping" or not data:
            return
        try:
            event = json.loads(data)
        except ValueError:
            if name == "error":
                raise from_error(status=None, body=data) from None
            raise _malformed("an event that is no JSON") from None
        if not isinstance(event, dict):
            raise _malformed("an event that is no JSON object")
        kind = event.get("type", name)
        if kind == "error":
            raise from_error(status=None, body=event)
        handler = _HANDLERS.get(str(kind))
        early = self._message is None and kind != "message_start"
        if handler is None or self.done or early:  # the SDK's reader lets what comes too early pass as well
            return
        try:
            handler(self, event)
        except (KeyError, TypeError, AttributeError) as problem:
            raise _malformed(f"a {kind} event without its parts ({problem})") from None

    def _start(self, event: Mapping[str, Any]) -> None:
        if self._message is not None:
            raise _malformed("a second message_start")
        self._message = dict(event["message"])
        self._usage = dict(self._message.get("usage") or {})

    def _block_start(self, event: Mapping[str, Any]) -> None:
        index = int(event["index"])
        if index in self._blocks:
            raise _malformed(f"block {index} twice")
        block = dict(event["content_block"])
        self._blocks[index] = block
        if block.get("type") in _TOOL_BLOCKS:
            self._inputs[index] = []
            self._tell("tool_input", "", block)

    def _delta(self, event: Mapping[str, Any]) -> None:
        index, delta = int(event["index"]), event["delta"]
        block = self._blocks[index]
        kind = delta["type"]
        if kind == "text_delta":
            block["text"] = str(block.get("text") or "") + delta["text"]
            self._tell("text", delta["text"], block)
        elif kind == "thinking_delta":
            block["thinking"] = str(block.get("thinking") or "") + delta["thinking"]
            self._tell("thinking", delta["thinking"], block)
        elif kind == "signature_delta":
            block["signature"] = delta["signature"]
        elif kind == "input_json_delta":
            self._inputs.setdefault(index, []).append(delta["partial_json"])
            self._tell("tool_input", delta["partial_json"], block)
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        elif kind == "compaction_delta":
            block.update({key: value for key, value in delta.items() if key != "type"})

    def _block_stop(self, event: Mapping[str, Any]) -> None:
        block = self._blocks[int(event["index"])]
        for key in ("text", "thinking"):
            if isinstance(block.get(key), str):
                block[key] = encodable(block[key])
        pieces = self._inputs.pop(int(event["index"]), None)
        if pieces is not None and (joined := "".join(pieces)):
            block["input"] = parse_input(joined)

    def _message_delta(self, event: Mapping[str, Any]) -> None:
        assert self._message is not None
        self._message.update(event["delta"])
        # Cumulative, and free to omit what did not change: the last known value stays (model-api §12).
        self._usage.update({key: value for key, value in (event.get("usage") or {}).items() if value is not None})

    def _stop(self, _event: Mapping[str, Any]) -> None:
        for index, pieces in list(self._inputs.items()):
            if pieces:
                self._blocks[index]["input"] = parse_input("".join(pieces))
        self.done = True

    def _tell(self, kind: Any, piece: str, block: Mapping[str, Any]) -> None:
        self._received += len(piece.encode("utf-8", "surrogatepass"))
        if self._on_progress is not None:
            tool = str(block.get("name")) if kind == "tool_input" else None
            text = "" if kind == "tool_input" else piece
            self._on_progress(Progress(kind, self._received // _BYTES_PER_TOKEN, tool, text))

    def response(self, request_id: str | None) -> Response:
        """The whole answer. Raises `malformed` when it has no id, stop reason or content."""
        if self._message is None or not self.done:
            raise _malformed("a stream without an end")
        raw = {**self._message, "content": [self._blocks[i] for i in sorted(self._blocks)], "usage": self._usage}
        return response_from(raw, request_id)


def response_from(raw: Mapping[str, Any], request_id: str | None) -> Response:
    """A `Response` from a whole message object."""
    stop_reason, content = raw.get("stop_reason"), raw.get("content")
    if not isinstance(stop_reason, str) or not isinstance(content, list):
        raise _malformed("a message without a stop reason or content")
    details = raw.get("stop_details")
    return Response(
        id=str(raw.get("id", "")),
        model=str(raw.get("model", "")),
        content=[_safe_block(block) for block in content if isinstance(block, Mapping)],
        stop_reason=stop_reason,
        usage=Usage.from_api(raw.get("usage") or {}),
        stop_details=dict(details) if isinstance(details, Mapping) else None,
        request_id=request_id,
        raw=dict(raw),
    )


def _safe_block(block: Mapping[str, Any]) -> dict[str, Any]:
    safe = dict(block)
    if safe.get("type") == "tool_use" and not isinstance(safe.get("input"), dict):
        safe["input"] = {INVALID_INPUT_KEY: json.dumps(safe.get("input"))}
    return safe


def parse_input(text: str) -> dict[str, Any]:
    """The input of a tool call; text that is no JSON object is kept under `INVALID_INPUT_KEY`."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {INVALID_INPUT_KEY: encodable(text)}


def _malformed(what: str) -> ModelFailure:
    return ModelFailure("malformed", f"The model's server sent {what}.", retryable=True)


_HANDLERS = {
    "message_start": Assembly._start,
    "content_block_start": Assembly._block_start,
    "content_block_delta": Assembly._delta,
    "content_block_stop": Assembly._block_stop,
    "message_delta": Assembly._message_delta,
    "message_stop": Assembly._stop,
}
