"""A request as one flat sequence of parts (tools, system, blocks): what prefixes, caching and signatures are about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Part:
    """One tool, system block or content block. `digest` covers everything up to and including it, cache marks aside;
    `ttl` is set where a cache breakpoint stands; `tokens` counts everything up to and including it."""

    role: str
    block: dict[str, Any]
    digest: str
    tokens: int
    ttl: str | None
    place: str


def flatten(body: dict[str, Any]) -> list[Part]:
    """What the model reads: of the messages only what follows the last summary, and the summary."""
    found: list[tuple[str, dict[str, Any], str]] = []
    for i, tool in enumerate(body.get("tools") or []):
        found.append(("tools", tool, f"tools.{i}"))
    for i, block in enumerate(as_blocks(body.get("system") or [])):
        found.append(("system", block, f"system.{i}"))
    said: list[tuple[str, dict[str, Any], str]] = []
    for m, message in enumerate(body.get("messages") or []):
        for i, block in enumerate(as_blocks(message["content"])):
            if block.get("type") == "compaction" and block.get("content") is not None:
                said.clear()
            elif block.get("type") == "compaction":
                continue
            said.append((message["role"], block, f"messages.{m}.content.{i}"))
    found += said
    parts: list[Part] = []
    digest, size = hashlib.sha256(str(body.get("model")).encode()), 0
    for role, block, place in found:
        encoded = _canonical([role, unmarked(block)])
        digest.update(hashlib.sha256(encoded).digest())
        size += len(encoded)
        ttl = _ttl(block)
        parts.append(Part(role, block, digest.copy().hexdigest(), size // BYTES_PER_TOKEN, ttl, place))
    return parts


def as_blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def unmarked(value: Any) -> Any:
    """Without cache marks at any level: moving one changes no prefix."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key != "cache_control"}
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    return value


def _ttl(block: dict[str, Any]) -> str | None:
    marks = [block.get("cache_control")]
    if isinstance(block.get("content"), list):
        marks += [inner.get("cache_control") for inner in block["content"] if isinstance(inner, dict)]
    ttls = [mark.get("ttl", "5m") for mark in marks if isinstance(mark, dict)]
    return ttls[-1] if ttls else None


def before_messages(body: dict[str, Any]) -> str:
    """sha256 over system and tools, cache marks aside."""
    return hashlib.sha256(_canonical(unmarked([body.get("system"), body.get("tools")]))).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
