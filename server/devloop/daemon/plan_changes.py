"""What a person changes in the plan from a list: how a task stands, where it stands, what it waits for.

The plan's owner may do all of it; an agent can't get here. Each change is an edit of `plan/`, made in the open buffer
or the file (`Documents.record`), and answers with the task as it is then: `{"path", "changed", "task"}`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from devloop import plan as plans
from devloop.daemon import plan_events
from devloop.daemon.board import Board
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.open_plans import EditsOf
from devloop.daemon.plan_view import task_row
from devloop.errors import DevloopError, Refused, StaleEdit, UsageError
from devloop.plan import refactor
from devloop.redact import one_line

Params = Mapping[str, Any]
Answer = dict[str, Any]

PATIENCE_S: Final = 2.0
"""How long an engine that has to start first may take to say which tasks are in hand."""
MAX_NAMES: Final = 500
_DONE_WITH: Final = {"todo": "opened again", "skip": "skipped", "block": "blocked", "done": "ticked"}


class PlanChanges:
    """`changed` is told each new text of an open plan; what is written to the file the watch sees."""

    def __init__(self, documents: Documents, board: Board, changed: Callable[[PlanText], None]) -> None:
        self._documents, self._board, self._changed = documents, board, changed
        self._one_at_a_time = asyncio.Lock()

    async def mark(self, params: Params) -> Answer:
        """`task`, `to` (`todo`, `skip`, `block`, `done`), `reason`. A task whose run is open is refused."""
        to, reason = params.get("to"), params.get("reason")
        if to not in refactor.MARKS:
            said = "" if to is None else f" {one_line(str(to), 40)!r} is none of them."
            raise UsageError(f"Mark it how?{said}", hint=f"`to` is one of {', '.join(refactor.MARKS)}.")
        if not isinstance(reason, str | None):
            raise UsageError("`reason` must be text.")
        await self._board.known(PATIENCE_S)
        async with self._one_at_a_time:
            plan, task = await self._find(params)
            self._must_be_free(plan, task, str(to))
            event = refactor.mark(plan, task, to, reason or "", datetime.now().astimezone())
            return await self._record(
                lambda now: refactor.marked(now, event), task, f"{to} {task.id}", plan_events.about(event), event
            )

    async def move(self, params: Params) -> Answer:
        """`task`, and one of `before`, `after` (a task) and `phase` (to its end). Its run goes on: it finds its task by
        id and title, wherever that stands."""
        given = [name for name in ("before", "after", "phase") if params.get(name) is not None]
        if len(given) != 1:
            raise UsageError("Move it where?", hint="Say one of `before` (a task), `after` (a task), `phase`.")
        async with self._one_at_a_time:
            plan, task = await self._find(params)
            ref = plans.TaskRef.of(task)
            if given == ["phase"]:
                phase = plans.find_phase(plan, _text(params, "phase")).id

                def edits_of(now: plans.Plan) -> Sequence[plans.Edit]:
                    return refactor.place(now, plans.locate(now, ref), phase=plans.find_phase(now, phase))
            else:
                other = plans.TaskRef.of(_task(plan, params, given[0]))

                def edits_of(now: plans.Plan) -> Sequence[plans.Edit]:
                    beside = plans.locate(now, other)
                    here = plans.locate(now, ref)
                    if given == ["before"]:
                        return refactor.place(now, here, before=beside)
                    return refactor.place(now, here, after=beside)

            edits_of(plan)  # what is wrong with the wish itself is said now
            return await self._record(edits_of, task, f"move {task.id}")

    async def depends(self, params: Params) -> Answer:
        """`task`, `on`: all that it is to wait for by its own word; an empty list for nothing."""
        on = params.get("on")
        if not isinstance(on, list) or not all(isinstance(each, str) and each.strip() for each in on):
            raise UsageError("`on` must be a list of ids; empty when it waits for nothing.")
        if len(on) > MAX_NAMES:
            raise UsageError(f"`on` names more than {MAX_NAMES} tasks.", hint="Name a range or a phase.")
        async with self._one_at_a_time:
            plan, task = await self._find(params)
            ref = plans.TaskRef.of(task)

            def edits_of(now: plans.Plan) -> Sequence[plans.Edit]:
                return refactor.depend(now, plans.locate(now, ref), on)

            edits_of(plan)
            return await self._record(edits_of, task, f"what {task.id} waits for")

    async def _find(self, params: Params) -> tuple[plans.Plan, plans.Task]:
        _, plan = await asyncio.to_thread(self._documents.plan)
        return plan, _task(plan, params, "task")

    def _must_be_free(self, plan: plans.Plan, task: plans.Task, to: str) -> None:
        run = self._board.of_plan(plan).get(task.line)
        if run is None or not run.open:
            return
        name = one_line(task.label, 80)
        if run.needs_person:
            hint = f"Decide there first (`devloop decide {run.id}`), for example to discard the work."
            raise Refused(f"{name} can't be {_DONE_WITH[to]}: its run {run.id} waits for you.", hint=hint, run=run.id)
        hint = f"End it first: devloop cancel {run.id}."
        raise Refused(f"{name} can't be {_DONE_WITH[to]}: its run {run.id} is {run.state}.", hint=hint, run=run.id)

    async def _record(
        self, edits_of: EditsOf, task: plans.Task, label: str, about: str = "", event: plans.Event | None = None
    ) -> Answer:
        after, changed = await self._documents.record(
            _only_stale(edits_of), f"devloop: {one_line(label, 60)}", about, event
        )
        if changed and after.open:
            self._changed(after)
        _, plan = await asyncio.to_thread(self._documents.plan)
        found = plans.locate(plan, plans.TaskRef.of(task))
        row = task_row(plan, found, self._board.of_plan(plan).get(found.line))
        return {"path": after.relative, "changed": changed, "task": row}


def _only_stale(edits_of: EditsOf) -> EditsOf:
    """Whoever repeats a change in a later text (`open_plans`) understands only that it can't be made there."""

    def edits(plan: plans.Plan) -> Sequence[plans.Edit]:
        try:
            return edits_of(plan)
        except StaleEdit:
            raise
        except DevloopError as problem:
            raise StaleEdit(problem.message, hint=problem.hint) from problem

    return edits


def _task(plan: plans.Plan, params: Params, name: str) -> plans.Task:
    """The task that `params[name]` means: what a person calls it, or `{id, key, title, line}` as a front-end was told.

    Raises `NotFound`, `UsageError`, and `StaleEdit` for one that is no longer what it was.
    """
    reference = params.get(name)
    if isinstance(reference, Mapping):
        told = plans.TaskRef.from_json(reference)
        typed = told.id and not (told.key or told.title or told.line)
        return plans.find_task(plan, told.id) if typed else plans.locate(plan, told)
    return plans.find_task(plan, _text(params, name))


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value.strip():
        what = "phase" if name == "phase" else "task"
        raise UsageError(f"Which {what}?", hint=f'Name it: "{name}": "{"2" if what == "phase" else "1.2"}".')
    return value
