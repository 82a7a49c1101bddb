"""Accepting a run's work without some of its files.

The run's commit, branch and worktree stay whole until the rest is accepted: a commit beside it, of the same parent and
message, holds the rest, and all gates run on that one. Where they are not green the person decides again, and every
decision is as possible as before. Each function is one durable step, or a part of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devloop.errors import DevloopError, UsageError
from devloop.lists import some
from devloop.redact import PLACEHOLDER, file_name
from devloop.runs import paths_told, proposing
from devloop.runs.services import Services
from devloop.runs.spec import ACCEPTING

Outcome = dict[str, Any]

MAX_PATHS = 10_000
_NAMED = 10


async def checked(services: Services, row: Outcome, kind: str, decision: str, wanted: Any) -> tuple[str, ...]:
    """The paths that a decision at a checkpoint of that kind leaves out, as it names them, each once.

    Raises `UsageError` where it can't; what can be said only of the commit itself says `Workspace.leave_out`.
    """
    if wanted is None or wanted == []:
        return ()
    if not isinstance(wanted, list) or not all(isinstance(path, str) for path in wanted) or len(wanted) > MAX_PATHS:
        raise UsageError(f"`leave_out` must be a list of paths, {MAX_PATHS:,} at most.")
    if decision not in ACCEPTING:
        raise UsageError(
            f"Nothing can be left out with {decision}.", hint=f"Leave out files with {', '.join(ACCEPTING)}."
        )
    if wanted == [proposing.PLAN] and kind == "decision" and proposing.may_leave_out(services, row["id"]):
        return (proposing.PLAN,)
    if kind != "decision" or row["commit_id"] is None:
        raise UsageError("There is no work to accept here, so nothing can be left out of it.")
    paths = tuple(dict.fromkeys(wanted))
    await services.workspace.leave_out(row["commit_id"], await _meant(services, row, row["commit_id"], paths))
    return paths


async def _meant(services: Services, row: Outcome | None, commit: str, wanted: Sequence[str]) -> list[str]:
    """As git names what was shown without its secrets. What is kept of a decision is what was shown."""
    if row is None or not any(PLACEHOLDER.search(path) for path in wanted):
        return list(wanted)
    changed = await services.workspace.diff(row["base"], commit, limit=0)
    there = [path for file in changed.files for path in (file.path, file.old_path)]
    names = paths_told.Names(services, row["id"])
    return [names.meant(path, there) for path in wanted]


async def reduce(services: Services, run: str, commit: str, paths: Sequence[str]) -> Outcome:
    """The commit without these files: `{"outcome": "reduced", "commit", "left_out"}`, or `failed`."""
    services.set_state(run, "checking")
    try:
        meant = await _meant(services, services.store.run(run), commit, paths)
        made = await services.workspace.leave_out(commit, meant)
    except DevloopError as problem:
        return {"outcome": "irreducible", "reason": f"{problem.message} {problem.hint}".strip()}
    left_out = [*map(paths_told.Names(services, run), made.left_out)]
    return {"outcome": "reduced", "commit": made.commit, "left_out": left_out}


async def set_aside(services: Services, run: str, left_out: Sequence[str]) -> Outcome:
    """Once the rest is accepted: keep the whole work for a while, and say what was left out."""
    kept = await services.workspace.keep(run)
    where = f"; all of the run's work stays reachable for 30 days as refs/devloop/discarded/{run}" if kept else ""
    services.notice(run, f"Left out of what was accepted: {listed(left_out)}{where}.")
    return {"outcome": "set_aside"}


def listed(paths: Sequence[str]) -> str:
    return some(paths, _NAMED, lambda path: file_name(path, 100))


def not_green(paths: Sequence[str], why: str) -> str:
    """What a person is told when the rest alone does not pass."""
    return f"Without {listed(paths)} the work can't be accepted: {why}. Nothing was accepted or changed; decide again."
