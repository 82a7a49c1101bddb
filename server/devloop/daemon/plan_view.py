"""`devloop/plan`: the plan as people see it in a list: what it says, where each task stands, and its newest run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from devloop import plan as plans
from devloop.daemon.board import Board
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.plan_rules import all_problems
from devloop.daemon.run_view import RunView
from devloop.plan.export import problem_json

Answer = dict[str, Any]

PATIENCE_S: Final = 0.5
_BY_STATUS: Final = {
    "complete": "done",
    "skipped": "skipped",
    "in_progress": "partial",
    "blocked": "blocked",
    "deferred": "blocked",
    "unknown": "blocked",
}
"""What a task's marker says where no run is open. A pending one is `ready` or `waiting`."""


async def plan_view(documents: Documents, board: Board) -> Answer:
    """The plan as it is now, an open buffer before its file. Reading and looking at all tasks is done in a thread.

    `current` false: the engine that knows of earlier runs is only just starting; ask again when the status changed.
    Raises `NotFound` without a plan, `StorageError` when it can't be read.
    """
    current = await board.known(PATIENCE_S)
    found, plan = await asyncio.to_thread(documents.plan)
    shown = await asyncio.to_thread(view, found, plan, board.of_plan(plan), documents.root)
    return {**shown, "current": current}


def view(found: PlanText, plan: plans.Plan, runs: Mapping[int, RunView], root: Path) -> Answer:
    """As `plan show --json`, without the log, and each task with `state`, `blocked_by`, `run`, `pickable`.

    `runs`: the newest run of a task, by its line (`Board.of_plan`). A step that is not done waits for its task.
    """
    shown = plans.show(plan)
    del shown["log"]  # grows without end, and nobody lists it
    outlook = plans.Outlook(plan)
    startable = frozenset(outlook.startable)
    for at, (task, row) in enumerate(zip(plan.tasks, shown["tasks"], strict=True)):
        row |= _standing(outlook, at, task, runs.get(task.line), startable=at in startable)
    problems = all_problems(found, plan, root, datetime.now(UTC))
    return {
        "path": found.relative,
        "uri": found.path.resolve().as_uri(),
        "sha256": found.sha256,
        "open": found.open,
        "goal": plan.goal,
        **shown,
        "problems": [problem_json(each) for each in problems],
    }


def task_row(plan: plans.Plan, task: plans.Task, run: RunView | None) -> Answer:
    """The same for one task of the plan."""
    startable = not plans.may_run(plan, task)
    row = plans.task_json(task)
    return row | _standing(plans.Outlook(plan), plan.graph.by_line[task.line], task, run, startable=startable)


def _standing(outlook: plans.Outlook, at: int, task: plans.Task, run: RunView | None, *, startable: bool) -> Answer:
    state = _state(task, run, startable=startable)
    return {
        "state": state,
        "blocked_by": _waits(outlook, at, task) if state == "waiting" else [],
        "pickable": task.pickable,
        "run": run_json(run) if run is not None else None,
    }


def _state(task: plans.Task, run: RunView | None, *, startable: bool) -> str:
    """A run that is open says more than the marker, which may have been changed by hand meanwhile."""
    if run is not None and run.open:
        return "checkpoint" if run.needs_person else "working"
    if task.status != "pending":
        return _BY_STATUS[task.status]
    return "ready" if startable else "waiting"


def _waits(outlook: plans.Outlook, at: int, task: plans.Task) -> list[str]:
    """Ids, and `Phase 2` for what is open of a whole phase: each of its ids at each task that waits would be the square
    of the plan's length."""
    if not task.pickable:
        return [task.parent] if task.parent else []
    names = dict.fromkeys((*outlook.unmet_names(at), *task.cycle))
    if len(names) > 1:
        names.pop(task.id, None)  # a task that waits for nothing but itself says so
    return list(names)


def run_json(run: RunView) -> Answer:
    """A run in short. `checkpoint`: the number of the open one, `asks` its kind."""
    checkpoint = run.checkpoint or {}
    return {
        "id": run.id,
        "state": run.state,
        "outcome": run.outcome,
        "checkpoint": checkpoint.get("number"),
        "asks": checkpoint.get("kind"),
        "agent": run.agent,
        "mode": run.mode,
        "turn": run.turn,
        "turn_limit": run.turn_limit,
        "cost_usd": run.cost_usd,
        "scripted": run.scripted,
        "percentage": run.percentage,
        "line": run.line,
        "started": run.started,
        "ended": run.ended,
    }
