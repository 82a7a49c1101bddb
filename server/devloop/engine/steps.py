"""The durable steps of a run: thin wrappers that turn `runs/` into DBOS steps.

Every step is at least once (engine §5 rule 4): what it calls looks before it acts. What all of them share is in
`durable.py`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

from devloop.engine import grouping
from devloop.engine.context import Context
from devloop.engine.durable import step
from devloop.engine.ending import end
from devloop.engine.following import following
from devloop.engine.position import Outcome
from devloop.engine.starting import members_of
from devloop.errors import DevloopError
from devloop.gates import Gate
from devloop.runs import (
    acceptance,
    asking,
    checkpoint,
    checks,
    gathering,
    hooked_ends,
    leaving_out,
    passing,
    proposing,
    reporting,
)
from devloop.runs.hand_off import fresh_conversation, hand_off_file
from devloop.runs.prepare import gates_now as look_for_gates
from devloop.runs.prepare import prepare as prepare_run
from devloop.runs.transcript import Transcript
from devloop.runs.turn import take_turn

PLACE_S = 0.05
"""How often a run looks whether it is its turn to be accepted."""
LOOK_S = 0.2
"""How often a gathering run looks whether its members have ended."""


@step("prepare", slot=True)
async def prepare(ctx: Context, run: str) -> Outcome:
    return await prepare_run(ctx.services, run)


@step("turn", slot=True)
async def turn(ctx: Context, run: str, number: int, attempt: int) -> Outcome:
    return await take_turn(ctx.services, run, number, attempt)


@step("pause")
async def pause(ctx: Context, run: str, until: float, reason: str) -> Outcome:
    """Wait for the model's service until a moment; a restart does not begin the wait anew."""
    clock = datetime.fromtimestamp(until).astimezone().strftime("%H:%M:%S")
    waiting = f"the model, again at {clock}: {reason}"
    ctx.services.set_state(run, "working", waiting_for=waiting)
    ctx.services.events.emit("model.waiting", {"until": until, "reason": reason}, run)
    await asyncio.sleep(max(0.0, until - time.time()))
    return {"outcome": "waited"}


@step("hand_off", slot=True)
async def hand_off(ctx: Context, run: str, number: int) -> Outcome:
    return await fresh_conversation(ctx.services, run, number)


@step("tell")
async def tell(ctx: Context, run: str, number: int, text: str) -> Outcome:
    """Words for the agent: they are what turn `number` left unanswered."""
    Transcript(ctx.services.folder(run), ctx.services.redactor).answer(number, text)
    return {"outcome": "told"}


@step("run_allowed", slot=True)
async def run_allowed(ctx: Context, run: str, number: int, command: dict[str, Any]) -> Outcome:
    """The command that turn `number` asked for and the person allowed."""
    return await asking.run_allowed(ctx.services, run, number, command)


@step("commit", slot=True)
async def commit(ctx: Context, run: str, summary: str) -> Outcome:
    held = await hooked_ends.before_commit(ctx.services, run, summary)
    return held or await acceptance.commit(ctx.services, run, summary)


@step("begin_members", cancellable=False)
async def begin_members(ctx: Context, run: str) -> Outcome:
    """The runs of a gathering errand, recorded but not yet started: `{"outcome": "begun", "runs"}`."""
    ctx.slots.release(run)
    ctx.services.set_state(run, "working", waiting_for=gathering.ITS_PARTS)
    return {"outcome": "begun", "runs": await asyncio.to_thread(members_of, ctx.services, run)}


@step("members_ended")
async def members_ended(ctx: Context, run: str, members: list[str]) -> Outcome:
    """The records count: it may not be this process that ends them."""
    while True:
        rows = [ctx.services.store.run(member) for member in members]
        if all(row is None or row["state"] == "ended" for row in rows):
            return {"outcome": "ended"}
        await asyncio.sleep(LOOK_S)


@step("cancel_members", cancellable=False)
async def cancel_members(ctx: Context, run: str, members: list[str]) -> Outcome:
    for member in members:
        row = ctx.services.store.run(member)
        if row is not None and row["state"] != "ended":
            await end(ctx, row)
    return {"outcome": "cancelling"}


