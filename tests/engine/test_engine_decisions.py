"""What each decision at a checkpoint does, and what is said to one that does not fit."""

from __future__ import annotations

import asyncio
import json

import pytest

from devloop.errors import NotFound, Refused, UsageError
from support.engines import Engine, call, eventually, finish, first_text, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_continue_accepts_without_landing_and_goes_on_with_the_next_task(one: Engine) -> None:
    await one.play({"a1": work("a1.txt"), "a2": work("a2.txt")})
    one.following = [{"id": "a2", "title": "The second"}]
    head = git(one.root, "rev-parse", "HEAD")
    run = await one.run("a1", limit=2)
    await one.checkpoint(run)
    await one.decide(run, "continue")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert git(one.root, "rev-parse", "HEAD") == head and not (one.root / "a1.txt").exists()
    assert git(one.root, "log", "-1", "--format=%(trailers:key=Devloop-Run,valueonly)", "devloop/plan") == run

    following = "run-a2-1"
    second = await one.checkpoint(following)
    assert (one.state.worktrees / following / "a1.txt").exists(), "the next task stands on the accepted work"
    assert second["diff"]["files"] == 1
    rows = {row["id"]: row for row in (await one.ask("runs"))["runs"]}
    assert rows[run]["loop"] == rows[following]["loop"]
    await one.decide(following, "commit")
    assert (await one.ended(following))["outcome"] == "landed"
    assert (await one.row(run))["outcome"] == "landed", "what was accepted before it has landed with it"
    assert git(one.root, "log", "--format=%s", f"{head}..HEAD").splitlines() == ["The second", "Do it"]
    ends = await one.until("loop.ended", following)
    assert ends["data"]["state"] == "limit" and ends["data"]["done"] == 2


async def test_a_loop_ends_where_the_plan_does(one: Engine) -> None:
    await one.play({"b": work("b.txt")})
    run = await one.run("b", limit=None)
    await one.checkpoint(run)
    await one.decide(run, "commit")
    ends = await one.until("loop.ended", run)
    assert ends["data"]["state"] == "all_complete"


async def test_fresh_accepts_writes_the_hand_off_and_ends_the_loop(one: Engine) -> None:
    await one.play({"c": work("c.txt")})
    one.following = [{"id": "c2", "title": "What comes next"}]
    run = await one.run("c", "The first", limit=5)
    await one.checkpoint(run)
    await one.decide(run, "fresh")
    assert (await one.ended(run))["outcome"] == "accepted"
    (written,) = one.handed_off
    saved_at = written.pop("savedAt")
    assert saved_at.endswith("Z") and "T" in saved_at
    assert written == {
        "version": "2",
        "reason": "fresh_start",
        "plan": {"name": "", "file": ".devloop/plan.md"},
        "planBranch": "devloop/plan",
        "lastCompletedTask": {"id": "c", "description": "The first"},
        "nextTask": {"id": "c2", "description": "What comes next"},
        "openRuns": [],
        "handoff": "c.txt is written.",
    }
    assert one.marks("c") == ["started", "completed"] and one.marks("c2") == []


async def test_stop_accepts_and_ends_the_loop(one: Engine) -> None:
    await one.play({"d": work("d.txt")})
    one.following = [{"id": "d2", "title": "Never"}]
    run = await one.run("d", limit=None)
    await one.checkpoint(run)
    await one.decide(run, "stop")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert one.marks("d") == ["started", "completed"] and one.following
    assert (await one.ask("status"))["runs"] == []
    assert not (one.root / "d.txt").exists()


async def test_revise_answers_the_finish_call_and_the_same_run_goes_on(one: Engine) -> None:
    turns = [*work("e.txt", "one\n"), turn(write("e.txt", "two\n")), turn(finish("Now it says two."))]
    await one.play({"e": turns})
    run = await one.run("e")
    first = await one.checkpoint(run)
    await one.decide(run, "revise", "Say two, not one.", checkpoint=1)
    second = await one.checkpoint(run, 2)
    assert (first["number"], second["number"], second["summary"]) == (1, 2, "Now it says two.")
    said = one.requests(run)[2][-1]
    assert said["role"] == "user"
    assert [(block["type"], block["content"]) for block in said["content"]] == [("tool_result", "Say two, not one.")]
    assert said["content"][0]["tool_use_id"] == one.requests(run)[2][-2]["content"][-1]["id"]
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert (one.root / "e.txt").read_text() == "two\n"
    assert git(one.root, "log", "-1", "--format=%b").startswith("Now it says two.")


async def test_discard_gives_the_task_back_and_keeps_the_work_on_a_private_ref(one: Engine) -> None:
    await one.play({"f": work("f.txt", "precious\n")})
    run = await one.run("f")
    await one.checkpoint(run)
    await one.decide(run, "discard", "Not what I meant.")
    assert await one.ended(run) == {"outcome": "discarded", "reason": "Not what I meant."}
    assert one.marks("f") == ["started", "discarded"]
    assert git(one.root, "show", f"refs/devloop/discarded/{run}:f.txt") == "precious"
    assert f"devloop/run/{run}" not in git(one.root, "branch", "--list")
    assert not (one.state.worktrees / run).exists()


