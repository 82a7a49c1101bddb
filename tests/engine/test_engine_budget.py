"""Caps and circles: what ends a run before the agent does, and never as done."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from devloop.errors import Refused
from devloop.runs import money
from support.engines import Engine, call, command, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ended_without_tick(held: Engine, run: str, task: str, outcome: str) -> str:
    ended = await held.ended(run)
    assert ended["outcome"] == outcome, ended
    assert "completed" not in held.marks(task) and held.marks(task)[-1] == "reset"
    return str(ended["reason"])


async def test_a_day_begins_at_midnight_also_where_the_clocks_were_changed_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 3, 29, 10, tzinfo=UTC)

    with monkeypatch.context() as changed:
        changed.setattr(money, "datetime", Noon)
        changed.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        assert datetime.fromtimestamp(money._midnight(), UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    time.tzset()


async def test_the_cap_on_turns(one: Engine) -> None:
    """A task may narrow the cap; the work so far stays on the run's private refs."""
    await one.play({"a": [turn(write("a.txt")), turn(write("b.txt")), turn(finish())]})
    run = await one.run("a", task_fields={"turns": 2})
    reason = await ended_without_tick(one, run, "a", "exhausted")
    assert "cap of 2 turns is used up" in reason and "[budget]" in reason
    assert (await one.row(run))["turn"] == 3 and len((await one.ask("show", run=run))["turns"]) == 2
    assert "b.txt" in git(one.state.git, "ls-tree", "--name-only", f"refs/devloop/snapshots/{run}").split()


async def test_the_cap_on_money_of_a_task(one: Engine) -> None:
    await one.play({"b": work("b.txt")})
    run = await one.run("b", task_fields={"budget_usd": 0.001})
    assert "cap of $0.0010 would be passed" in await ended_without_tick(one, run, "b", "exhausted")
    assert (await one.ask("show", run=run))["turns"] == [], "nothing was asked of the model"


async def test_the_cap_on_wall_time_ends_a_model_wait(one: Engine) -> None:
    await one.play({"c": [turn(write("c.txt")), turn(finish(), delay_s=60)]})
    run = await one.run("c", task_fields={"timeout_s": 1.5})
    assert "wall time is used up" in await ended_without_tick(one, run, "c", "exhausted")


async def test_the_cap_on_wall_time_ends_a_command(one: Engine) -> None:
    await one.play({"d": [turn(write("d.txt"), command("sleep 60")), turn(finish())]})
    run = await one.run("d", task_fields={"timeout_s": 1.5})
    assert "wall time is used up" in await ended_without_tick(one, run, "d", "exhausted")


async def test_time_at_a_checkpoint_is_no_working_time(one: Engine) -> None:
    await one.play({"e": [*work("e.txt"), turn(write("e2.txt")), turn(finish())]})
    run = await one.run("e", task_fields={"timeout_s": 2.5})
    await one.checkpoint(run)
    with sqlite3.connect(one.state.records_db) as records:  # as if it had been opened an hour ago, and begun before
        records.execute("UPDATE checkpoints SET opened = opened - 3600 WHERE run = ?", [run])
        records.execute("UPDATE runs SET started = started - 3600 WHERE id = ?", [run])
    await one.decide(run, "revise", "One more file.")
    assert (await one.checkpoint(run, 2))["diff"]["files"] == 2
    await one.decide(run, "discard")
    await one.ended(run)


async def test_caps_on_tokens_of_a_run_and_on_money_of_a_plan_and_a_day(one: Engine) -> None:
    one.config.write_text("[budget]\nrun_tokens = 30000\n")
    usage = {"input": 12_000, "output": 1_000}
    turns = [turn(write("a.txt"), usage=usage), turn(write("b.txt")), turn(finish())]
    await one.play({"f1": turns, "f2": turns})
    run = await one.run("f1")
    reason = await ended_without_tick(one, run, "f1", "exhausted")
    assert "cap of 30,000 tokens would be passed: 14,0" in reason, "with what the prefix puts into the cache"
    for cap in ("day_usd", "plan_usd"):
        one.config.write_text(f"[budget]\n{cap} = 0.10\n")
        run = await one.run("f2", task_fields={"model": "claude-opus-5-5"})
        reason = await ended_without_tick(one, run, "f2", "exhausted")
        assert f"The {cap[:-4]}'s cap of $0.10 would be passed" in reason


async def test_the_team_may_narrow_a_cap_but_not_widen_it(one: Engine) -> None:
    one.config.write_text("[budget]\nturns = 2\n")
    team = one.root / ".devloop/config.toml"
    team.write_text(team.read_text() + "\n[budget]\nturns = 1000\nrun_usd = 1000\n")
    await one.play({"g": [turn(write("a.txt", str(number))) for number in range(3)]})
    run = await one.run("g")
    assert "cap of 2 turns" in await ended_without_tick(one, run, "g", "exhausted")


