"""Cancelling: at once, wherever the run is, and nothing of it goes on."""

from __future__ import annotations

import sqlite3
import subprocess
import time

import pytest

from support.engines import Engine, command, eventually, finish, turn, work, write
from support.projects import commit_all, git

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE_S = 2.0


def running(what: str) -> bool:
    """Whether a process with these arguments runs on this machine."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return any(line.strip() == what for line in listed.splitlines())


async def cancel(held: Engine, run: str, task: str, *, kept: str | None = None) -> None:
    """Cancel and hold the engine to all that it promises."""
    begun = time.monotonic()
    assert await held.ask("cancel", run=run) == {"run": run, "state": "cancelling"}
    assert await held.ended(run) == {"outcome": "cancelled", "reason": "cancelled by a person"}
    assert time.monotonic() - begun < AT_ONCE_S
    assert held.marks(task)[-1] == "reset"
    row = await held.row(run)
    assert (row["state"], row["outcome"], row["waiting_for"], row["checkpoint"]) == ("ended", "cancelled", None, None)
    assert not (held.state.worktrees / run).exists()
    if kept is not None:
        assert git(held.root, "show", f"refs/devloop/discarded/{run}:{kept}") == "new"
    turns = len(held.told("turn.started", run))
    assert (await held.ask("show", run=run))["run"]["turn"] == turns
    with sqlite3.connect(held.state.records_db) as records:
        left = records.execute("SELECT count(*) FROM reservations WHERE run = ?", [run]).fetchone()
    assert left == (0,), "no reservation is left behind"


async def test_during_a_model_wait(one: Engine) -> None:
    await one.play({"a": [turn(write("a.txt")), turn(text="…", delay_s=60)]})
    run = await one.run("a")
    await one.until("turn.started", run, count=2)
    await cancel(one, run, "a", kept="a.txt")


async def test_during_a_long_command_whose_processes_are_gone(one: Engine) -> None:
    line = "sh -c 'sleep 311.25 & setsid sleep 311.5 & sleep 311.75'"
    await one.play({"b": [turn(write("b.txt")), turn(command(line, timeout=600))]})
    run = await one.run("b")
    for seconds in ("311.25", "311.5", "311.75"):
        await eventually(lambda s=seconds: running(f"sleep {s}"), f"sleep {seconds} runs")
    await cancel(one, run, "b", kept="b.txt")
    for seconds in ("311.25", "311.5", "311.75"):
        await eventually(lambda s=seconds: not running(f"sleep {s}"), f"sleep {seconds} is gone", timeout=AT_ONCE_S)


async def test_during_a_gate(one: Engine) -> None:
    await one.play({"c": [turn(write("check.sh", "sleep 312.5\n"), write("c.txt")), turn(finish())]})
    run = await one.run("c")
    await eventually(lambda: running("sleep 312.5"), "the gate runs")
    assert (await one.row(run))["state"] == "checking"
    await cancel(one, run, "c", kept="c.txt")
    await eventually(lambda: not running("sleep 312.5"), "the gate is gone", timeout=AT_ONCE_S)
    assert list(one.state.checkouts.iterdir()) == []


async def test_during_the_pause_that_a_rate_limit_asks_for(one: Engine) -> None:
    failing = {"kind": "rate_limited", "retry_after_s": 120}
    await one.play({"d": [turn(write("d.txt")), turn(finish(), fail=failing)]})
    run = await one.run("d")
    await one.until("model.waiting", run)
    assert (await one.row(run))["waiting_for"].startswith("the model, again at ")
    await cancel(one, run, "d", kept="d.txt")


async def test_at_a_checkpoint(one: Engine) -> None:
    await one.play({"e": work("e.txt")})
    run = await one.run("e")
    await one.checkpoint(run)
    await cancel(one, run, "e", kept="e.txt")
    assert one.told("checkpoint.closed", run)[-1]["decision"] == "cancel"


async def test_at_once_after_the_start_and_twice(one: Engine) -> None:
    await one.play({"f": work("f.txt")})
    run = await one.run("f")
    assert (await one.ask("cancel", run=run))["state"] == "cancelling"
    await cancel(one, run, "f")
    assert one.told("checkpoint.opened", run) == []


async def test_while_it_waits_for_a_free_slot(one: Engine) -> None:
    one.config.write_text("[loop]\nmax_parallel = 1\n")
    await one.play({"g1": [turn(text="…", delay_s=60)], "g2": work("b.txt"), "g3": work("c.txt")})
    first = await one.run("g1")
    await one.until("turn.started", first)
    second, third = await one.run("g2"), await one.run("g3")
    await eventually(lambda: one.told("run.state", third), "the third run is told to wait")
    row = await one.row(second)
    assert (row["state"], row["waiting_for"]) == ("queued", "a free slot (1 at work)")
    await cancel(one, second, "g2")
    await cancel(one, first, "g1")
    await one.checkpoint(third)
    assert one.told("turn.started", second) == []
    await cancel(one, third, "g3", kept="c.txt")


async def test_a_baseline_that_is_taken_ahead_for_it_ends_with_it(one: Engine) -> None:
    """Its commands belong to the run, although no step of the run waits for them yet."""
    (one.root / "check.sh").write_text("sleep 313.5\n")
    commit_all(one.root)
    await one.play({"*": [turn(text="…", delay_s=60)]})
    first, second = await one.run("h1"), await one.run("h2")
    await one.until("turn.started", second)
    await eventually(lambda: running("sleep 313.5"), "the baseline is taken")
    await cancel(one, first, "h1")
    assert running("sleep 313.5"), "the other run still needs it"
    await cancel(one, second, "h2")
    await eventually(lambda: not running("sleep 313.5"), "the baseline is gone", timeout=AT_ONCE_S)
