"""One engine for a workspace, and what an engine finds that starts after another one died."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from devloop.errors import StorageError, Unavailable
from support.engines import Engine, command, engine, eventually, finish, turn, work, write
from support.projects import git


def change(path: Path, statement: str, *values: Any) -> int:
    """Change a database of an engine that is down."""
    with sqlite3.connect(path) as connection:
        return connection.execute(statement, values).rowcount


async def at_checkpoint(held: Engine, task: str = "1.1") -> str:
    run = await held.run(task)
    await held.checkpoint(run)
    return run


async def test_a_second_engine_is_refused_while_the_first_lives_and_starts_when_it_is_killed(project: Path) -> None:
    slow = [turn(write("a.txt"), command("while ! test -e go; do sleep 0.02; done; rm go")), turn(finish())]
    async with engine(project, tasks={"1.1": work("w.txt"), "1.2": slow}) as first:
        waiting = await at_checkpoint(first, "1.1")
        working = await first.run("1.2")
        await first.until("tool.started", working, count=2)
        assert first.client is not None
        second = Engine(project)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match=rf"another engine owns this workspace \(pid {first.client.pid}\)"):
            await second.up(first.variables, lock_wait_s=0.2)
        assert time.monotonic() - begun < 3
        assert (await first.ask("status"))["pid"] == first.client.pid, "the first one is as well as before"

        await first.kill()
        await second.up(first.variables, lock_wait_s=0.2)
        try:
            await second.until("tool.started", working, count=2)
            (second.state.worktrees / working / "go").touch()
            await second.checkpoint(working)
            await second.decide(working, "discard")
            await second.decide(waiting, "commit")
            assert (await second.ended(waiting))["outcome"] == "landed"
            await second.ended(working)
            shown = await second.ask("show", run=working)
            assert [row["number"] for row in shown["turns"]] == [1, 2]
        finally:
            assert second.client is not None
            await second.client.stop()
    assert (project / "w.txt").exists()


async def test_an_engine_that_is_asked_to_wait_takes_over(project: Path) -> None:
    """The usual end: the connection closes, the process goes, the next one waits for its lock."""
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held)
        second = Engine(project)
        starting = asyncio.create_task(second.up(held.variables))
        assert held.client is not None
        await held.client.stop()
        await starting
        assert second.client is not None
        assert int(held.state.engine_lock.read_text()) == second.client.pid
        await second.decide(run, "discard")
        await second.ended(run)
        await second.client.stop()


async def test_a_decision_after_a_restart_works(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held)
        await held.again()
        row = await held.row(run)
        assert (row["state"], row["waiting_for"], row["checkpoint"]) == ("waiting", "a decision", 1)
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
        assert {shown["number"] for shown in held.told("checkpoint.opened", run)} == {1}


async def test_a_decision_is_not_lost_with_the_engine_that_took_it(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt"), "1.2": work("b.txt")}) as held:
        run = await at_checkpoint(held, "1.1")
        await held.decide(run, "commit")
        await held.again()  # killed right behind the answer
        assert (await held.ended(run))["outcome"] == "landed"

        run = await at_checkpoint(held, "1.2")
        await held.kill()
        taken = "UPDATE checkpoints SET decision = 'commit', message = '', decided = ? WHERE run = ?"
        assert change(held.state.records_db, taken, time.time(), run) == 1, "recorded, and never sent"
        await held.up()
        assert (await held.ended(run))["outcome"] == "landed"
    assert (project / "a.txt").exists() and (project / "b.txt").exists()


async def test_a_cancel_that_was_only_recorded_still_ends_the_run(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt"), "1.2": [turn(text="…", delay_s=60)]}) as held:
        waiting = await at_checkpoint(held, "1.1")
        working = await held.run("1.2")
        await held.until("turn.started", working)
        await held.kill()
        assert change(held.state.records_db, "UPDATE runs SET cancel = 1") == 2
        await held.up()
        for run in (waiting, working):
            assert (await held.ended(run))["outcome"] == "cancelled"
        assert len(held.told("turn.started", working)) == 1


async def test_a_command_does_not_outlive_its_engine(project: Path) -> None:
    async with engine(project, tasks={"1.1": [turn(command("sleep 317.25", timeout=600))]}) as held:
        await held.run("1.1")
        assert await eventually(lambda: _running("sleep 317.25"), "the command runs")
        await held.kill()
        await eventually(lambda: not _running("sleep 317.25"), "it is gone", timeout=2)


def _running(what: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return what in (line.strip() for line in listed.splitlines())


async def test_nobody_decides_for_so_long_that_the_run_ends_as_partial(home: Path, project: Path) -> None:
    (home / "config.toml").write_text(f"[loop]\ndecision_days = {0.5 / 86400}\n")
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        assert await held.ended(run) == {"outcome": "partial", "reason": "nobody decided"}
        assert held.marks("1.1") == ["started", "partial"]
    assert git(project, "show", f"devloop/run/{run}:a.txt") == "new", "the work stays on the run's branch"


# Rows that somebody else wrote


class _Hostile:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mknod, (str(self._marker),)


@pytest.fixture
def payload(tmp_path: Path) -> tuple[str, Path]:
    """A pickle that makes a file when it is read, as DBOS encodes pickles; proved to work."""
    marker = tmp_path / "executed"
    data = pickle.dumps(_Hostile(marker))
    pickle.loads(data)
    assert marker.exists()
    marker.unlink()
    return base64.b64encode(data).decode(), marker


async def test_a_forged_workflow_with_a_pickle_runs_nothing_and_harms_no_other(
    project: Path, payload: tuple[str, Path]
) -> None:
    text, marker = payload
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held)
        await held.kill()
        forged = (
            "INSERT INTO workflow_status (workflow_uuid, status, name, executor_id, application_version, inputs,"
            " serialization) VALUES ('forged', 'PENDING', 'run', 'local', 'engine-1', ?, 'py_pickle')"
        )
        assert change(held.state.engine_db, forged, text) == 1
        with sqlite3.connect(held.state.engine_db) as connection:
            tables = [
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name = 'workflow_input'")
            ]
        if tables:
            with sqlite3.connect(held.state.engine_db) as connection:
                columns = [row[1] for row in connection.execute("PRAGMA table_info(workflow_input)")]
            values = {"workflow_uuid": "forged", "inputs": text, "input": text, "serialization": "py_pickle"}
            present = [name for name in columns if name in values]
            change(
                held.state.engine_db,
                f"INSERT INTO workflow_input ({', '.join(present)}) VALUES ({', '.join('?' * len(present))})",
                *(values[name] for name in present),
            )
        await held.up()
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
        await eventually(lambda: "pickled row" in (held.state.logs / "engine.log").read_text(), "the refusal is logged")
    assert not marker.exists()


@pytest.mark.parametrize("place", ["step", "message"])
async def test_a_forged_pickle_within_a_run_ends_it_as_failed(
    project: Path, payload: tuple[str, Path], place: str
) -> None:
    text, marker = payload
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held)
        await held.kill()
        workflow = f"{held.state.path.name}/{run}"
        if place == "step":
            forged = "UPDATE operation_outputs SET output = ?, serialization = 'py_pickle' WHERE workflow_uuid = ?"
            assert change(held.state.engine_db, f"{forged} AND function_name = 'turn'", text, workflow) == 2
        else:
            forged = (
                "INSERT INTO notifications (destination_uuid, topic, message, serialization)"
                " VALUES (?, 'decision-1', ?, 'py_pickle')"
            )
            assert change(held.state.engine_db, forged, workflow, text) == 1
        await held.up()
        ended = await held.ended(run)
        assert ended["outcome"] == "failed" and "could not be resumed" in ended["reason"]
    assert not marker.exists()


# The watchdog


async def test_a_run_without_a_workflow_is_started(project: Path) -> None:
    """Killed between recording the run and starting it."""
    async with engine(project, tasks={"1.1": [turn(text="…", delay_s=60)]}) as held:
        run = await held.run("1.1")
        await held.until("turn.started", run)
        await held.kill()
        assert change(held.state.engine_db, "DELETE FROM workflow_status") == 1
        assert change(held.state.records_db, "UPDATE runs SET state = 'queued', started = NULL, turn = 0") == 1
        await held.play({"1.1": work("a.txt")})
        await held.up()
        await held.checkpoint(run, timeout=10)


async def test_an_open_run_whose_workflow_is_over_ends_as_failed_with_the_reason(project: Path) -> None:
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await at_checkpoint(held)
        await held.decide(run, "stop")
        await held.ended(run)
        await held.kill()
        assert change(held.state.records_db, "UPDATE runs SET state = 'working', outcome = NULL, ended = NULL") == 1
        held.events.clear()
        await held.up()
        ended = await held.ended(run)
        assert ended["outcome"] == "failed"
        assert "could not be resumed (success)" in ended["reason"]
        assert held.marks("1.1")[-1] == "reset"
        row = await held.row(run)
        assert (row["state"], row["outcome"]) == ("ended", "failed")


async def test_records_of_a_newer_devloop_are_refused_and_left_alone(project: Path) -> None:
    async with engine(project, tasks={}) as held:
        pass
    assert change(held.state.records_db, "UPDATE alembic_version SET version_num = '9999'") == 1
    before = held.state.records_db.read_bytes()
    with pytest.raises(StorageError, match="newer devloop"):
        await held.up({})
    assert held.state.records_db.read_bytes() == before
