"""Doctor's checks of the files in `.devloop/`: what is malformed, with file and line, and what git does with them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from devloop import beginning
from devloop.redact import one_line
from devloop.settings import TEAM_FILE, Settings
from devloop.state import checking
from devloop.workspace import Repository
from devloop.workspace.tracking import tracking

SHOWN = 10
FOLDER = ".devloop"
UNBEGUN = "No plan was begun here yet; `devloop init` also tells git what is one person's alone."


def malformed(root: Path, *, plan_exists: bool) -> list[dict[str, Any]]:
    """One entry for each fault, errors first, and one for a hand-off that should not be used as it is: the fields of
    `doctor.Check`. Blocks."""
    faults = sorted(checking.faults(root), key=lambda each: (each.severity != "error", each.path, each.line))
    found = [
        {
            "name": "files",
            "state": "problem" if fault.severity == "error" else "warning",
            "message": one_line(str(fault), 400),
            "fix": "",
        }
        for fault in faults[:SHOWN]
    ]
    if len(faults) > SHOWN:
        more = f"{len(faults) - SHOWN} more things are wrong in files of .devloop/."
        found.append({"name": "files", "state": "warning", "message": more, "fix": ""})
    told = checking.stale_hand_off(root, plan_exists=plan_exists)
    if told and not any(fault.path.endswith("next-action.json") for fault in faults):
        found.append({"name": "files", "state": "warning", "message": told, "fix": ""})
    return found or [{"name": "files", "state": "ok", "message": "The files of .devloop/ can all be read.", "fix": ""}]


def gates(root: Path, settings: Settings) -> list[dict[str, Any]]:
    """Which checks a run would find here: without one that counts, no work is ever accepted. Blocks."""
    from devloop.gates import discover

    required = [gate.name for gate in discover(root, settings.gates).gates if gate.required]
    if required:
        told = f"These check the work: {one_line(', '.join(required), 300)}."
        return [{"name": "gates", "state": "ok", "message": told, "fix": ""}]
    told = "Nothing here checks the work of a run, so none could be accepted."
    fix = f"Declare your tests in {TEAM_FILE} (README, Settings): [gates.test] with kind and command."
    return [{"name": "gates", "state": "warning", "message": told, "fix": fix}]


async def shared(root: Path) -> list[dict[str, Any]]:
    """Whether git shares what is to be shared and keeps out what is one person's (state-files §1)."""
    repository = await Repository.discover(root, born=False)
    seen = await tracking(repository, root, beginning.TRACKED, beginning.IGNORED)
    found = []
    if seen.shared:
        names = " ".join(seen.shared)
        told = f"git tracks what is one person's alone: {names}."
        found.append(_warning(told, f"git rm -r --cached {' '.join(map(shlex.quote, seen.shared))}"))
    if not found and not (root / FOLDER).exists():  # nothing of devloop's is here that git could take in or leave out
        return [{"name": "tracking", "state": "ok", "message": UNBEGUN, "fix": ""}]
    if seen.exposed:
        found.append(
            _warning(f"git would take in what is one person's alone: {', '.join(seen.exposed)}.", "devloop init")
        )
    if seen.hidden:
        told = f"git ignores what a team shares: {', '.join(seen.hidden)}."
        found.append(_warning(told, "Look for the line in .gitignore that names it: git check-ignore -v FILE"))
    told = "git shares the plan and its records, and keeps out what is one person's."
    return found or [{"name": "tracking", "state": "ok", "message": told, "fix": ""}]


def _warning(message: str, fix: str) -> dict[str, Any]:
    return {"name": "tracking", "state": "warning", "message": message, "fix": fix}
