"""Which keys a request may hold, at every level, and what kind of value each takes.

Rules 4, 7, 8, 18 and 27 of model-api §14. Written down here by hand, so that it can be held
against the SDK's types in a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from double.refusal import Refusal

OLD_VERSION = "2023-06-01"
NEW_VERSION = "2026-10-21"

TOP = frozenset(
    (
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    )
)
COUNT_TOKENS = frozenset(
    (
        "cache_control",
        "messages",
        "model",
        "output_config",
        "speed",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    )
)
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
BETA_KEYS: dict[str, tuple[str, ...]] = {
    "context_management": ("context-management-2025-06-27", "compact-2026-01-12"),
    "compaction": ("compact-2026-09-04",),
    "mcp_servers": ("mcp-client-2025-04-04", "mcp-client-2025-11-20", "mcp-client-2026-09-15"),
    "thread": ("message-threads-2026-08-12",),
}
EDIT_BETA = "compact-2026-01-12"
COMPACTION_BETAS = (EDIT_BETA, "compact-2026-09-04")
EDITS: dict[str, tuple[str, frozenset[str]]] = {
    "compact_20260112": (EDIT_BETA, frozenset(["type", "instructions", "pause_after_compaction", "trigger"])),
    "clear_tool_uses_20250919": (
        "context-management-2025-06-27",
        frozenset(["type", "clear_at_least", "clear_tool_inputs", "exclude_tools", "keep", "trigger"]),
    ),
    "clear_thinking_20251015": ("context-management-2025-06-27", frozenset({"type", "keep"})),
}
"""Each edit with the beta it needs and its keys."""
LEAST_TRIGGER = 50_000

_CACHED = "cache_control"
BLOCKS: dict[str, frozenset[str]] = {
    name: frozenset(keys.split()) | {"type"}
    for name, keys in {
        "text": f"text citations {_CACHED}",
        "image": f"source transformations {_CACHED}",
        "document": f"source citations context title {_CACHED}",
        "search_result": f"source content title citations {_CACHED}",
        "thinking": "thinking signature",
        "redacted_thinking": "data",
        "tool_use": f"id input name caller toolset_name {_CACHED}",
        "tool_result": f"tool_use_id content is_error toolset_name {_CACHED}",
        "server_tool_use": f"id input name caller {_CACHED}",
        "web_search_tool_result": f"tool_use_id content caller {_CACHED}",
        "web_fetch_tool_result": f"tool_use_id content caller {_CACHED}",
        "code_execution_tool_result": f"tool_use_id content {_CACHED}",
        "bash_code_execution_tool_result": f"tool_use_id content {_CACHED}",
        "text_editor_code_execution_tool_result": f"tool_use_id content {_CACHED}",
        "tool_search_tool_result": f"tool_use_id content {_CACHED}",
        "container_upload": f"file_id {_CACHED}",
        "tool_reference": f"tool_name {_CACHED}",
        "browser_state": f"state_changes tabs {_CACHED}",
        "compaction": f"content encrypted_content signature tool_changes {_CACHED}",
    }.items()
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "thinking": ("signature", "thinking"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "input", "name"),
    "tool_result": ("tool_use_id",),
    "server_tool_use": ("id", "input", "name"),
    "image": ("source",),
    "document": ("source",),
}
STRINGS = ("text", "thinking", "signature", "id", "name", "tool_use_id", "data")
ASSISTANT = frozenset(BLOCKS) - {"image", "tool_result", "container_upload", "tool_reference", "browser_state"}
USER = frozenset(BLOCKS) - {
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "tool_reference",
    "compaction",
}
RESULT = frozenset({"text", "image", "search_result", "document", "tool_reference", "browser_state"})

TOOL = frozenset(
    (
        "allowed_callers",
        "cache_control",
        "defer_loading",
        "description",
        "eager_input_streaming",
        "input_examples",
        "input_schema",
        "name",
        "strict",
        "type",
    )
)
SERVER_TOOL = re.compile(
    r"^(bash|code_execution|browser_toolset|memory|computer_toolset|computer|text_editor|web_search|web_fetch"
    r"|tool_search_tool_bm25|tool_search_tool_regex)(_\d{8})?$"
)
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def no_extras(value: Mapping[str, Any], allowed: Iterable[str], place: str, rule: int = 7) -> None:
    for key in value:
        if key not in allowed:
            raise Refusal(f"{join(place, key)}: Extra inputs are not permitted", rule=rule)


def require(value: Mapping[str, Any], keys: Iterable[str], place: str, rule: int = 4) -> None:
    for key in keys:
        if key not in value:
            raise Refusal(f"{join(place, key)}: Field required", rule=rule)


def an_object(value: Any, place: str, rule: int = 4) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(f"{place}: Input should be a valid dictionary", rule=rule)
    return value


def a_list(value: Any, place: str, rule: int = 4) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(f"{place}: Input should be a valid list", rule=rule)
    return value


def one_of(value: Any, allowed: Iterable[Any], place: str, rule: int) -> None:
    names = sorted(str(item) for item in allowed)
    if not isinstance(value, str) or value not in names:
        wanted = ", ".join(f"'{name}'" for name in names)
        raise Refusal(f"{place}: Input should be {wanted}", rule=rule)


def join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
