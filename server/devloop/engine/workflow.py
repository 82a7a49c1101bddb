"""A run as a durable workflow: read it from top to bottom. Rounds of gates are in `verdicts.py`, checkpoints in
`waiting.py`, the decision on work that passed in `deciding.py`, what follows a yes in `accepting.py`.

Everything here and there is deterministic (engine §5 rule 3): no clock, no files, no settings; what varies comes out of
steps. A run that an older devloop began is replayed by this code: the steps it has finished must come in the same
order here (see `database.APPLICATION_VERSION`).
"""

from __future__ import annotations

from dbos import DBOS, SetWorkflowID

from devloop.engine import steps
from devloop.engine.accepting import accept, land_rest
from devloop.engine.context import context
from devloop.engine.deciding import decide
from devloop.engine.gathering import gather
from devloop.engine.holding import commit_work
from devloop.engine.position import Outcome, Position
from devloop.engine.reporting import report_and_ask
from devloop.engine.verdicts import feed_back, gate_round, look_again, why
from devloop.engine.waiting import ask, problem, question, said, without_accepting
from devloop.engine.waking import workflow_id
from devloop.runs import checkpoint
from devloop.runs.spec import ACCEPTING


@DBOS.workflow(name="run", max_recovery_attempts=None)
async def run_workflow(run: str) -> str:
    """One attempt at one task, to its end. Answers with the outcome."""
    context().alive.add(run)
    try:
        context().recoveries.begin(run)
        ready = await steps.prepare(run)
        if ready["outcome"] != "ready":
            return await _end(run, ready)
        at = Position(patience_s=ready["patience_s"])
        if ready.get("gathers"):
            ended = await gather(run, ready, at, start)
        elif ready.get("lands"):
            ended = await land_rest(run, ready, at)
        else:
            ended = await _until_accepted(run, ready, at)
        outcome = await _end(run, ended)
        if ended.get("goes_on") and not ready.get("errand"):
            following = await steps.next_run(run)
            for each in following.get("runs") or [following.get("run")]:  # an older engine knew one
                if each:
                    await start(each)
        return outcome
    finally:
        context().alive.discard(run)


async def start(run: str) -> None:
    """Start the workflow of a recorded run; starting it twice attaches to the first.

    Its place in the queue is taken here: whose workflow comes to its first step sooner is chance.
    """
    row = context().services.store.run(run)
    if row is not None and row["state"] == "queued":
        context().slots.ask(run)
    with SetWorkflowID(workflow_id(run)):
        await DBOS.start_workflow_async(run_workflow, run)


async def _until_accepted(run: str, ready: Outcome, at: Position) -> Outcome:
    """Work, check, ask; again after a revision. Answers with the run's end."""
    while True:
        worked = await _work(run, at)
        if worked["outcome"] == "question":
            answered = await question(run, at, worked)
            if answered is not None:
                return answered
            continue
        if worked["outcome"] == "unfit":
            told = await steps.tell(run, at.turn, worked["text"])
            if told["outcome"] != "told":
                return told
            continue
        if worked["outcome"] == "blocked":
            at.turn -= 1  # it was not made: words for the agent follow the one before, and it is tried again
            ended = await problem(run, at, worked["reason"], checkpoint.PAUSED, None)
            if ended is not None:
                return ended
            continue
        if worked["outcome"] != "finished":
            return worked
        finish = report_and_ask if ready.get("access") == "read" else _check_and_ask
        ended = await finish(run, ready, at, worked["summary"])
        if ended is not None:
            return ended


async def _work(run: str, at: Position) -> Outcome:
    """Turn after turn, until the agent is finished, asks, or can't go on."""
    attempt = 0
    at.turn += 1
    while True:
        outcome = await steps.turn(run, at.turn, attempt)
        match outcome["outcome"]:
            case "go_on":
                at.turn, attempt = at.turn + 1, 0
            case "wait":
                attempt += 1
                waited = await steps.pause(run, outcome["until"], outcome["reason"])
                if waited["outcome"] != "waited":
                    return waited
            case "hand_off":
                handed = await steps.hand_off(run, at.turn)
                if handed["outcome"] != "handed_off":
                    return handed
                at.turn, attempt = handed["turn"] + 1, 0
            case _:
                return outcome


async def _check_and_ask(run: str, ready: Outcome, at: Position, summary: str) -> Outcome | None:
    """None: the agent goes on. Otherwise the run's end."""
    committed = await commit_work(run, ready, at, summary)
    if committed is None or committed["outcome"] != "committed":
        return committed
    commit = committed["commit"]
    while True:
        checked = await gate_round(run, ready, commit or ready["base"])
        if checked["outcome"] != "gates":
            return checked
        if checked["verdict"] == "pass":
            decision = await decide(run, ready, at, summary, commit, checked)
        else:
            again = await feed_back(run, ready, at, commit or ready["base"], checked)
            if again is not None:
                return None if again["outcome"] == "told" else again
            decision = await ask(
                run,
                at,
                kind="problem",
                problem=why(checked),
                summary=summary,
                commit=commit,
                decisions=checkpoint.UNACCEPTABLE,
            )
        if decision["decision"] == "recheck":
            at.fingerprint = ""  # the agent changed nothing since: the same failure once more is no sign of circles
            wrong = await look_again(run, ready)
            if wrong is not None:
                return wrong
            continue
        if decision["decision"] not in ACCEPTING or checked["verdict"] != "pass":
            return await without_accepting(run, at, decision)
        return await accept(run, ready, at, summary, decision)


async def _end(run: str, ended: Outcome) -> str:
    finished = await steps.finish(run, ended["outcome"], said(ended))
    return str(finished["outcome"])