async def test_a_question_waits_and_its_answer_reaches_the_agent(one: Engine) -> None:
    asking = call("ask", question="Red or blue?", choices=["red", "blue"])
    await one.play({"g": [turn(asking, text="I can't know."), *work("g.txt")]})
    run = await one.run("g")
    shown = await one.checkpoint(run)
    assert (shown["kind"], shown["decisions"]) == ("question", ["answer", "stop", "discard"])
    assert shown["question"] == {"text": "Red or blue?", "choices": ["red", "blue"]}
    assert (await one.row(run))["waiting_for"] == "an answer"
    with pytest.raises(UsageError, match="An answer needs words"):
        await one.decide(run, "answer", "   ")
    await one.decide(run, "answer", "Blue, please.")
    await one.checkpoint(run, 2)
    assert json.dumps(one.requests(run)[1][-1]).count("Blue, please.") == 1
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_task_without_an_answer_can_be_stopped_and_stays_partial(one: Engine) -> None:
    await one.play({"h": [turn(write("h.txt"), call("ask", question="And now?"))]})
    run = await one.run("h")
    await one.checkpoint(run)
    await one.decide(run, "stop")
    assert (await one.ended(run))["outcome"] == "partial"
    assert one.marks("h") == ["started", "partial"]


async def test_what_does_not_fit_is_refused_with_what_would(one: Engine) -> None:
    await one.play({"i": [turn(text="Working.", delay_s=0.3), *work("i.txt")]})
    with pytest.raises(NotFound, match="There is no run 'nobody'"):
        await one.decide("nobody", "commit")
    run = await one.run("i")
    with pytest.raises(Refused, match=f"{run} does not wait for a decision; it is "):
        await one.decide(run, "commit")
    await one.checkpoint(run)
    with pytest.raises(UsageError, match="'answer' is not possible here") as told:
        await one.decide(run, "answer", "hm")
    assert told.value.hint == "Choose one of: commit, continue, fresh, stop, revise, discard."
    with pytest.raises(UsageError, match="'tick' is no decision"):
        await one.decide(run, "tick")
    with pytest.raises(Refused, match=f"{run} now waits at checkpoint 1"):
        await one.decide(run, "commit", checkpoint=2)
    await one.decide(run, "discard")
    with pytest.raises(Refused, match=r"answered already|does not wait"):
        await one.decide(run, "commit")
    await one.ended(run)
    with pytest.raises(Refused, match=f"{run} does not wait for a decision; it is discarded"):
        await one.decide(run, "commit")
    with pytest.raises(Refused, match=f"{run} has ended already: discarded"):
        await one.ask("cancel", run=run)
    for method in ("show", "diff", "cancel"):
        with pytest.raises(NotFound):
            await one.ask(method, run="nobody")


async def test_the_first_of_two_answers_counts(one: Engine) -> None:
    await one.play({"j": work("j.txt")})
    run = await one.run("j")
    await one.checkpoint(run)
    answers = await asyncio.gather(
        *(one.decide(run, decision) for decision in ("discard", "commit", "stop")), return_exceptions=True
    )
    assert answers[0] == {"run": run, "checkpoint": 1, "decision": "discard", "leave_out": []}
    assert [type(answer) for answer in answers[1:]] == [Refused, Refused]
    assert (await one.ended(run))["outcome"] == "discarded"


async def test_a_conversation_is_carried_to_the_next_task_of_a_loop(one: Engine) -> None:
    await one.play({"k1": work("k1.txt"), "k2": work("k2.txt")})
    one.following = [{"id": "k2", "title": "The second"}]
    run = await one.run("k1", limit=2)
    await one.checkpoint(run)
    await one.decide(run, "continue")
    await one.checkpoint("run-k2-1")
    before, after = one.requests(run), one.requests("run-k2-1")
    assert after[0][: len(before[-1])] == before[-1], "the whole earlier conversation, unchanged"
    opening = after[0][-1]["content"]
    assert opening[0]["type"] == "tool_result" and "Task: k2 The second\nAttempt: 1" in opening[0]["content"]
    assert first_text(after[0]).startswith("Task: k1 Do it\nAttempt: 1")
    assert (one.state.worktrees / "run-k2-1" / "k2.txt").exists(), "the player found the second task's turns"
    await one.decide("run-k2-1", "discard")
    await one.ended("run-k2-1")


async def test_another_model_does_not_carry_the_conversation_on(one: Engine) -> None:
    await one.play({"l1": work("l1.txt"), "l2": work("l2.txt")})
    one.following = [{"id": "l2", "title": "The second", "model": "claude-haiku-5-5"}]
    run = await one.run("l1", limit=2)
    await one.checkpoint(run)
    await one.decide(run, "continue")
    await one.checkpoint("run-l2-1")
    assert first_text(one.requests("run-l2-1")[0]).startswith("Task: l2")
    await one.decide("run-l2-1", "discard")
    await one.ended("run-l2-1")


async def test_a_cancel_that_comes_too_late_for_the_run_still_ends_the_loop(one: Engine) -> None:
    """The landing is not torn apart, but no other task is begun."""
    await one.play({"m1": work("m1.txt")})
    one.following = [{"id": "m2", "title": "Never"}]
    run = await one.run("m1", limit=2)
    await one.checkpoint(run)
    gone_on = one.held_back["completed"] = asyncio.Event()
    await one.decide(run, "continue")
    await eventually(lambda: "completed" in one.marks("m1"), "the tick")
    await one.ask("cancel", run=run)
    gone_on.set()
    del one.held_back["completed"]
    assert (await one.ended(run))["outcome"] == "accepted"
    assert (await one.until("loop.ended", run))["data"]["state"] == "cancelled"
