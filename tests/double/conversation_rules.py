"""The rules about `messages` (model-api §14, rules 7, 8, 9, 11 to 15, 19 and 28)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from double import shapes
from double.refusal import Refusal
from double.shapes import an_object, no_extras, require

MAX_MESSAGES = 100_000
_ID = re.compile(r"[a-zA-Z0-9_-]+")


@dataclass
class Merged:
    """Neighbours of one role, joined. Each block comes with its place in the request."""

    role: str
    index: int
    blocks: list[tuple[str, dict[str, Any]]]


def check_messages(messages: Any, *, strict: bool, compacts: bool) -> None:
    """`strict`: the rules of version 2026-10-21; `compacts`: a compaction block may stand first."""
    if not isinstance(messages, list):
        raise Refusal("messages: Input should be a valid list", rule=9)
    if not messages:
        raise Refusal("messages: at least one message is required", rule=9)
    if len(messages) > MAX_MESSAGES:
        raise Refusal(f"messages: List should have at most {MAX_MESSAGES} items", rule=9)
    for i, message in enumerate(messages):
        _message(message, f"messages.{i}", strict=strict, compacts=compacts)
    first = messages[0]
    opens_compacted = (
        compacts
        and first["role"] == "assistant"
        and isinstance(first["content"], list)
        and is_summary(first["content"][0])
    )
    if first["role"] != "user" and not opens_compacted:
        raise Refusal('messages: first message must use the "user" role', rule=9)
    merged = _merge(messages)
    _unique_ids(merged)
    _answered(merged)
    _answers(merged)


def is_summary(block: dict[str, Any]) -> bool:
    """A compaction block that worked; one without content stands for nothing."""
    return block.get("type") == "compaction" and block.get("content") is not None


def _message(message: Any, place: str, *, strict: bool, compacts: bool) -> None:
    an_object(message, place, rule=9)
    require(message, ("role",), place, rule=9)
    if message["role"] not in ("user", "assistant", "system"):
        raise Refusal(f"{place}.role: Input should be 'user', 'assistant' or 'system', got {message['role']!r}", rule=9)
    require(message, ("content",), place)
    no_extras(message, ("role", "content"), place)
    content = message["content"]
    if isinstance(content, str):
        _text(content)
        return
    if not isinstance(content, list):
        raise Refusal(f"{place}.content: Input should be a valid string or list", rule=4)
    if not content:
        raise Refusal(f"{place}: all messages must have non-empty content", rule=11)
    allowed = {"user": shapes.USER, "assistant": shapes.ASSISTANT, "system": frozenset({"text"})}[message["role"]]
    if not compacts and any(isinstance(block, dict) and block.get("type") == "compaction" for block in content):
        raise Refusal(f"{place}: `compaction` blocks need their anthropic-beta header", rule=27)
    for i, block in enumerate(content):
        _block(block, f"{place}.content.{i}", allowed, role=message["role"], strict=strict)


def _block(block: Any, place: str, allowed: frozenset[str], *, role: str, strict: bool) -> None:
    an_object(block, place)
    require(block, ("type",), place)
    kind = block["type"]
    if strict and kind == "document" and role == "assistant":
        raise Refusal(f"{place}: `document` blocks are not permitted in assistant messages", rule=8)
    if kind not in allowed:
        raise Refusal(f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags", rule=7)
    require(block, shapes.REQUIRED.get(kind, ()), place)
    no_extras(block, shapes.BLOCKS[kind], place)
    for key in shapes.STRINGS:
        if key in block and not isinstance(block[key], str):
            raise Refusal(f"{place}.{key}: Input should be a valid string", rule=4)
    if kind == "text":
        if strict and role == "user" and block.get("citations"):
            raise Refusal(f"{place}.citations: not permitted on user text", rule=8)
        if block.get("cache_control") is not None and not block["text"].strip():
            raise Refusal(f"{place}: cache_control cannot be set for empty text blocks", rule=19)
        _text(block["text"])
    if kind in ("tool_use", "server_tool_use"):
        an_object(block["input"], f"{place}.input")
        if not _ID.fullmatch(block["id"]):
            raise Refusal(f"{place}.id: String should match pattern '^[a-zA-Z0-9_-]+$'", rule=15)
        if not shapes.TOOL_NAME.fullmatch(block["name"]):
            raise Refusal(f"{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'", rule=16)
    if kind == "tool_result":
        _result(block, place, strict=strict)
    if kind == "compaction":
        _summary(block, place)


def _summary(block: dict[str, Any], place: str) -> None:
    """What the real API says about a summary that comes back (vercel/ai#13335, anthropic-sdk-python#1828)."""
    content = block.get("content")
    if content is not None and not isinstance(content, str):
        raise Refusal(f"{place}.compaction.content: Input should be a valid string", rule=4)
    if content is not None and not content.strip():
        raise Refusal(f"{place}.compaction.content: content can't be empty", rule=11)
    if "encrypted_content" in block and block["encrypted_content"] is None:
        raise Refusal(f"{place}.compaction.encrypted_content: Extra inputs are not permitted", rule=7)


def _result(block: dict[str, Any], place: str, *, strict: bool) -> None:
    if not isinstance(block.get("is_error", False), bool):
        raise Refusal(f"{place}.is_error: Input should be a valid boolean", rule=4)
    content = block.get("content", "")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refusal(f"{place}.content: Input should be a valid string or list", rule=4)
    for i, inner in enumerate(content):
        _block(inner, f"{place}.content.{i}", shapes.RESULT, role="result", strict=strict)


def _text(text: str) -> None:
    if not text:
        raise Refusal("messages: text content blocks must be non-empty", rule=11)
    if not text.strip():
        raise Refusal("messages: text content blocks must contain non-whitespace text", rule=11)


def _merge(messages: list[dict[str, Any]]) -> list[Merged]:
    """Neighbours of one role become one message; `system` messages stand beside the conversation."""
    merged: list[Merged] = []
    for i, message in enumerate(messages):
        if message["role"] == "system":
            continue
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        placed = [(f"messages.{i}.content.{n}", block) for n, block in enumerate(blocks)]
        if merged and merged[-1].role == message["role"]:
            merged[-1].blocks.extend(placed)
        else:
            merged.append(Merged(message["role"], i, placed))
    return merged


def _unique_ids(merged: list[Merged]) -> None:
    seen: set[str] = set()
    for message in merged:
        for _, block in message.blocks:
            if block["type"] in ("tool_use", "server_tool_use"):
                if block["id"] in seen:
                    raise Refusal("messages: `tool_use` ids must be unique", rule=15)
                seen.add(block["id"])


def _answered(merged: list[Merged]) -> None:
    """Rule 12: each call has its result in the next message."""
    for n, message in enumerate(merged):
        if message.role != "assistant":
            continue
        calls = [block["id"] for _, block in message.blocks if block["type"] == "tool_use"]
        answers = _results_of(merged[n + 1]) if n + 1 < len(merged) else set()
        missing = [call for call in calls if call not in answers]
        if missing:
            raise Refusal(
                f"messages.{message.index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message.",
                rule=12,
            )


def _results_of(message: Merged) -> set[str]:
    return {block["tool_use_id"] for _, block in message.blocks if block["type"] == "tool_result"}


def _answers(merged: list[Merged]) -> None:
    """Rules 13 and 14: each result answers a call of the message before, once, and stands before other content."""
    for n, message in enumerate(merged):
        before = merged[n - 1].blocks if n else []
        calls = {block["id"] for _, block in before if block["type"] == "tool_use"}
        met: set[str] = set()
        other = False
        for place, block in message.blocks:
            if block["type"] != "tool_result":
                other = True
                continue
            call = block["tool_use_id"]
            if call not in calls:
                raise Refusal(
                    f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each `tool_result` "
                    "block must have a corresponding `tool_use` block in the previous message.",
                    rule=13,
                )
            if call in met:
                raise Refusal(f"{place}: each tool_use must have a single result. Found a second for {call}.", rule=13)
            met.add(call)
            if other:
                raise Refusal(f"{place}: `tool_result` blocks must come before other content", rule=14)