@step("gather_reports")
async def gather_reports(ctx: Context, run: str, members: list[str]) -> Outcome:
    return await asyncio.to_thread(gathering.gather, ctx.services, run, members)


@step("effect", cancellable=False)
async def effect(ctx: Context, run: str, message: str, ended: str, leave_out: list[str]) -> Outcome:
    """What accepting an errand does in the workspace; the daemon does it. `ended`: accepted or landed."""
    return await reporting.take_effect(ctx.services, run, message, ended, leave_out)


@step("propose", cancellable=False)
async def propose(ctx: Context, run: str, message: str, leave_out: list[str]) -> Outcome:
    """The change of the plan that a report asks for; the daemon makes it, once."""
    return await proposing.propose(ctx.services, run, message, leave_out)


@step("findings", slot=True)
async def findings(ctx: Context, run: str) -> Outcome:
    return await reporting.findings(ctx.services, run)


@step("gate", slot=True)
async def gate(ctx: Context, run: str, commit_id: str, declared: dict[str, Any], of: int) -> Outcome:
    row = ctx.services.store.run(run)
    assert row is not None
    ctx.services.set_state(run, "checking")
    one = Gate.from_json(declared)
    before = await checks.baseline(ctx.services, run, row["base"], (one,))
    result = await checks.check(ctx.services, run, commit_id, one, before.get(one.name), of=of)
    told = await checks.allowed(ctx.services, run, commit_id, checks.brief(result))
    return {"outcome": "checked", **told, "removed": told["removed"][:20]}


@step("gates_now", slot=True)
async def gates_now(ctx: Context, run: str) -> Outcome:
    return await look_for_gates(ctx.services, run)


@step("leaks", slot=True)
async def leaks(ctx: Context, run: str, commit_id: str) -> Outcome:
    """Whether a secret is in what the run commits."""
    return {"outcome": "checked", **checks.brief(await checks.leaked(ctx.services, run, commit_id))}


@step("guards", slot=True)
async def guards(ctx: Context, run: str, commit_id: str) -> Outcome:
    """What the work changes about its own checks."""
    return {"outcome": "checked", **await checks.guards(ctx.services, run, commit_id)}


@step("only", slot=True)
async def only(ctx: Context, run: str, commit_id: str, patterns: list[str]) -> Outcome:
    """Whether an errand changed nothing but what it may."""
    return {"outcome": "checked", **checks.brief(await checks.only(ctx.services, run, commit_id, patterns))}


@step("feedback")
async def feedback(ctx: Context, run: str, commit_id: str) -> Outcome:
    return {"outcome": "feedback", "text": checks.feedback_text(ctx.services, run, commit_id)}


@step("open_checkpoint")
async def open_checkpoint(ctx: Context, run: str, number: int, content: dict[str, Any]) -> Outcome:
    """Show the checkpoint to everybody; the run gives its slot to another while it waits."""
    services = ctx.services
    shown = await checkpoint.content(services, run, number, **content)
    shown = services.store.open_checkpoint(run, number, shown)
    told = grouping.opened(services, run, number, shown)
    ctx.slots.release(run)
    await _tell_hooks(ctx, told)
    return {"outcome": "opened"}


async def _tell_hooks(ctx: Context, told: list[str]) -> None:
    """Of the checkpoints of these runs, which everybody was just told of: of a group's, all at once."""

    async def tell(run: str) -> None:
        row = ctx.services.store.run(run)
        known = ctx.services.store.checkpoint(run, row["checkpoint"]) if row and row["checkpoint"] else None
        if known is not None:
            await hooked_ends.checkpoint_opened(ctx.services, run, known["content"])

    await asyncio.gather(*map(tell, told))


@step("by_rule", slot=True)
async def by_rule(ctx: Context, run: str, number: int, content: dict[str, Any], word: str) -> Outcome:
    """Decide by the loop's rule instead of a checkpoint: `passed`, or `due`."""
    return await passing.by_rule(ctx.services, run, number, content, word)


