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

pytestmark = pytest.mark.asyncio(loop_scope="module")


def change(path: Path, statement: str, *values: Any) -> int:
    """Change a database of an engine that is down."""
    with sqlite3.connect(path) as connection:
        return connection.execute(statement, values).rowcount


def workflow_of(held: Engine, run: str) -> str:
    return f"{held.state.path.name}/{run}"


async def at_checkpoint(held: Engine, task: str) -> str:
    run = await held.run(task)
    await held.checkpoint(run)
    return run


async def discard(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


async def test_a_second_engine_is_refused_while_the_first_lives_and_starts_when_it_is_killed(one: Engine) -> None:
    slow = [turn(write("a.txt"), command("while ! test -e go; do sleep 0.02; done; rm go")), turn(finish())]
    await one.play({"a1": work("w.txt"), "a2": slow})
    waiting = await at_checkpoint(one, "a1")
    working = await one.run("a2")
    await one.until("tool.started", working, count=2)
    first = one.client
    assert first is not None
    second = Engine(one.root)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=rf"another engine owns this workspace \(pid {first.pid}\)"):
        await second.up(one.variables, lock_wait_s=0.2)
    assert time.monotonic() - begun < 5
    assert (await one.ask("status"))["pid"] == first.pid, "the first one is as well as before"

    await one.kill()
    await one.up(lock_wait_s=0.2)
    assert one.client is not None and one.client.pid != first.pid
    await one.until("tool.started", working, count=4)
    (one.state.worktrees / working / "go").touch()
    await one.checkpoint(working)
    assert [row["number"] for row in (await one.ask("show", run=working))["turns"]] == [1, 2]
    row = await one.row(waiting)
    assert (row["state"], row["waiting_for"], row["checkpoint"]) == ("waiting", "a decision", 1)
    await one.decide(waiting, "commit")
    assert (await one.ended(waiting))["outcome"] == "landed"
    assert {shown["number"] for shown in one.told("checkpoint.opened", waiting)} == {1}
    await discard(one, working)


async def test_the_next_engine_waits_for_one_that_is_on_its_way_out(one: Engine) -> None:
    second = Engine(one.root)
    starting = asyncio.create_task(second.up(one.variables))
    assert one.client is not None
    await one.client.stop()
    await starting
    assert second.client is not None
    assert int(one.state.engine_lock.read_text()) == second.client.pid
    await second.client.stop()
    await one.up()


async def test_no_decision_is_lost_with_the_engine_that_took_it(one: Engine) -> None:
    tasks = {"b1": work("b1.txt"), "b2": work("b2.txt"), "b3": work("b3.txt"), "b4": [turn(text="…", delay_s=60)]}
    await one.play(tasks)
    sent, recorded, cancelled = [await at_checkpoint(one, task) for task in ("b1", "b2", "b3")]
    working = await one.run("b4")
    await one.until("turn.started", working)
    await one.decide(sent, "stop")
    await one.kill()  # right behind the answer
    taken = "UPDATE checkpoints SET decision = 'stop', message = '', decided = ? WHERE run = ?"
    assert change(one.state.records_db, taken, time.time(), recorded) == 1, "recorded, and never sent"
    for run in (cancelled, working):
        assert change(one.state.records_db, "UPDATE runs SET cancel = 1 WHERE id = ?", run) == 1
    await one.up()
    for run in (sent, recorded):
        assert (await one.ended(run))["outcome"] == "accepted"
    for run in (cancelled, working):
        assert (await one.ended(run))["outcome"] == "cancelled"
    assert len(one.told("turn.started", working)) == 1, "the model was not asked once more"
    files = git(one.root, "ls-tree", "--name-only", "devloop/plan").split()
    assert {"b1.txt", "b2.txt"} <= set(files) and "b3.txt" not in files


async def test_time_without_an_engine_is_no_working_time(one: Engine) -> None:
    """The machine was off over night: the cap on wall time is for work."""
    await one.play({"h": [turn(write("h.txt")), turn(finish(), delay_s=60)]})
    run = await one.run("h")
    await one.until("turn.started", run, count=2)
    await one.kill()
    night = 8 * 3600
    assert change(one.state.records_db, "UPDATE runs SET started = started - ? WHERE id = ?", night, run) == 1
    beat = one.state.path / "engine.beat"
    os.utime(beat, (beat.stat().st_atime - night, beat.stat().st_mtime - night))
    await one.play({"h": work("h.txt")})
    await one.up()
    await one.checkpoint(run)
    await discard(one, run)


async def test_a_command_does_not_outlive_its_engine(one: Engine) -> None:
    await one.play({"c": [turn(command("sleep 317.25", timeout=600))]})
    run = await one.run("c")
    assert await eventually(lambda: _running("sleep 317.25"), "the command runs")
    await one.kill()
    await eventually(lambda: not _running("sleep 317.25"), "it is gone", timeout=2)
    await one.up()
    await one.ask("cancel", run=run)
    await one.ended(run)


