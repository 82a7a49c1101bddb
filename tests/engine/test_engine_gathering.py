"""A run that gathers others: slots, restarts, and ends that nobody wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devloop.engine import recoveries
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
    import sqlite3

    with sqlite3.connect(held.state.engine_db) as database:
        done = database.execute(
            "UPDATE workflow_status SET status = 'ERROR' WHERE workflow_uuid LIKE ?", (f"%/{run}",)
        ).rowcount
    assert done == 1
