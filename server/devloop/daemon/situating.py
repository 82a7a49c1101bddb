"""The facts that `state.situation` decides by, from the files of a project. No daemon and no engine is needed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from devloop import plan as plans
from devloop.daemon.documents import Documents
from devloop.daemon.unlanded import unlanded
from devloop.errors import DevloopError
from devloop.own_files import own_file
from devloop.redact import one_line
from devloop.state import issues, next_action, spikes
from devloop.state.situation import Facts, IssueFacts, PlanFacts, Situation, needs_git, situation
from devloop.state.storing import markdown_files
from devloop.workspace import Repository

MAX_ISSUES: Final = 500


async def look(root: Path, now: datetime | None = None, plan: Path | None = None) -> tuple[Situation, Facts]:
    """The situation at `root`, and what it was decided by. git is asked only when it matters. Never raises on what
    files hold."""
    facts = gather(root, now or datetime.now(UTC), plan)
    if facts.plan is not None and facts.plan.state == "all_complete":
        facts = replace(facts, unlanded=await unlanded(root))
    if needs_git(facts):
        facts = replace(facts, uncommitted=await _uncommitted(root))
    return situation(facts), facts


def gather(root: Path, now: datetime, plan: Path | None = None) -> Facts:
    """Everything but what git knows. Blocks."""
    part, done = _plan(root, plan)
    facts = Facts(plan=part)
    with contextlib.suppress(DevloopError):
        action, _, there = next_action.load(root)
        if there:
            found = next_action.validity(action, now, plan_exists=part is not None, done=done)
            following = action.next_task if action is not None else None
            task = one_line(following.id or "", 40) if following is not None else ""
            facts = replace(facts, hand_off=found.state, hand_off_task=task, hand_off_days=found.days)
    with contextlib.suppress(DevloopError):
        known = [each for each in issues.scan(root)[0][:MAX_ISSUES] if each.is_open]
        listed = [IssueFacts(each.id, one_line(each.title, 100), each.type, each.priority) for each in known]
        facts = replace(facts, issues=tuple(listed))
    path, age = _newest(root, now)
    return replace(facts, spike=path, spike_age_h=age)


def _plan(root: Path, explicit: Path | None) -> tuple[PlanFacts | None, frozenset[str]]:
    try:
        found, plan = Documents(root, explicit).plan()
    except DevloopError:
        return None, frozenset()
    selection, counts = plans.select(plan), plan.stats.tasks
    following = selection.task
    part = PlanFacts(
        path=found.relative,
        name=one_line(plan.name, 80),
        state=selection.state,
        done=counts.done,
        total=counts.total,
        next_id=one_line(following.id, 40) if following else "",
        next_title=one_line(following.title, 100) if following else "",
        unwritten=following is not None and following.unwritten,
        blocked_by=_short(selection.blocked_by),
    )
    return part, frozenset(task.id.lower() for task in plan.tasks if task.done)


def _short(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(each, 40) for each in names[:10])


def _newest(root: Path, now: datetime) -> tuple[str, float]:
    """The spike that was written last, and its age in hours."""
    found: list[tuple[float, str]] = []
    with contextlib.suppress(DevloopError):
        for name in markdown_files(root, spikes.FOLDER):
            with contextlib.suppress(OSError):
                found.append((own_file(root, name).stat().st_mtime, name))
    if not found:
        return "", 0.0
    at, name = max(found)
    return one_line(name, 120), (now.timestamp() - at) / 3600


async def _uncommitted(root: Path) -> int:
    """How many files are; none outside of a repository."""
    try:
        return len(await (await Repository.discover(root, born=False)).dirty())
    except DevloopError:
        return 0
