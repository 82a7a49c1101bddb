"""A run that gathers others: slots, restarts, and ends that nobody wanted."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from devloop.engine import recoveries
from devloop.runs.turn import OTHER_TURNS
from support.engines import Engine, call, engine, eventually, turn

MEMBERS = [
    {"id": f"@review/{name}", "title": name, "agent": "code-reviewer", "errand": {"command": "review"}}
    for name in ("one", "two")
]


def report(summary: str, **more: Any) -> list[dict[str, Any]]:
    return [turn(call("finish", summary=summary, verdict="APPROVE", findings=[]), **more)]


SLOW = report("Late.", delay_s=60)


async def begin(held: Engine) -> str:
    task = {"id": "@review", "title": "Review", "agent": "code-reviewer"}
    errand = {"command": "review", "members": MEMBERS}
    return str((await held.ask("start", task={**task, "errand": errand}, plan={}, loop={}))["run"])


async def reserved(held: Engine, run: str) -> bool:
    with sqlite3.connect(held.state.records_db) as records:
        return records.execute("SELECT run FROM reservations").fetchall() == [(run,)]


async def states(held: Engine) -> dict[str, str]:
    return {row["task"]: row["outcome"] or row["state"] for row in (await held.ask("runs"))["runs"]}


async def test_one_slot_is_enough_and_a_part_has_no_effect_of_its_own(home: Path, project: Path) -> None:
    """The run that gathers holds none while it waits."""
    (home / "config.toml").write_text("[loop]\nmax_parallel = 1\n")
    async with engine(project, tasks={"@review/one": report("First."), "@review/two": report("Second.")}) as held:
        run = await begin(held)
        await held.checkpoint(run)
        await held.decide(run, "continue")
        assert (await held.ended(run))["outcome"] == "accepted"
        assert [told["run"] for told in held.accepted] == [run]


async def test_its_parts_share_one_budget(home: Path, project: Path) -> None:
    """What one has used is not there for the other, and the whole stays below the cap."""
    (home / "config.toml").write_text("[budget]\nrun_usd = 0.5\n")
    dear = {"usage": {"input": 50_000, "output": 1_000}}
    tasks = {"@review/one": report("First.", **dear), "@review/two": report("Second.", **dear)}
    async with engine(project, tasks=tasks) as held:
        run = await begin(held)
        shown = await held.checkpoint(run)
        assert any("1 of 2 parts brought no report" in each and "cap of $0.50" in each for each in shown["notices"])
        assert shown["cost_usd"] <= 0.5 and shown["turns"] == 1
        row = await held.row(run)
        assert row["cost_usd"] == round(shown["cost_usd"], 6)
        await held.decide(run, "discard")
        await held.ended(run)


async def test_a_part_waits_for_what_the_other_may_cost_and_says_so(home: Path, project: Path) -> None:
    """Two worst cases are more than the cap, two turns are not."""
    (home / "config.toml").write_text("[budget]\nrun_usd = 0.5\n")
    tasks = {"@review/one": report("First.", delay_s=1), "@review/two": report("Second.", delay_s=1)}
    async with engine(project, tasks=tasks) as held:
        run = await begin(held)
        shown = await held.checkpoint(run)
        assert not shown["notices"] and shown["turns"] == 2
        told = [event["data"].get("waiting_for") for event in (await held.ask("events"))["events"]]
        assert OTHER_TURNS in told
        await held.decide(run, "discard")
        await held.ended(run)


async def test_what_a_turn_held_when_the_engine_went_keeps_nobody_waiting(home: Path, project: Path) -> None:
    """With one slot, the part that takes it would wait for a turn that waits for the slot."""
    (home / "config.toml").write_text("[budget]\nrun_usd = 0.5\n[loop]\nmax_parallel = 1\n")
    async with engine(project, tasks={"@review/one": SLOW, "@review/two": SLOW}) as held:
        run = await begin(held)
        begun = (await held.until("turn.started"))["run"]
        await eventually(lambda: reserved(held, begun), "its turn is reserved")
        await held.kill()
        other = "run-review-two-1" if begun == "run-review-one-1" else "run-review-one-1"
        with sqlite3.connect(held.state.records_db) as records:  # as if both had been at it
            [row] = records.execute("SELECT * FROM reservations").fetchall()
            copy = [other if value == begun else value for value in row]
            records.execute(f"INSERT INTO reservations VALUES ({', '.join('?' * len(copy))})", copy)
        await held.up()
        again = (await held.until("turn.started", count=2))["run"]
        await eventually(lambda: reserved(held, again), "its turn is reserved anew, and no other")
        await held.ask("cancel", run=run)
        await held.ended(run)


async def test_cancelling_ends_parts_that_have_not_begun(home: Path, project: Path) -> None:
    (home / "config.toml").write_text("[loop]\nmax_parallel = 1\n")
    async with engine(project, tasks={"@review/one": SLOW, "@review/two": SLOW}) as held:
        run = await begin(held)
        await held.until("turn.started")
        await held.ask("cancel", run=run)
        for each in (run, "run-review-one-1", "run-review-two-1"):
            assert (await held.ended(each))["outcome"] == "cancelled"
        assert not (await held.ask("status"))["runs"]


async def test_restarts_while_its_parts_are_at_work_are_no_sign_of_circles(project: Path) -> None:
    """The run itself gets nowhere meanwhile, because it has nothing to do."""
    async with engine(project, tasks={"@review/one": SLOW, "@review/two": report("Second.")}) as held:
        run = await begin(held)
        await held.until("turn.started", "run-review-one-1")
        await held.ended("run-review-two-1")
        begun = held.state.runs / run / "begun"
        begun.parent.mkdir(exist_ok=True)
        begun.write_bytes(b"." * recoveries.MAX_WITHOUT_PROGRESS)
        await held.again()
        await held.ask("cancel", run="run-review-one-1")
        shown = await held.checkpoint(run)
        assert any(notice.startswith("1 of 2 parts brought no report") for notice in shown["notices"])
        await held.decide(run, "discard")
        await held.ended(run)


async def test_the_parts_of_a_run_that_was_given_up_end_with_it(project: Path) -> None:
    async with engine(project, tasks={"@review/one": SLOW, "@review/two": SLOW}) as held:
        run = await begin(held)
        await held.until("turn.started", count=2)
        await held.kill()
        _forget_workflow(held, run)
        await held.up()
        assert (await held.ended(run))["outcome"] == "failed"

        async def over() -> bool:
            return set((await states(held)).values()) == {"failed", "cancelled"}

        await eventually(over, "its parts have ended")


def _forget_workflow(held: Engine, run: str) -> None:
    """As if its workflow had failed for a reason of its own."""
    with sqlite3.connect(held.state.engine_db) as database:
        done = database.execute(
            "UPDATE workflow_status SET status = 'ERROR' WHERE workflow_uuid LIKE ?", (f"%/{run}",)
        ).rowcount
    assert done == 1
