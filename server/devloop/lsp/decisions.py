"""Answering a checkpoint from an editor: which run is meant, and where the words come from that some decisions need."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from devloop import plan as plans
from devloop.daemon import wording
from devloop.errors import DevloopError, NotFound, StaleEdit, UsageError
from devloop.lsp.run_texts import checkpoint_number
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.daemon.board import Board
    from devloop.daemon.run_view import RunView
    from devloop.daemon.service import Service

log = logging.getLogger(__name__)


async def decide(
    service: Service,
    view: RunView,
    decision: str,
    message: str | None = None,
    checkpoint: int | None = None,
    leave_out: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Answer the run's checkpoint: `{"run", "checkpoint", "decision", "leave_out"}`.

    Words that are needed and not given are taken from the lines `> revise: …` below the task, which are removed when
    they were passed on. Raises `UsageError` that says how to give them, and what the engine refuses.
    """
    offered = (view.checkpoint or {}).get("decisions") or ()
    if view.needs_person and offered and decision not in offered:
        raise UsageError(
            f"{one_line(decision, 40)!r} is not possible here.",
            hint=f"Choose one of: {', '.join(str(each) for each in offered)}.",
        )
    words, written = (message or "").strip(), False
    if not words and decision in wording.QUESTIONS and view.needs_person:
        words = await asyncio.to_thread(written_below, service, view, decision)
        if not words:
            raise UsageError(how_to_say(view, decision))
        written = True
    params: dict[str, Any] = {
        "run": view.id,
        "decision": decision,
        "message": words or None,
        "checkpoint": checkpoint if checkpoint is not None else checkpoint_number(view),
    }
    if leave_out:
        params["leave_out"] = list(leave_out)
    answer: dict[str, Any] = await service.call("devloop/decide", params)
    if written:
        await _remove_lines(service, view, decision, words)
    return answer


def how_to_say(view: RunView, decision: str) -> str:
    """What to do when a decision needs words and there are none."""
    wanted = {"revise": "what should change", "answer": "the answer", "block": "the reason"}[decision]
    task = one_line(view.task, 40)
    return (
        f"Say {wanted}: write a line `> {decision}: …` below task {task} and decide again, or use "
        f'`devloop decide {view.id} {decision} --message "…"`.'
    )


def written_below(service: Service, view: RunView, word: str) -> str:
    """What the plan (the open buffer, else the file) says below the run's task; "" for nothing. Blocks."""
    try:
        _, plan = service.documents.plan()
        found = plans.reply(plan, task_of(plan, view), word)
    except DevloopError:
        return ""
    return found.text if found else ""


async def _remove_lines(service: Service, view: RunView, word: str, passed_on: str) -> None:
    """Unless something else is written there by now: nobody has read that."""

    def edits_of(plan: plans.Plan) -> tuple[plans.Edit, ...]:
        found = plans.reply(plan, task_of(plan, view), word)
        return found.edits if found and found.text == passed_on else ()

    try:
        await service.documents.record(edits_of, f"devloop: {word} was passed on")
    except DevloopError as problem:
        log.info("what was passed on could not be removed from the plan: %s", problem.message)


def task_of(plan: plans.Plan, view: RunView) -> plans.Task:
    """The task of a run: by id and title, else by its title, else by the id that stands in the text.

    Raises `StaleEdit` when it is not in the plan any more. Costs the same in a short and in a long plan as long as the
    task is where its id says.
    """
    try:
        return plans.locate(plan, plans.TaskRef(view.task, view.key, view.title))
    except StaleEdit:
        members = [plan.tasks[at] for at in plan.graph.by_id.get(view.task.lower(), ())]
        if len(members) == 1 and members[0].explicit:
            return members[0]
        raise


def run_of(board: Board, task: plans.Task) -> RunView:
    """The newest run of a task. Raises `NotFound`."""
    view = board.of_task(task)
    if view is None:
        raise NotFound(f"Task {one_line(task.id, 40)} has no run.")
    return view


def waiting_run(board: Board, run: str | None, task: plans.Task | None) -> RunView:
    """The run whose checkpoint is meant: named, that of the task, or the only one that waits. Raises `NotFound`,
    `UsageError`."""
    if run is not None:
        view = board.run(run)
        if view is None:
            raise NotFound(f"There is no run {one_line(run, 80)!r}.")
        return view
    if task is not None:
        return run_of(board, task)
    waiting = [view for view in board.open if view.needs_person]
    if not waiting:
        raise NotFound("No run waits for a decision.", hint="`devloop runs` lists what there is.")
    if len(waiting) > 1:
        raise UsageError(f"{len(waiting)} runs wait: {', '.join(view.id for view in waiting[:5])}.", hint="Say which.")
    return waiting[0]
