"""The engine killed behind a decision that leaves something out: the rest lands all the same, and once."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from support.engines import Engine, at_checkpoint, engine, trust_everything
from support.projects import git, tiny_project
from support.turns import some

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = "# Plan: tiny\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n"
STEPS = ("close_checkpoint", "leave_out", "gate", "forecast", "accept", "set_aside", "plan_landing", "land", "finish")
SHORT = ("leave_out:end", "gate:end", "accept:end")
"""Where it is killed without `--long`: behind each thing that is done only here, or done twice otherwise. Two
of them in one run, in turns (see `support.turns`)."""


@pytest.mark.slow
async def test_killed_at_any_boundary_the_rest_still_lands_once(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """One run that is not killed names the boundaries behind the decision; then one run for each kill."""
    root = tiny_project(tmp_path / "project", PLAN)
    trust_everything(root)
    ledger = tmp_path / "ledger"
    monkeypatch.setenv("DEVLOOP_FAULT_LEDGER", str(ledger))

    def passed() -> list[str]:
        return [line.split()[0] for line in ledger.read_text().splitlines()]

    async with engine(root) as held:
        run = await at_checkpoint(held, "0", "0.txt", "0-out.txt")
        behind = len(passed())
        await held.decide(run, "commit", leave_out=["0-out.txt"])
        await held.until("loop.ended", run)
        names = passed()[behind:]
        assert {name.split(":")[0] for name in names} >= set(STEPS)
        long = pytestconfig.getoption("--long")
        places = [at for at, name in enumerate(names, 1) if long or name in SHORT]
        assert len(places) >= len(SHORT)
        offsets = some(places, 2)
        for offset in offsets:
            task = str(offset)
            run = await at_checkpoint(held, task, f"{task}.txt", f"{task}-out.txt")
            monkeypatch.setenv("DEVLOOP_FAULT", str(len(passed()) + offset))
            await held.again()
            assert held.client is not None
            await held.decide(run, "commit", leave_out=[f"{task}-out.txt"])
            await held.client.exited.wait()
            monkeypatch.setenv("DEVLOOP_FAULT", "")
            await held.up()
            where = names[offset - 1]
            assert (await held.ended(run))["outcome"] == "landed", where
            await held.until("loop.ended", run)
            landed = git(root, "log", "--format=%H", "--fixed-strings", f"--grep=Devloop-Run: {run}").split()
            assert len(landed) == 1, where
            assert (root / f"{task}.txt").exists() and not (root / f"{task}-out.txt").exists(), where
            assert git(root, "show", f"refs/devloop/discarded/{run}:{task}-out.txt") == f"{task}-out.txt", where
            assert sum("Left out" in text for text in (await held.ask("show", run=run))["notices"]) == 1, where


async def test_a_decision_that_was_recorded_and_never_sent_still_leaves_out(one: Engine) -> None:
    run = await at_checkpoint(one, "i", "i.txt", "i-out.txt")
    await one.kill()
    taken = "UPDATE checkpoints SET decision = 'commit', message = '', decided = ?, leave_out = ? WHERE run = ?"
    with sqlite3.connect(one.state.records_db) as connection:
        assert connection.execute(taken, (time.time(), '["i-out.txt"]', run)).rowcount == 1
    await one.up()
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "i.txt").exists() and not (one.root / "i-out.txt").exists()


async def test_a_checkpoint_that_an_older_devloop_opened_can_be_decided_with_files_left_out(one: Engine) -> None:
    """Its records have no place for what is left out until the engine that finds them makes one."""
    run = await at_checkpoint(one, "j", "j.txt", "j-out.txt")
    await one.kill()
    with sqlite3.connect(one.state.records_db) as connection:
        connection.execute("ALTER TABLE checkpoints DROP COLUMN leave_out")
        connection.execute("DROP TABLE skill_uses")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    await one.up()
    await one.decide(run, "commit", leave_out=["j-out.txt"])
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "j.txt").exists() and not (one.root / "j-out.txt").exists()
