"""Names that other programs use for what devloop has under names of its own: tools and models of Claude Code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

TOOLS: Final = (
    *("read_file", "list_files", "search", "load_skill"),
    *("write_file", "edit_file", "run_command", "ask", "finish"),
)
"""In the order in which a model sees them."""
WRITING: Final = frozenset(("write_file", "edit_file"))
ALWAYS: Final = ("load_skill", "finish")
"""What every agent has: knowledge, and an end."""

_FOREIGN: Mapping[str, tuple[str, ...]] = {
    "Read": ("read_file",),
    "NotebookRead": ("read_file",),
    "Glob": ("list_files",),
    "LS": ("list_files",),
    "Grep": ("search",),
    "Write": ("write_file",),
    "Edit": ("edit_file",),
    "MultiEdit": ("edit_file",),
    "NotebookEdit": ("edit_file",),
    "Bash": ("run_command",),
    "BashOutput": (),
    "KillShell": (),
    "KillBash": (),
    "AskUserQuestion": ("ask",),
    "TodoWrite": (),
    "TodoRead": (),
    "Skill": ("load_skill",),
    "ExitPlanMode": (),
    "SlashCommand": (),
}
"""Nothing: devloop does it otherwise, or nobody needs it here."""
UNAVAILABLE: Final = frozenset(("Task", "Agent", "WebFetch", "WebSearch"))
"""Known, but agents here have no network and start no others."""

KNOWN: Final = (*TOOLS, *_FOREIGN, *sorted(UNAVAILABLE))
"""Every name of a tool that an agent's file may have."""

TIERS: Final = ("fast", "balanced", "deep")
_TIER_OF: Mapping[str, str] = {"haiku": "fast", "sonnet": "balanced", "opus": "deep", "inherit": "", "default": ""}


def tools_of(names: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """(devloop's tools in their order, names that nobody knows). `Bash(git *)` counts as Bash."""
    found: set[str] = set()
    unknown: list[str] = []
    for name in names:
        bare = name.partition("(")[0].strip()
        if bare in TOOLS:
            found.add(bare)
        elif bare in _FOREIGN:
            found.update(_FOREIGN[bare])
        elif bare not in UNAVAILABLE and not bare.startswith("mcp__"):
            unknown.append(bare)
    return tuple(tool for tool in TOOLS if tool in found), unknown


def tier_of(model: str) -> str:
    """The tier that a name stands for; "" for inherited, the name itself for a model's id."""
    return _TIER_OF.get(model.lower(), model)
