"""What has to be in order before a loop begins: said (`advisory`), or insisted on (`strict`).

Each is one sentence that says what to do. A single task that a person names is only warned about.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from devloop import plan as plans
from devloop.daemon.documents import PlanText
from devloop.errors import DevloopError, Refused
from devloop.lists import some
from devloop.own_files import read_text
from devloop.redact import one_line
from devloop.workspace import Repository


async def before_loop(
    root: Path, found: PlanText, plan: plans.Plan, phase: str | None, *, strict: bool
) -> tuple[str, ...]:
    """The sentences; `phase`: that of the task which is to begin. Strict: raises `Refused` with all of them."""
    told = await asyncio.to_thread(_lagging, root, found, plan)
    if phase is not None and _begins(plan, phase):
        told += await _uncommitted(root)
    if told and strict:
        raise Refused(
            " ".join(told), hint='Put it in order, or set checkpoints.enforcement = "advisory" in your config.toml.'
        )
    return tuple(told)


def _lagging(root: Path, found: PlanText, plan: plans.Plan) -> list[str]:
    told = []
    errors = [each for each in plan.problems if each.severity == "error"]
    if errors:
        many = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        where = f"line {errors[0].line}: {one_line(errors[0].message, 160)}"
        told.append(f"The plan has {many}, in {where}; `devloop plan check` lists what to mend.")
    for look in (_plan_state, _worklog):
        try:
            told += look(root, found, plan)
        except DevloopError as problem:
            told.append(one_line(problem.sentences, 300))
    return told


def _plan_state(root: Path, found: PlanText, plan: plans.Plan) -> list[str]:
    """Brought in step where it can be; what can't be is told."""
    from devloop.state import plan_state

    if read_text(root, plan_state.PATH) is None or found.open:
        return []
    plan_state.write(root, plan, found.relative, datetime.now(UTC))
    return []


def _worklog(root: Path, found: PlanText, plan: plans.Plan) -> list[str]:
    """Commits that the plan's log names and the worklog does not."""
    from devloop.state import worklog

    text = read_text(root, worklog.PATH)
    if text is None:
        return []
    known = [row.hash for row in worklog.rows(text)]
    logged = [line.detail.split()[0] for line in plan.log if line.event == "committed" and line.detail.split()]
    lacking = [each for each in logged if not any(each.startswith(row) or row.startswith(each) for row in known)]
    if not lacking:
        return []
    many = "a commit" if len(lacking) == 1 else f"{len(lacking)} commits"
    return [f"The worklog lacks {many} of the plan's log ({one_line(lacking[0], 20)}): run `devloop worklog sync`."]


def _begins(plan: plans.Plan, phase: str) -> bool:
    """Whether the phase has not been begun while another one is over."""
    phases: dict[str | None, list[plans.Task]] = {}
    for task in plan.tasks:
        phases.setdefault(task.phase, []).append(task)
    mine = phases.pop(phase, [])
    begun = any(task.done or task.status == "in_progress" for task in mine)
    return not begun and any(all(task.done for task in tasks) for tasks in phases.values())


async def _uncommitted(root: Path) -> list[str]:
    try:
        dirty = await (await Repository.discover(root, born=False)).dirty()
    except DevloopError:
        return []
    names = [one_line(each.path, 80) for each in dirty if not each.path.startswith(".devloop/")]
    if not names:
        return []
    return [f"A phase is over and you have changes that are not committed ({some(names, 3)}): commit them."]
