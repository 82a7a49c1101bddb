"""The JSON object that a hook reads on stdin (agents-commands-skills §4.2): the fields that existing scripts know,
under the names of the tools that its file speaks of, and what only devloop has under `devloop`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from devloop.hooks.definitions import Hook
from devloop.hooks.events import ALIASES, TOOL_EVENTS
from devloop.redact import cut

MAX_RESPONSE: Final = 64 * 1024
MAX_VARIABLE: Final = 100_000
"""Bytes that a variable may have; the kernel refuses more than 128 KiB for one word."""

_PATHS: Final = ("read_file", "write_file", "edit_file")


@dataclass(frozen=True)
class Occasion:
    """One event as hooks are told of it. `subject`: the names that matchers are compared with; () fits every matcher.

    `session`: the conversation; `cwd`: the project's folder as commands see it. `tool`, `tool_input`, `response`
    (`{"content", "is_error"}`) are for tool events. `fields`: more at the top; `about`: what stands under `devloop`.
    """

    event: str
    session: str
    cwd: str
    subject: tuple[str, ...] = ()
    tool: str = ""
    tool_input: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def told(occasion: Occasion, hook: Hook) -> dict[str, Any]:
    """What `hook` reads. There is no transcript that a sandboxed command could open: `transcript_path` is null."""
    found: dict[str, Any] = {
        "session_id": occasion.session,
        "transcript_path": None,
        "cwd": occasion.cwd,
        "hook_event_name": hook.event,
        "permission_mode": "default",
    }
    if occasion.event in TOOL_EVENTS:
        found["tool_name"] = tool_name(occasion.tool, hook)
        found["tool_input"] = tool_input(occasion, hook)
        if occasion.response is not None:
            found["tool_response"] = _response(occasion)
    return {**found, **occasion.fields, "devloop": {**occasion.about, "tool": occasion.tool or None}}


def tool_name(tool: str, hook: Hook) -> str:
    return ALIASES.get(tool, (tool,))[0] if hook.dialect == "claude" else tool


def tool_input(occasion: Occasion, hook: Hook) -> dict[str, Any]:
    """The call's input as it is; for Claude Code's hooks also under their names, with an absolute path."""
    given = dict(occasion.tool_input)
    if hook.dialect == "claude" and occasion.tool in _PATHS and isinstance(given.get("path"), str):
        path = given["path"]
        given["file_path"] = path if path.startswith("/") else f"{occasion.cwd}/{path.removeprefix('./')}"
    return given


def _response(occasion: Occasion) -> dict[str, Any]:
    response = dict(occasion.response or {})
    content = str(response.get("content") or "")
    content = cut(content, MAX_RESPONSE, f"… {len(content) - MAX_RESPONSE} characters more")
    found: dict[str, Any] = {**response, "content": content}
    if occasion.tool == "run_command":
        found |= {"stdout": content, "stderr": "", "interrupted": False}
    if occasion.tool in _PATHS:
        found |= {"success": not response.get("is_error"), "filePath": occasion.tool_input.get("path")}
    return found


def variables(occasion: Occasion, hook: Hook) -> dict[str, str]:
    """Variables beside stdin. `TOOL_INPUT` is for older plugins, whose commands name it."""
    found = {
        "CLAUDE_PROJECT_DIR": occasion.cwd,
        "CLAUDE_PLUGIN_ROOT": occasion.cwd,
        "DEVLOOP_PROJECT_DIR": occasion.cwd,
        "DEVLOOP_EVENT": hook.event,
        "DEVLOOP_RUN": str(occasion.about.get("run") or ""),
        "DEVLOOP_TASK": str(occasion.about.get("task") or ""),
    }
    if "TOOL_INPUT" in hook.command:
        found["TOOL_INPUT"] = _variable(tool_input(occasion, hook))
    return found


def _variable(given: Mapping[str, Any]) -> str:
    text = json.dumps(given).replace("\\u0000", "")
    if len(text) <= MAX_VARIABLE:
        return text
    room = MAX_VARIABLE // (8 * max(len(given), 1))
    short = {key: cut(value, room) if isinstance(value, str) else value for key, value in given.items()}
    text = json.dumps(short).replace("\\u0000", "")
    return text if len(text) <= MAX_VARIABLE else "{}"
