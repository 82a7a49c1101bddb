"""What hooks may wait for, and what their matchers are compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

Event = Literal[
    "SessionStart",
    "SessionEnd",
    "PreToolUse",
    "PostToolUse",
    "SubagentStop",
    "Stop",
    "PreCommit",
    "PostCommit",
    "CheckpointOpened",
    "TaskCompleted",
]

EVENTS: Final[Mapping[Event, str]] = {
    "SessionStart": "a conversation begins; matcher: startup, resume, compact",
    "SessionEnd": "a run ends; matcher: its outcome",
    "PreToolUse": "before a tool call, which it may refuse; matcher: the tool",
    "PostToolUse": "after a tool call; matcher: the tool",
    "SubagentStop": "an agent that hands in a report, or one of several, is finished; matcher: agent or agent:mode",
    "Stop": "the agent says that it is finished",
    "PreCommit": "before the work becomes a commit, which it may hold back",
    "PostCommit": "after it did; matcher: accepted (plan branch), landed (your branch)",
    "CheckpointOpened": "a person is asked; matcher: decision, question, problem",
    "TaskCompleted": "a task's work is accepted and ticked",
}
"""The events that there are, and when each comes."""

BLOCKING: Final = frozenset({"PreToolUse", "PostToolUse", "SubagentStop", "Stop", "PreCommit"})
"""Events at which a hook's refusal changes what happens; of others it is only told."""

UNUSED: Final = frozenset(
    {
        *("UserPromptSubmit", "Notification", "PreCompact", "PostCompact", "Setup", "PermissionRequest"),
        *("PostToolUseFailure", "SubagentStart", "TeammateIdle", "ConfigChange", "InstructionsLoaded"),
        *("WorktreeCreate", "WorktreeRemove", "StopFailure", "PermissionDenied", "Elicitation", "ElicitationResult"),
        *("TaskCreated", "CwdChanged", "FileChanged", "UserPromptExpansion"),
    }
)
"""Events of Claude Code that never come here."""

TOOL_EVENTS: Final = ("PreToolUse", "PostToolUse")

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "read_file": ("Read", "NotebookRead"),
    "list_files": ("Glob", "LS"),
    "search": ("Grep",),
    "load_skill": ("Skill",),
    "write_file": ("Write",),
    "edit_file": ("Edit", "MultiEdit", "NotebookEdit"),
    "run_command": ("Bash",),
    "ask": ("AskUserQuestion",),
}
"""Our tools, and what Claude Code calls theirs; the first name is what its hooks are told."""

MAX_MATCHER: Final = 200
MAX_REPEATS: Final = 4
"""A pattern with more repetitions than this, or with one inside another, could take its time even on short names."""
MAX_NAME: Final = 64

_PLAIN = re.compile(r"[A-Za-z0-9_:-]+")
_BY_FORM: Final = {re.sub(r"[-_ ]", "", name).lower(): name for name in (*EVENTS, *UNUSED)}


def event_named(text: str) -> str | None:
    """The event by its name, however it is written (`pre-tool-use`); None when nobody has such an event."""
    return _BY_FORM.get(re.sub(r"[-_ ]", "", text).lower())


def matcher_problem(matcher: str) -> str | None:
    """Why a matcher can't be used; None when it can."""
    if len(matcher) > MAX_MATCHER:
        return f"it is longer than {MAX_MATCHER} characters"
    if sum(matcher.count(each) for each in "*+{?") > MAX_REPEATS:
        return f"it repeats more than {MAX_REPEATS} times"
    if re.search(r"\)\s*[*+{]", matcher):
        return "it repeats a group; name the names with |"
    if matcher != "*":
        try:
            re.compile(matcher)
        except (re.error, OverflowError, RecursionError) as problem:
            return f"it is no regular expression: {problem}"
    return None


def matches(matcher: str, names: tuple[str, ...]) -> bool:
    """Whether a matcher (names with `|`, or a regular expression for the whole name) fits one of `names`."""
    if matcher in ("", "*"):
        return True
    return any(_matches(matcher, name) for name in names)


def _matches(matcher: str, name: str) -> bool:
    if all(_PLAIN.fullmatch(each.strip()) for each in matcher.split("|")):
        return name in [each.strip() for each in matcher.split("|")]
    try:
        return re.fullmatch(matcher, name[:MAX_NAME]) is not None
    except (re.error, OverflowError, RecursionError):
        return False


def tool_names(tool: str) -> tuple[str, ...]:
    """All names under which a tool is known."""
    return (tool, *ALIASES.get(tool, ()))


def own_tool(name: str) -> str:
    """Our name of a tool, whatever it is called elsewhere."""
    return next((own for own, others in ALIASES.items() if name in others), name)