@step("take_place")
async def take_place(ctx: Context, run: str) -> Outcome:
    """One of a group: its work is accepted after that of the tasks before it. It holds no slot meanwhile."""
    ctx.slots.release(run)
    told: list[str] = []
    while first := grouping.before(ctx.services, run):
        if first != told:
            told = first
            ctx.services.wait_for(run, f"task {', '.join(first)} of its group")
        await asyncio.sleep(PLACE_S)
    if told:
        ctx.services.wait_for(run, None)
    return {"outcome": "placed"}


@step("close_checkpoint", cancellable=False)
async def close_checkpoint(ctx: Context, run: str, number: int, decided: Outcome) -> Outcome:
    """`decided`: decision, message, leave_out."""
    ctx.services.store.close_checkpoint(run, number, decided["decision"], decided["message"])
    ctx.services.set_state(run, "working", checkpoint=None)
    ctx.services.events.emit("checkpoint.closed", {"number": number, **decided}, run)
    return {"outcome": "closed"}


@step("leave_out", slot=True)
async def leave_out(ctx: Context, run: str, commit_id: str, paths: list[str]) -> Outcome:
    """The run's commit without the files that the person leaves out."""
    return await leaving_out.reduce(ctx.services, run, commit_id, paths)


@step("set_aside", cancellable=False)
async def set_aside(ctx: Context, run: str, left_out: list[str]) -> Outcome:
    return await leaving_out.set_aside(ctx.services, run, left_out)


@step("forecast", slot=True)
async def forecast(ctx: Context, run: str, commit_id: str) -> Outcome:
    return await acceptance.forecast(ctx.services, run, commit_id)


@step("accept", slot=True, cancellable=False)
async def accept(ctx: Context, run: str, commit_id: str | None, summary: str) -> Outcome:
    done = await acceptance.accept(ctx.services, run, commit_id, summary)
    if done["outcome"] == "accepted":
        await ctx.cancelling.unless_cancelled(run, hooked_ends.accepted(ctx.services, run, done["commit"], summary))
    return done


@step("plan_landing", slot=True)
async def plan_landing(ctx: Context, run: str) -> Outcome:
    return await acceptance.plan_landing(ctx.services, run)


@step("land", slot=True, cancellable=False)
async def land(ctx: Context, run: str, new: str) -> Outcome:
    done = await acceptance.land(ctx.services, run, new)
    if done["outcome"] == "landed":
        await ctx.cancelling.unless_cancelled(
            run, hooked_ends.landed(ctx.services, run, done["commit"], done["branch"])
        )
    return done


@step("fresh", cancellable=False)
async def fresh(ctx: Context, run: str) -> Outcome:
    await ctx.services.plan.hand_off(await hand_off_file(ctx.services, run))
    return {"outcome": "written"}


@step("finish", cancellable=False)
async def finish(ctx: Context, run: str, outcome: str, reason: str) -> Outcome:
    """The end of a run, whatever it was: the task's marker, the worktree, the record, the news."""
    services = ctx.services
    back = {"accepted": None, "landed": None, "partial": "partial", "discarded": "discarded", "blocked": "blocked"}
    kind = back.get(outcome, "reset")
    if kind is not None:
        await acceptance.give_back(services, run, kind, reason)
    kept = "failed" if outcome == "blocked" else outcome
    await hooked_ends.session_end(services, run, kept, reason)
    try:
        await acceptance.keep_or_drop(services, run, discarded=kept in ("discarded", "cancelled"))
    except DevloopError as problem:
        services.notice(run, f"The worktree could not be removed: {problem.message}")
    await checks.drop_baseline(services, run)
    services.store.release(run)
    services.set_state(run, "ended", outcome=kept, reason=reason, ended=time.time(), checkpoint=None)
    services.events.emit("run.ended", {"outcome": kept, "reason": reason}, run)
    told = grouping.look(services, run)
    ctx.slots.release(run)
    ctx.cancelling.forget(run)
    await _tell_hooks(ctx, told)
    return {"outcome": kept}


@step("next_run", cancellable=False)
async def next_run(ctx: Context, run: str) -> Outcome:
    """The runs that follow, recorded but not yet started: none when the loop ends, or another run goes on with it."""
    async with ctx.starting:
        return {"outcome": "next", "runs": await following(ctx.services, run)}
