"""Which files, beside plans, devloop can say something about, and who says it: one registry for terminal and editor.

Whoever owns a kind of file owns its checker: text → faults with lines and ways out. What is looked up beside the text
(a skill's other files, the other settings) is read here or by the checker; nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from devloop import agents, hook_files, hooks, skills
from devloop.own_files import Fault
from devloop.paths import settings_file
from devloop.settings import TEAM_FILE, layers, personal
from devloop.state import checking
from devloop.trust import MAX_SKILL_FILES, SKILL_FILE

AGENT_FOLDERS: Final = (".devloop/agents", ".claude/agents")
PATTERNS: Final = (
    "**/SKILL.md",
    ".devloop/agents/*.md",
    ".claude/agents/*.md",
    ".devloop/local.md",
    ".claude/devloop.local.md",
    ".devloop/config.toml",
    ".devloop/hooks.json",
    ".devloop/plan-state.json",
    ".devloop/next-action.json",
    ".devloop/context.json",
    ".devloop/sessions.json",
    ".devloop/worklog.md",
    ".devloop/issues/*.md",
    ".devloop/spikes/*.md",
)
"""What an editor should open with devloop, beside plans (the extension names the same)."""


def name_of(root: Path, path: Path) -> str:
    """How faults name a file: relative to the root, or absolute where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def knows(name: str) -> bool:
    """Whether there is a checker for a file of this name."""
    folder, _, last = name.rpartition("/")
    return (
        last == SKILL_FILE
        or name in (TEAM_FILE, personal.PATH, personal.LEGACY_PATH, *hook_files.REPOSITORY)
        or name == str(settings_file())
        or (folder in AGENT_FOLDERS and last.endswith(".md"))
        or checking.checker(name) is not None
    )


def check(root: Path, name: str, text: str) -> tuple[Fault, ...]:
    """What is wrong with a file while it has this text, by line. May look at files beside it: blocks. Never raises."""
    folder, _, last = name.rpartition("/")
    plain = text.removeprefix("\ufeff")
    found: Sequence[Fault]
    if last == SKILL_FILE:
        found = skills.check_text(plain, name, _beside((root / name).parent))
    elif name in (TEAM_FILE, personal.PATH, personal.LEGACY_PATH) or name == str(settings_file()):
        found = layers.check_text(root, name, plain)
    elif name in hook_files.REPOSITORY:
        found = hooks.check_text(root, name, plain)
    elif folder in AGENT_FOLDERS and last.endswith(".md"):
        found = agents.check_text(plain, name)
    else:
        state = checking.checker(name)
        found = state(plain) if state is not None else ()
    return tuple(sorted(found, key=lambda fault: fault.line))


def _beside(folder: Path) -> Iterator[str]:
    """The files in a skill's folder, relative to it; no link is followed."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for each in files:
            count += 1
            if count > MAX_SKILL_FILES:
                return
            yield Path(place, each).relative_to(folder).as_posix()
