"""What only shows after many restarts, or in what a crash leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from devloop.engine.recoveries import MAX_WITHOUT_PROGRESS, Recoveries
from devloop.errors import DevloopError
from devloop.paths import StateDir
from devloop.store import Store
from support.engines import command, engine, finish, trust_everything, turn, work, write
from support.projects import commit_all, git, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tiny_project(tmp_path / "project", PLAN)
    trust_everything(root)
    return root


async def test_a_run_waits_for_a_person_however_often_the_engine_was_started(project):
    async with engine(project, {}, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        await held.kill()
        with sqlite3.connect(held.state.engine_db) as database:
            assert database.execute("update workflow_status set recovery_attempts = 500").rowcount == 1
        database.close()
        await held.up()
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"


def test_a_run_that_ends_the_engine_again_and_again_is_given_up(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/records.db", "w")
    recoveries = Recoveries(store, StateDir(tmp_path))
    for _ in range(MAX_WITHOUT_PROGRESS):
        recoveries.begin("run-1")
    with pytest.raises(DevloopError, match="same step"):
        recoveries.begin("run-1")
    recoveries.progress("run-1")
    recoveries.begin("run-1")
    store.close()


async def test_what_set_up_made_is_still_there_when_the_first_turn_is_repeated(project):
    config = project / ".devloop" / "config.toml"
    config.write_text(config.read_text() + '\n[setup]\ncommand = ["/bin/sh", "-c", "echo made > generated.txt"]\n')
    commit_all(project)
    trust_everything(project)
    script = [turn(command("cat generated.txt"), delay_s=1.5), turn(write("a.txt")), turn(finish())]
    async with engine(project, {}, tasks={"1.1": script}) as held:
        run = await held.run("1.1")
        await held.until("turn.started", run)
        await held.again()
        await held.checkpoint(run)
        assert "made" in str(held.requests(run)[1][-1])


async def test_commit_without_changes_lands_what_was_accepted_before(project):
    tasks = {"1.1": work("a.txt"), "1.2": [turn(finish())]}
    async with engine(project, {}, tasks=tasks) as held:
        first = await held.run("1.1")
        await held.checkpoint(first)
        await held.decide(first, "continue")
        assert (await held.ended(first))["outcome"] == "accepted"
        second = await held.run("1.2")
        await held.checkpoint(second)
        await held.decide(second, "commit")
        await held.ended(second)
        assert (project / "a.txt").exists()
        row = await held.row(first)
        assert (row["outcome"], row["commit"]) == ("landed", git(project, "rev-parse", "main"))
        assert [e["kind"] for e in held.plan if e["task"]["id"] == "1.1"][-1] == "committed"


async def test_each_landed_run_names_its_own_commit_after_a_rebase(project):
    tasks = {"1.1": work("a.txt"), "1.2": work("b.txt")}
    async with engine(project, {}, tasks=tasks) as held:
        first = await held.run("1.1")
        await held.checkpoint(first)
        await held.decide(first, "continue")
        await held.ended(first)
        (project / "own.txt").write_text("mine\n")
        commit_all(project, "my own")
        second = await held.run("1.2")
        await held.checkpoint(second)
        await held.decide(second, "commit")
        await held.ended(second)
        commits = git(project, "log", "--format=%H", "-2", "main").split()
        assert [(await held.row(run))["commit"] for run in (second, first)] == commits


async def test_what_a_killed_gate_left_behind_is_removed(project):
    async with engine(project, {}, tasks={"1.1": work("a.txt")}) as held:
        await held.kill()
        (held.state.reports / "left").mkdir()
        (held.state.checkouts / "left").mkdir()
        await held.up()
        for _ in range(200):
            if not list(held.state.checkouts.iterdir()):
                break
            await asyncio.sleep(0.05)
        assert list(held.state.reports.iterdir()) == [] and list(held.state.checkouts.iterdir()) == []
