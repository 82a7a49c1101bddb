"""What was accepted and has not landed, where no run is left that could land it: at once where the gates saw what comes
of it, else by a run that lets them see it first."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from devloop.engine import deciding_one
from devloop.engine.answers import summary
from devloop.engine.context import Context
from devloop.engine.waking import send_decision
from devloop.errors import Refused
from devloop.runs import acceptance
from devloop.runs.services import Services
from devloop.runs.spec import LAND, Errand, LoopSpec, PlanSpec, RunSpec, TaskSpec

Row = dict[str, Any]
TASK = f"@{LAND}"


async def land(ctx: Context, may_work: Callable[[], Awaitable[None]]) -> Row:
    """`{"commits": how many landed, "branch", "old", "new", "run": null, or the run that runs the gates and lands}`.
    `may_work` raises where no gate could run."""
    from devloop.engine.workflow import start

    services = ctx.services
    planned = await services.workspace.plan_landing()
    if not planned.needs_gates:
        landed = await acceptance.land_rest(services)
        await _let_go(services)
        return {**landed, "run": None}
    async with ctx.starting:
        known = services.store.find_runs(task=TASK, open_only=True)
        if not known:
            await may_work()
        row = known[0] if known else _record(services, planned.branch)
    await start(row["id"])
    return {"commits": 0, "branch": planned.branch, "old": planned.old, "new": planned.old, "run": row["id"]}


async def _let_go(services: Services) -> None:
    """What a person merged by hand needs no gates any more: a landing that waits for an answer ends."""
    for row in services.store.find_runs(task=TASK, open_only=True):
        with contextlib.suppress(Refused):  # it waits no more
            answer, message = await deciding_one.record(services, {"run": row["id"], "decision": "commit"})
            await send_decision(row["id"], answer["checkpoint"], answer["decision"], message)


def _record(services: Services, branch: str) -> Row:
    """A run without an agent, so that this can be seen, cancelled and taken up after a crash as any other."""
    attempt = services.store.last_attempt(f"run-{LAND}-") + 1
    accepted = acceptance.not_landed(services)
    spec = RunSpec(
        id=f"run-{LAND}-{attempt}",
        attempt=attempt,
        task=TaskSpec(id=TASK, title=f"accepted work onto {branch}", errand=Errand(command=LAND)),
        plan=services.spec(accepted[0]["id"]).plan if accepted else PlanSpec(),
        loop=LoopSpec(id=f"loop-{secrets.token_hex(4)}"),
        agent="devloop",
        mode=LAND,
        model="none",
    )
    row = services.store.create_run(
        {
            **{name: getattr(spec, name) for name in ("id", "attempt", "agent", "mode", "model")},
            "task_id": TASK,
            "task_key": "",
            "title": spec.task.title,
            "scripted": False,
            "state": "queued",
            "turn": 0,
            "context_tokens": 0,
            "cancel": False,
            "loop": spec.loop.id,
            "spec": spec.model_dump(mode="json"),
        }
    )
    services.events.emit("run.queued", summary(services, row), row["id"])
    return row
