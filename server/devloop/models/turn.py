"""What goes into one turn with a model and what comes out: plain data, no SDK type.

Content blocks are raw JSON objects as the server sent them, unknown ones included, because they go back unchanged
with the next request (thinking signatures are bound to them).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

INVALID_INPUT_KEY = "INVALID_JSON"
"""A tool call whose input is no JSON object is kept as `{"INVALID_JSON": "<text as sent>"}`: the API wants an object
when the call goes back, and the model sees its own mistake beside the error result."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one turn, or of several added up. `input` counts uncached tokens only, `output` includes thinking."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
        )

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m + self.cache_write_1h

    @property
    def prompt(self) -> int:
        """Everything that was read: uncached, from the cache, into the cache."""
        return self.input + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        return self.prompt + self.output

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Usage:
        return cls(**{name: _count(data.get(name)) for name in cls.__dataclass_fields__})

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Usage:
        """From the `usage` object of a message.

        Compaction iterations are added, because the sums at the top do not hold them. Cache writes without a split by
        lifetime count as five-minute ones.
        """
        own = cls._one(data)
        for iteration in _iterations(data, "compaction"):
            own = own + cls._one(iteration)
        return own

    @classmethod
    def context_from_api(cls, data: Mapping[str, Any]) -> Usage:
        """What stands in the context window after an answer: the last `message` iteration, where there are iterations.

        Neither what a compaction read and wrote nor what an earlier iteration read is in there.
        """
        own = _iterations(data, "message")
        return cls._one(own[-1] if own else data)

    @classmethod
    def _one(cls, data: Mapping[str, Any]) -> Usage:
        written = _count(data.get("cache_creation_input_tokens"))
        split = data.get("cache_creation")
        one_hour = _count(split.get("ephemeral_1h_input_tokens")) if isinstance(split, Mapping) else 0
        one_hour = min(one_hour, written) if written else one_hour
        five_minutes = max(
            written - one_hour,
            _count(split.get("ephemeral_5m_input_tokens")) if isinstance(split, Mapping) and not written else 0,
        )
        return cls(
            input=_count(data.get("input_tokens")),
            output=_count(data.get("output_tokens")),
            cache_read=_count(data.get("cache_read_input_tokens")),
            cache_write_5m=five_minutes,
            cache_write_1h=one_hour,
        )


def _iterations(usage: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    found = usage.get("iterations")
    listed = found if isinstance(found, list) else []
    return [item for item in listed if isinstance(item, Mapping) and item.get("type") == kind]


def _count(value: Any) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass(frozen=True)
class Request:
    """One request. `effort` is None or low, medium, high, xhigh, max (model-api §7)."""

    model: str
    system: str
    tools: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    effort: str | None = None

    @cached_property
    def size(self) -> int:
        """Bytes of system, tools and messages as JSON."""
        return len(canonical({"system": self.system, "tools": list(self.tools)})) + len(canonical(list(self.messages)))


def canonical(value: Any) -> bytes:
    """JSON without spaces; the order of keys is kept, because another order is another prefix on the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Response:
    """One whole answer. `content` is what goes back with the next request (see `conversation`)."""

    id: str
    model: str
    content: list[dict[str, Any]]
    stop_reason: str
    usage: Usage
    stop_details: dict[str, Any] | None = None
    request_id: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    """The whole message as JSON."""

    @property
    def text(self) -> str:
        return "\n".join(b["text"] for b in self.content if b.get("type") == "text" and isinstance(b.get("text"), str))

    @property
    def context(self) -> Usage:
        """What fills the context window now. Unlike `usage`, without what a compaction cost."""
        usage = self.raw.get("usage")
        return Usage.context_from_api(usage) if isinstance(usage, Mapping) else self.usage

    @property
    def tool_calls(self) -> tuple[dict[str, Any], ...]:
        """The calls that devloop itself answers. Whether they may run is for `conversation.reaction` to say."""
        return tuple(block for block in self.content if block.get("type") == "tool_use")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "usage": self.usage.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Response:
        return cls(**{**data, "usage": Usage.from_json(data["usage"])})


def invalid_tool_input(call: Mapping[str, Any]) -> str | None:
    """The text that the model sent as input when it was no JSON object; None for a proper call."""
    sent = call.get("input")
    if isinstance(sent, Mapping) and len(sent) == 1 and isinstance(sent.get(INVALID_INPUT_KEY), str):
        return str(sent[INVALID_INPUT_KEY])
    return None


@dataclass(frozen=True)
class Progress:
    """Something arrived. `output_tokens` is an estimate over the whole answer so far; `tool` names the tool whose
    input is being written; `text` is the new piece of text or thinking."""

    kind: Literal["text", "thinking", "tool_input"]
    output_tokens: int
    tool: str | None = None
    text: str = ""


OnProgress = Callable[[Progress], None]


class Model(Protocol):
    """One that answers. `turn` raises `ModelFailure` and nothing else; cancelling it closes the connection."""

    @property
    def label(self) -> str: ...

    @property
    def scripted(self) -> bool: ...

    async def turn(self, request: Request, on_progress: OnProgress | None = None) -> Response: ...

    async def close(self) -> None: ...
