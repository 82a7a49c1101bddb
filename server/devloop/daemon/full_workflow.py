"""`devloop/start`: a request as the full workflow (agents reference §5).

The workflow is a plan: its phases are tasks with agents, which run in the ordinary loop, wait at ordinary checkpoints
and are shown where plans are shown.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from devloop import beginning, settings
from devloop import plan as plans
from devloop.daemon import importing, plan_events, wording
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import NotFound, Refused, UsageError
from devloop.redact import one_line, printable

Params = Mapping[str, Any]
Answer = dict[str, Any]

TEMPLATE: Final = "workflow"
ALWAYS: Final = ("clarification", "planning", "implementation")
"""Phases that nobody may leave out: nothing is built without a plan that a person approved."""
TITLE, GOAL, REQUEST = 80, 1_000, 20_000
"""Characters: of the plan's name, of what every agent is told, of what may be asked for."""


def phase_names() -> tuple[str, ...]:
    """What may stand in `workflow.skip_phases`, in lower case, in order."""
    return tuple(_name(phase) for phase in plans.parse(_template("", date.min)).phases)


def place_of_work(plan: plans.Plan) -> str | None:
    """The id of the phase that what is planned goes into: a person may have given it another name, or another number.
    None where it is gone."""
    ours = next(phase for phase in plans.parse(_template("", date.min)).phases if _name(phase) == "implementation")
    named = [phase for phase in plan.phases if _name(phase) == "implementation"]
    same = [phase for phase in plan.phases if phase.id == ours.id]
    return next((phase.id for phase in (*named, *same)), None)


async def begin(
    documents: Documents, params: Params, open_runs: Collection[str], admit: Callable[[Answer], Awaitable[None]]
) -> tuple[Answer, PlanText | None]:
    """Write the plan of the workflow: `{"path", "text", "skipped", "written", "archived", "patch"}`; with `write` false
    it is shown only. With `begins`, `admit` is asked about the first task: it raises where no run could begin, and then
    nothing is written. A plan that is finished goes to the archive; one that is not is replaced only with `replace`.

    Raises `UsageError` for a request or a phase that can't be meant, `Refused` where another plan is in hand.
    """
    text, replace = params.get("text"), params.get("replace") is True
    if not isinstance(text, str) or not text.strip():
        raise UsageError("What shall be done?", hint='For example: devloop start "Let people reset their password"')
    if len(text) > REQUEST:
        raise UsageError(f"That is too long ({len(text)} characters, {REQUEST} at most).", hint="Put it into a file.")
    skip = await asyncio.to_thread(_skipped, documents, params.get("skip") or ())
    plan = workflow(text, skip, datetime.now().astimezone())
    done = await asyncio.to_thread(_in_hand, documents)
    write = params.get("write") is not False
    if write and done is not None and not replace:
        raise Refused(
            f"There is a plan in hand: {done}.",
            hint="Finish it, or put it aside with --replace. Beside it: `devloop quick`; in it: `devloop plan revise`.",
        )
    if write and params.get("begins") is True:
        await admit(_first(plan))
    asked = {"text": plan, "source": beginning.PLAN, "as": "plan", "write": write, "replace": True}
    answer, after = await importing.import_plan(documents, asked, open_runs)
    kept = {name: answer[name] for name in ("path", "text", "written", "archived", "patch")}
    return {**kept, "skipped": list(skip)}, after


def workflow(request: str, skip: Sequence[str], now: datetime) -> str:
    """The plan for a request, without the phases named in `skip`: their tasks are there, marked as left out. Pure."""
    request = printable(request).strip()
    goal = one_line(" ".join(request.split()), GOAL)
    text = _template(request, now.date()).replace("**Workflow**: full\n", f"**Workflow**: full\n**Goal**: {goal}\n", 1)
    if goal != request:
        quoted = "\n".join(f"> {line}".rstrip() for line in request.split("\n"))
        first = "\n## Phase 0"  # with its line's begin: the goal may hold the same words
        text = text.replace(first, f"\n## Overview\n\n{quoted}\n{first}", 1)
    data = text.encode("utf-8", "replace")
    whole = plans.parse(data)
    for phase in whole.phases:
        if _name(phase) in skip:
            for at in plans.in_phase(whole, phase.id):
                event = plans.Event("skipped", plans.TaskRef.of(whole.tasks[at]), "left out from the start", now)
                data = plans.apply(data, plans.change(plans.parse(data), event))
    return data.decode()


def _first(text: str) -> Answer:
    plan = plans.parse(text)
    task = plans.select(plan).task
    assert task is not None, "phases that nobody may leave out are in every workflow"
    return plan_events.for_engine(plan, plans.task_json(task))


def _template(request: str, today: date) -> str:
    first = next((line.strip() for line in request.split("\n") if line.strip()), "Workflow")
    return beginning.plan_text(TEMPLATE, one_line(first, TITLE).lstrip("#-*> ") or "Workflow", today)


def _name(phase: plans.Phase) -> str:
    return phase.name.lower()


def _skipped(documents: Documents, wanted: Any) -> tuple[str, ...]:
    if not isinstance(wanted, list | tuple) or not all(isinstance(each, str) for each in wanted):
        raise UsageError("`skip` must be a list of phases.")
    own = settings.load(documents.root, dict(os.environ)).workflow.skip_phases
    known = phase_names()
    for name in wanted:
        if name.lower() not in known:
            can = ", ".join(each for each in known if each not in ALWAYS)
            raise UsageError(f"There is no phase {one_line(name, 40)!r}.", hint=f"There are: {can}.")
        if name.lower() in ALWAYS:
            raise UsageError(f"{name.capitalize()} is never left out: nothing is built without an approved plan.")
    chosen = {name.lower() for name in (*wanted, *own)} - set(ALWAYS)
    return tuple(name for name in known if name in chosen)


def _in_hand(documents: Documents) -> str | None:
    """What a plan that is not finished is called; None where there is none."""
    try:
        found, plan = documents.plan()
    except NotFound:
        return None
    left = [task for task in plan.tasks if task.pickable and not task.done]
    return f"{found.relative} with {wording.many(len(left), 'open task')}" if left else None
