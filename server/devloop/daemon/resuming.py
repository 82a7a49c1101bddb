"""Going on from `.devloop/next-action.json`: what a fresh start left for the next one (state-files §3). Used once."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devloop import beneath
from devloop import plan as plans
from devloop.errors import DevloopError
from devloop.own_files import read_bytes
from devloop.paths import StateDir
from devloop.redact import cut, one_line, printable
from devloop.state import next_action

log = logging.getLogger(__name__)

KEPT = "hand-offs"
"""Where in the state directory used files go, so that they can be looked at."""
USABLE = ("valid", "superseded")


@dataclass(frozen=True)
class HandOff:
    """`state` as `next_action.Validity`; `task`: the one it names as next, where that may run; `words`: what the agent
    is told; `message`: what a person is told."""

    state: str
    message: str
    task: plans.Task | None = None
    words: str = ""

    @property
    def usable(self) -> bool:
        return self.state in USABLE

    def to_json(self) -> dict[str, Any]:
        return {"state": self.state, "message": self.message, "task": self.task.id if self.task else None}


def look(root: Path, plan: plans.Plan, *, old_too: bool = False) -> HandOff | None:
    """The hand-off that lies in the project, None when there is none. `old_too`: its age does not count. Blocks."""
    try:
        action, faults, there = next_action.load(root)
    except DevloopError as problem:
        return HandOff("invalid", problem.sentences)
    if not there:
        return None
    done = {task.id.lower() for task in plan.tasks if task.done}
    found = next_action.validity(action, datetime.now(UTC), plan_exists=True, done=done)
    if old_too and action is not None and found.state == "stale":
        found = next_action.Validity("valid", found.days, "")
    if action is None or found.state not in USABLE:
        told = f"{faults[0]}. {found.message}" if action is None and faults else found.message
        return HandOff(str(found), told)
    following = None
    if found.state == "valid" and action.next_task is not None and action.next_task.id:
        wanted = [task for task in plan.tasks if task.id.lower() == action.next_task.id.lower()]
        if len(wanted) == 1 and not plans.may_run(plan, wanted[0]):
            following = wanted[0]
    when = action.saved_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return HandOff(str(found), f"Going on from the hand-off of {when}.", following, _words(action, when))


def _words(action: next_action.NextAction, when: str) -> str:
    told = printable("\n".join(part for part in (action.handoff.strip(), action.notes.strip()) if part))
    if not told:
        return ""
    last = action.last_completed
    after = f", after task {one_line(f'{last.id} {last.description}', 120)}" if last else ""
    return f"Hand-off of the session before ({when}{after}):\n{cut(told, next_action.MAX_HAND_OFF)}"


def with_words(task: dict[str, Any], found: HandOff) -> dict[str, Any]:
    """The task as the engine takes it, with the hand-off among its notes."""
    if not found.words:
        return task
    return {**task, "notes": "\n\n".join(part for part in (str(task.get("notes") or ""), found.words) if part)}


def used(root: Path, state: StateDir) -> None:
    """A run was reached: move the file into the state directory. Failing is logged; the run goes on. Blocks."""
    try:
        keep(root, state)
        beneath.remove(root, next_action.PATH)
    except (DevloopError, OSError) as problem:
        log.warning("the hand-off that was used could not be put away: %s", problem)


def keep(root: Path, state: StateDir) -> None:
    """A copy of the file in the state directory, named by its content."""
    data = read_bytes(root, next_action.PATH)
    if data is None:
        return
    kept = state.path / KEPT
    with contextlib.suppress(FileExistsError):
        kept.mkdir(mode=0o700)
    (kept / f"{hashlib.sha256(data).hexdigest()[:16]}.json").write_bytes(data)
