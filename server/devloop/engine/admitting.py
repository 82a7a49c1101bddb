"""Beginning runs of tasks as a person asks for it: attached to, or refused, or recorded and started."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from devloop import sandbox, trust
from devloop.engine.context import Context
from devloop.engine.following import as_group, together
from devloop.engine.starting import new_loop, open_run_of, record_run, record_runs
from devloop.errors import Refused, RepositoryUnfit
from devloop.runs import money
from devloop.runs.appointing import appoint
from devloop.runs.prepare import TRUSTED_KINDS
from devloop.runs.services import Services
from devloop.runs.spec import PlanSpec, RunSpec, TaskSpec
from devloop.runs.tooling import no_sandbox

Row = dict[str, Any]


async def start(ctx: Context, params: Row) -> Row:
    """Begin a run of a task, or attach to the one that has it in hand. `beside`: tasks of its group that begin with
    it, as one loop."""
    from devloop.engine import workflow

    services = ctx.services
    task = TaskSpec.model_validate(params["task"])
    async with ctx.starting:
        known = open_run_of(services, task)
        if known is not None:
            found = {name: known[name] for name in ("attempt", "state", "title")}
            return {"run": known["id"], **found, "attached": True}
        rows = await _record(services, task, params)
    for row in rows:
        await workflow.start(row["id"])
    row = rows[0]
    choice = services.spec(row["id"]).choice
    found = {"run": row["id"], "attempt": row["attempt"], "state": row["state"], "attached": False}
    return {**found, "choice": choice, "runs": [each["id"] for each in rows]}


async def _record(services: Services, task: TaskSpec, params: Row) -> list[Row]:
    """The runs that begin now, the task's own first. Raises what speaks against one of them, before any is recorded."""
    loop = new_loop(services, params.get("loop") or {})
    beside = [TaskSpec.model_validate(each) for each in params.get("beside") or ()]
    tasks = together(services, loop, [task, *(each for each in beside if open_run_of(services, each) is None)])
    for each in tasks:
        await may_start(services, each, loop.decide)
    plan = PlanSpec.model_validate(params.get("plan") or {})
    if len(tasks) == 1:
        return [record_run(services, task, plan, loop)]
    return record_runs(services, tasks, plan, as_group(loop, len(tasks), str(params["task"].get("group") or "")))


async def may_start(services: Services, task: TaskSpec, decide: str | None) -> None:
    """Say no before anything is recorded, with what to do about it."""
    await may_work(services, unattended=bool(decide))
    appointed = await asyncio.to_thread(appoint, services, task, unattended=decide is not None)
    spec = RunSpec.model_construct(task=task, model=appointed.model)
    services.model_for(spec)  # raises where there is none
    refusal = None if services.settings.model.scenario else money.refusal(services, spec.model)
    if refusal:
        raise Refused(refusal, hint="Set a cap in tokens instead, or a price for the model in your config.toml.")


async def may_work(services: Services, *, unattended: bool = False) -> None:
    """Raises where no command could run and no work be kept: a folder shut, content not trusted, no sandbox."""
    shut = [place for place in services.workspace.repository.places if not os.access(place, os.W_OK)]
    if shut:
        raise RepositoryUnfit(
            f"{shut[0]} can't be written, so no work could be kept.",
            hint="Check that it is yours and that its file system is writable.",
        )
    trust.require(services.root, services.state.trust_file, TRUSTED_KINDS)
    detected = await services.sandbox()
    if sandbox.refused(detected.state, require=services.settings.sandbox.require, unattended=unattended):
        raise no_sandbox(detected, unattended=unattended)
