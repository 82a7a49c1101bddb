"""One task in several modes: each a run, a conversation and a checkpoint of its own; the last one ticks."""

from __future__ import annotations

from typing import Any

import pytest

from support.engines import Engine, call, first_text, turn, work
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPLORED = {"summary": "Notes are read at start.", "entry_points": ["notes.txt:1"], "flow": ["notes.txt:1 is read"]}
EXPLORED |= {"files": ["notes.txt"], "questions": []}
APPROACHES = [{"name": name, "idea": "A file", "trade_offs": "None"} for name in ("minimal", "clean")]
DESIGNED = {"summary": "Two ways.", "approaches": APPROACHES, "recommendation": "The first."}


def script(*attempts: list[dict[str, Any]]) -> dict[str, Any]:
    later = {str(at): {"turns": turns} for at, turns in enumerate(attempts[1:], 2)}
    return {"turns": attempts[0], "attempts": later}


async def test_explore_design_build_are_three_runs_of_one_task_and_the_last_one_ticks(one: Engine) -> None:
    explore, design = [turn(call("finish", **EXPLORED))], [turn(call("finish", **DESIGNED))]
    await one.play({"a": script(explore, design, work("a.txt"))})
    one.following = [{"id": "a9", "title": "Never"}]
    head = git(one.root, "rev-parse", "HEAD")
    first = await one.run(
        "a", "Rework the notes", limit=1, decide="commit", task_fields={"agent": "engineer", "mode": "chain"}
    )
    row = await one.row(first)
    assert (row["mode"], row["chain"]["next"], row["chain"]["at"]) == ("explorer", "architect", 0)
    assert row["choice"]["reason"] == "the task names the chain explorer → architect → default; this is 1 of 3"
    assert (await one.ended(first))["outcome"] == "accepted"
    shown = await one.checkpoint("run-a-2")
    assert shown["chain"]["next"] == "default" and shown["recommended"] is None, "a design waits for a person"
    assert one.marks("a") == ["started", "started", "started"], "not ticked yet"
    assert "Handed on by task a (engineer:explorer), as data:" in first_text(one.requests("run-a-2")[0])
    await one.decide("run-a-2", "continue", "The second one, please.")
    assert (await one.ended("run-a-3"))["outcome"] == "landed"
    told = first_text(one.requests("run-a-3")[0])
    assert "Notes are read at start." in told and "The person said: The second one, please." in told
    assert "Two ways." in told and len(one.requests("run-a-3")[0]) == 1, "a conversation of its own"
    assert one.marks("a")[-2:] == ["completed", "committed"]
    assert (one.root / "a.txt").exists() and git(one.root, "rev-parse", "HEAD") != head
    ends = await one.until("loop.ended", "run-a-3")
    assert (ends["data"]["state"], ends["data"]["done"]) == ("limit", 1) and one.following


async def test_a_chain_that_was_stopped_goes_on_where_it_was_and_begins_anew_once_it_is_done(one: Engine) -> None:
    explore = [turn(call("finish", **EXPLORED))]
    design = [turn(call("finish", **DESIGNED))]
    await one.play({"b": script(explore, design, design, work("b.txt"), explore)})
    fields = {"agent": "engineer", "mode": "chain", "key": "k-b"}
    first = await one.run("b", task_fields=fields)
    await one.checkpoint(first)
    await one.decide(first, "stop")
    await one.ended(first)
    assert one.marks("b")[-1] == "started", "the task is left in progress"
    second = await one.run("b", task_fields=fields)
    assert (await one.row(second))["mode"] == "architect"
    await one.checkpoint(second)
    await one.decide(second, "discard")
    await one.ended(second)
    third = await one.run("b", task_fields=fields)
    assert (await one.row(third))["mode"] == "architect", "what was thrown away is made again"
    await one.checkpoint(third)
    await one.decide(third, "continue")
    await one.checkpoint("run-b-4")
    assert (await one.row("run-b-4"))["chain"] == {
        "name": "chain",
        "modes": ["explorer", "architect", "default"],
        "at": 2,
        "next": None,
    }
    await one.decide("run-b-4", "continue")
    assert (await one.ended("run-b-4"))["outcome"] == "accepted" and one.marks("b")[-1] == "completed"
    again = await one.run("b", task_fields=fields)
    assert (await one.row(again))["mode"] == "explorer"
    await one.ask("cancel", run=again)
    await one.ended(again)


async def test_work_in_the_middle_of_a_chain_is_accepted_without_a_tick(one: Engine) -> None:
    worded = {"summary": "Words.", "subject": "refactor: name things"}
    refactored = [turn(*work("c.txt")[0]["calls"]), turn(call("finish", summary="Shaped.", findings=[], left=[]))]
    await one.play({"c": script(refactored, [turn(call("finish", **worded))])})
    run = await one.run("c", "Tidy", task_fields={"agent": "engineer", "mode": "refactor-commit"})
    assert (await one.checkpoint(run))["chain"]["next"] == "git"
    await one.decide(run, "continue")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert git(one.root, "ls-tree", "--name-only", "devloop/plan", "c.txt") == "c.txt"
    await one.checkpoint("run-c-2")
    assert "completed" not in one.marks("c")
    assert "Handed on by task c (engineer:refactorer)" in first_text(one.requests("run-c-2")[0])
    await one.decide("run-c-2", "continue")
    await one.ended("run-c-2")
    assert one.marks("c")[-1] == "completed"
