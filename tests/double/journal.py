"""What was asked of the double, and what a prompt cache would have made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from double.catalogue import KnownModel
from double.flat import Part

SECRETS = frozenset({"authorization", "x-api-key"})


@dataclass
class Entry:
    """One request. `outcome`: refused, failed (on purpose), answered, cut, stalled, gone (the client left)."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    size: int
    body: dict[str, Any] | None = None
    status: int = 0
    rule: int | None = None
    error: str | None = None
    request_id: str = ""
    prefix_hash: str = ""
    task: str | None = None
    index: int | None = None
    outcome: str = "open"
    usage: dict[str, int] = field(default_factory=dict)

    @property
    def cache_read(self) -> int:
        return self.usage.get("cache_read_input_tokens", 0)

    def to_json(self) -> dict[str, Any]:
        """Without the headers that hold the key, and without the body."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "size": self.size,
            "status": self.status,
            "rule": self.rule,
            "error": self.error,
            "request_id": self.request_id,
            "prefix_hash": self.prefix_hash,
            "task": self.task,
            "index": self.index,
            "outcome": self.outcome,
            "usage": self.usage,
        }


@dataclass
class Cache:
    """Which prefixes were written. A request reads the longest one that it begins with (model-api §8)."""

    written: set[str] = field(default_factory=set)

    def account(self, parts: list[Part], top: Any, model: KnownModel) -> dict[str, Any]:
        """The input side of `usage`, and remember what this request writes."""
        marks = {i: part.ttl for i, part in enumerate(parts) if part.ttl}
        if isinstance(top, dict) and parts:
            marks[len(parts) - 1] = top.get("ttl", "5m")
        total = parts[-1].tokens if parts else 0
        long_enough = {i: ttl for i, ttl in marks.items() if parts[i].tokens >= model.cache_floor}
        if not long_enough:
            return _usage(total, 0, 0, 0)
        last = max(long_enough)
        known = [parts[i].tokens for i in range(last + 1) if parts[i].digest in self.written]
        read = max(known, default=0)
        one_hour = max((parts[i].tokens for i, ttl in long_enough.items() if ttl == "1h"), default=0)
        written_1h = max(0, one_hour - read)
        written_5m = max(0, parts[last].tokens - max(read, one_hour))
        self.written.update(parts[i].digest for i in long_enough)
        return _usage(total - read - written_1h - written_5m, read, written_5m, written_1h)


def _usage(uncached: int, read: int, written_5m: int, written_1h: int) -> dict[str, Any]:
    return {
        "input_tokens": uncached,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written_5m + written_1h,
        "cache_creation": {"ephemeral_5m_input_tokens": written_5m, "ephemeral_1h_input_tokens": written_1h},
    }