async def test_a_model_without_a_price_is_refused_at_the_start_where_a_cap_is_in_money(one: Engine) -> None:
    await one.environment(
        DEVLOOP_SCENARIO="", ANTHROPIC_API_KEY="test-key-that-opens-nothing", ANTHROPIC_BASE_URL="http://127.0.0.1:9"
    )
    fields = {"model": "some-new-model"}
    with pytest.raises(Refused, match="There is no price for some-new-model, so the cap run_usd can't be held") as told:
        await one.run("h", task_fields=fields)
    assert "cap in tokens" in told.value.hint and "config.toml" in told.value.hint
    assert (await one.ask("runs", task="h"))["runs"] == []
    one.config.write_text("[prices.some-new-model]\ninput = 1.0\noutput = 5.0\n")
    run = await one.run("h", task_fields=fields)
    await one.ask("cancel", run=run)
    await one.ended(run)


async def test_usage_is_recorded_once_although_the_turn_is_repeated(one: Engine) -> None:
    """Killed after the answer is on disk and before the turn has ended: the answer is found, not asked for again."""
    usage = {"input": 500, "output": 50}
    await one.play({"i": [turn(write("a.txt"), command("touch here; sleep 1"), usage=usage), turn(finish())]})
    run = await one.run("i")
    await one.until("tool.started", run, count=2)
    response = one.state.runs / run / "transcript" / "0001.response.json"
    asked = response.stat().st_mtime_ns
    await one.again()
    await one.checkpoint(run)
    found = await one.ask("show", run=run)
    assert [row["number"] for row in found["turns"]] == [1, 2]
    assert response.stat().st_mtime_ns == asked
    assert found["turns"][0]["tokens"]["input"] == 500
    (mine,) = [row for row in (await one.ask("budget"))["by_task"] if row["label"] == "i"]
    tokens = {name: sum(row["tokens"][name] for row in found["turns"]) for name in found["run"]["tokens"]}
    assert tokens == found["run"]["tokens"] == {name: mine[name] for name in tokens}
    await one.decide(run, "discard")
    await one.ended(run)


async def test_the_budget_adds_up_by_task_and_by_day(one: Engine) -> None:
    usage = {"input": 100_000, "output": 10_000, "cache_read": 0, "cache_write_5m": 0}
    before = (await one.ask("budget"))["total"]
    tasks = {
        "j1": [turn(write("a.txt"), usage=usage), turn(finish(), usage=usage)],
        "j2": [turn(finish(), usage=usage)],
    }
    await one.play(tasks)
    for task in tasks:
        run = await one.run(task)
        await one.checkpoint(run)
        await one.decide(run, "discard")
        await one.ended(run)
    budget = await one.ask("budget")
    price = 0.2 + 0.1  # claude-sonnet-5-5: $2 a million in, $10 a million out
    by_task = {row["label"]: row["usd"] for row in budget["by_task"]}
    assert (by_task["j1"], by_task["j2"]) == pytest.approx((2 * price, price))
    assert budget["total"]["usd"] - before["usd"] == pytest.approx(3 * price)
    assert budget["total"]["turns"] - before["turns"] == 3
    (day,) = budget["by_day"]
    assert day["label"] == datetime.now(UTC).strftime("%Y-%m-%d")
    assert day["usd"] == pytest.approx(budget["total"]["usd"]) and sum(by_task.values()) == pytest.approx(day["usd"])
    assert budget["caps"]["day_usd"] == 25


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("reads", [call("read_file", path="notes.txt")]),
        ("errors", [call("read_file", path="no-such-file")]),
        ("commands", [command("echo the same")]),
        ("writes", [write("same.txt", "same\n")]),
    ],
)
async def test_the_same_call_with_the_same_result_three_times_is_stalled(
    one: Engine, name: str, calls: list[dict[str, Any]]
) -> None:
    await one.play({f"s-{name}": [turn(*calls)] * 9})
    run = await one.run(f"s-{name}")
    reason = await ended_without_tick(one, run, f"s-{name}", "stalled")
    assert "the same call gave the same result three times" in reason
    assert len((await one.ask("show", run=run))["turns"]) <= 4


async def test_progress_between_the_same_calls_is_no_stall(one: Engine) -> None:
    look = command("cat counted.txt | tail -1 | cut -c1-4")
    turns = [turn(write("counted.txt", f"same {number}\n"), look) for number in range(6)]
    await one.play({"t": [*turns, turn(finish())]})
    run = await one.run("t")
    assert (await one.checkpoint(run))["turns"] == 7
    assert "same" in json.dumps(one.requests(run)[-1])
    await one.decide(run, "discard")
    await one.ended(run)