def _running(what: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return what in (line.strip() for line in listed.splitlines())


async def test_nobody_decides_for_so_long_that_the_run_ends_as_partial(one: Engine) -> None:
    one.config.write_text(f"[loop]\ndecision_days = {0.5 / 86400}\n")
    await one.play({"d": work("d.txt")})
    run = await one.run("d")
    assert await one.ended(run) == {"outcome": "partial", "reason": "nobody decided"}
    assert one.marks("d") == ["started", "partial"]
    assert git(one.root, "show", f"devloop/run/{run}:d.txt") == "new", "the work stays on the run's branch"


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


async def test_forged_pickles_run_nothing_and_harm_no_other_run(one: Engine, payload: tuple[str, Path]) -> None:
    """In a workflow's input, in the output of a step, in a message: the run that meets one ends as failed."""
    text, marker = payload
    await one.play({"*": work("e.txt")})
    sound, in_input, in_step, in_message = [await at_checkpoint(one, f"e{number}") for number in range(4)]
    await one.kill()
    database = one.state.engine_db
    outputs = "UPDATE operation_outputs SET output = ?, serialization = 'py_pickle' WHERE workflow_uuid = ?"
    assert change(database, f"{outputs} AND function_name = 'turn'", text, workflow_of(one, in_step)) == 2
    message = (
        "INSERT INTO notifications (destination_uuid, topic, message, serialization) VALUES (?, ?, ?, 'py_pickle')"
    )
    assert change(database, message, workflow_of(one, in_message), "decision-1", text) == 1
    status = "UPDATE workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = ?"
    assert change(database, status, workflow_of(one, in_input)) == 1
    inputs = "UPDATE workflow_input SET inputs = ? WHERE workflow_uuid = ?"
    in_status = "UPDATE workflow_status SET inputs = ? WHERE workflow_uuid = ?"
    assert change(database, inputs, text, workflow_of(one, in_input)) + change(
        database, in_status, text, workflow_of(one, in_input)
    )
    await one.up()
    await one.decide(sound, "stop")
    assert (await one.ended(sound))["outcome"] == "accepted"
    for run in (in_input, in_step, in_message):
        ended = await one.ended(run)
        assert ended["outcome"] == "failed" and "could not be resumed" in ended["reason"]
    log = (one.state.logs / "engine.log").read_text()
    assert "A pickled row" in log and " ERROR dbos: Error executing workflow" in log
    assert not marker.exists()


# The watchdog


async def test_a_run_without_a_workflow_is_started(one: Engine) -> None:
    """Killed between recording the run and starting it."""
    await one.play({"f": [turn(text="…", delay_s=60)]})
    run = await one.run("f")
    await one.until("turn.started", run)
    await one.kill()
    gone = "DELETE FROM workflow_status WHERE workflow_uuid = ?"
    assert change(one.state.engine_db, gone, workflow_of(one, run)) == 1
    change(one.state.engine_db, "DELETE FROM operation_outputs WHERE workflow_uuid = ?", workflow_of(one, run))
    as_queued = "UPDATE runs SET state = 'queued', started = NULL, turn = 0 WHERE id = ?"
    assert change(one.state.records_db, as_queued, run) == 1
    await one.play({"f": work("f.txt")})
    await one.up()
    await one.checkpoint(run, timeout=10)
    await discard(one, run)


async def test_an_open_run_whose_workflow_is_over_ends_as_failed_with_the_reason(one: Engine) -> None:
    await one.play({"g": work("g.txt")})
    run = await at_checkpoint(one, "g")
    await one.decide(run, "discard")
    await one.ended(run)

    def over() -> bool:
        query = "SELECT status FROM workflow_status WHERE workflow_uuid = ?"
        with sqlite3.connect(one.state.engine_db) as connection:
            return connection.execute(query, [workflow_of(one, run)]).fetchone() == ("SUCCESS",)

    await eventually(over, "the workflow is over")
    await one.kill()
    as_open = "UPDATE runs SET state = 'working', outcome = NULL, ended = NULL WHERE id = ?"
    assert change(one.state.records_db, as_open, run) == 1
    await one.up()
    await one.until("run.ended", run, count=2)
    row = await one.row(run)
    assert (row["state"], row["outcome"]) == ("ended", "failed")
    assert "could not be resumed (success)" in row["reason"]
    assert one.marks("g")[-1] == "reset"


async def test_records_of_a_newer_devloop_are_refused_and_left_alone(project: Path) -> None:
    async with engine(project, tasks={}) as held:
        await held.kill()
        assert change(held.state.records_db, "UPDATE alembic_version SET version_num = '9999'") == 1
        before = dumped(held.state.records_db)
        with pytest.raises(StorageError, match="newer devloop") as told:
            await held.up()
        assert "Update devloop" in told.value.hint
        assert dumped(held.state.records_db) == before


def dumped(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())
