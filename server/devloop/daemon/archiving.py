"""Archiving finished phases: a file for each in `.devloop/archive/`, then the plan without them (state-files §10)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from devloop import own_files
from devloop import plan as plans
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import DevloopError, Refused, StaleEdit, UsageError
from devloop.plan import refactor
from devloop.state import worklog
from devloop.state.storing import update

log = logging.getLogger(__name__)

WORKLOG = worklog.PATH


async def archive(documents: Documents, params: Mapping[str, Any]) -> tuple[dict[str, Any], PlanText]:
    """Archive the phases that are named, or all finished ones: `{"path", "phases", "files", "worklog"}`.

    The files are written first: whatever fails then, nothing is lost. Raises `UsageError` for what can't be archived,
    `StaleEdit` when the plan is changed at the same time; then no file is left behind.
    """
    names = _names(params)
    found, plan = await asyncio.to_thread(documents.plan)
    if PurePath(found.relative).is_absolute():
        raise Refused(f"The plan {found.relative} lies outside the repository; its phases are not archived here.")
    now = datetime.now().astimezone()
    wanted = refactor.archive(plan, [plans.find_phase(plan, name) for name in names] if names else None, now)

    def edits_of(current: plans.Plan) -> Sequence[plans.Edit]:
        """May be called again for another text: what is archived there must be what stands in the files."""
        phases = [phase for phase in current.phases if phase.id in wanted.phases]
        if not phases:
            return ()
        again = refactor.archive(current, phases, now)
        if again.files != wanted.files:
            raise StaleEdit("The plan was changed meanwhile.", hint="Look at it and archive again.")
        return again.edits

    written = await asyncio.to_thread(_write, documents.root, wanted.files)
    try:
        after, _ = await documents.record(edits_of, f"devloop: archive phase {', '.join(wanted.phases)}")
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    if wanted.worklog:
        await asyncio.to_thread(_keep_lines, documents.root, plan, wanted.worklog, now)
    answer = {
        "path": after.relative,
        "phases": list(wanted.phases),
        "files": [path.relative_to(documents.root).as_posix() for path in written],
        "worklog": len(wanted.worklog),
    }
    return answer, after


def _names(params: Mapping[str, Any]) -> list[str]:
    phases = params.get("phases")
    if phases is None:
        return []
    if not isinstance(phases, list) or not all(isinstance(each, str) and each for each in phases):
        raise UsageError("`phases` must be a list of names, or null for all finished ones.")
    return phases


def _write(root: Path, files: Sequence[tuple[str, str]]) -> list[Path]:
    written: list[Path] = []
    try:
        for name, text in files:
            try:
                own_files.write(root, f"{refactor.FOLDER}/{name}", text.encode("utf-8", "surrogateescape"), new=True)
            except FileExistsError:
                told = f"There is a file {refactor.FOLDER}/{name} already."
                raise Refused(told, hint="Try again in a second.") from None
            written.append(root / refactor.FOLDER / name)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _keep_lines(root: Path, plan: plans.Plan, lines: Sequence[str], now: datetime) -> None:
    """Old lines of the log go to the worklog. The plan's history has them too, so failing is only logged."""
    try:
        update(root, WORKLOG, lambda old: worklog.with_lines(old or worklog.new(root.name, plan.name, now), lines, now))
    except (DevloopError, OSError) as problem:
        log.warning("old lines of the log could not be kept in the worklog: %s", problem)
