"""What a durable step is: DBOS keeps its outcome, it waits for a slot, it stops when the person cancels the run.

Steps never raise what a person should read; they answer `{"outcome": ...}`, because an error that is read back after a
crash has lost its class (engine §3 c).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS

from devloop.engine.context import Context, context
from devloop.engine.faults import boundary
from devloop.engine.position import Outcome
from devloop.errors import DevloopError
from devloop.store import storage_problem

log = logging.getLogger(__name__)

Work = Callable[..., Awaitable[Outcome]]


def step(name: str, *, slot: bool = False, cancellable: bool = True) -> Callable[[Work], Work]:
    """Declare a step. `slot`: it works, so it waits for a slot; without `cancellable` it always runs to its end."""

    def declare(function: Work) -> Work:
        @DBOS.step(name=name, preemptible=True)
        async def durable(run: str, *args: Any) -> Outcome:
            boundary(f"{name}:begin")
            ctx = context()
            work = _guarded(ctx, run, function, args, slot=slot)
            outcome = await (ctx.cancelling.unless_cancelled(run, work) if cancellable else work)
            ctx.recoveries.progress(run)
            boundary(f"{name}:end")
            return outcome

        return durable

    return declare


async def _guarded(ctx: Context, run: str, function: Work, args: tuple[Any, ...], *, slot: bool) -> Outcome:
    try:
        if slot and not ctx.slots.take(run):
            ctx.services.wait_for(run, f"a free slot ({ctx.slots.limit} at work)")
            await ctx.slots.acquire(run)
            ctx.services.wait_for(run, None)
        return await function(ctx, run, *args)
    except DevloopError as problem:
        return {"outcome": "failed", "reason": problem.message, "hint": problem.hint, "kind": problem.kind}
    except Exception as problem:
        log.exception("a step of run %s failed", run)
        known = storage_problem(problem)
        if known is not None:
            return {"outcome": "failed", "reason": known.message, "hint": known.hint, "kind": known.kind}
        reason = f"devloop met an error of its own ({type(problem).__name__}); the engine's log has the details."
        return {"outcome": "failed", "reason": reason}
