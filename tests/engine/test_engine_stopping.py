"""Where a loop stops for a person: what is accepted by rule, what a checkpoint then shows, and what is due anyway."""

from __future__ import annotations

from typing import Any

import pytest

from support.engines import Engine, call, command, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")


def task(name: str, phase: str = "1") -> dict[str, Any]:
    return {"id": name, "title": f"Do {name}", "phase": phase}


async def test_every_two_tasks_asks_once_over_both_and_lands_both(one: Engine) -> None:
    await one.play({"a1": work("a1.txt"), "a2": work("a2.txt", "x\ny\n"), "a3": work("a3.txt")})
    one.following = [task("a2"), task("a3")]
    first = await one.run("a1", limit=None, stop_at={"when": "every", "every": 2})
    assert (await one.ended(first))["outcome"] == "accepted"
    assert one.told("checkpoint.opened", first) == []
    (closed,) = one.told("checkpoint.closed", first)
    said = "by rule: a checkpoint after every 2 tasks"
    assert (closed["decision"], closed["by"], closed["message"]) == ("continue", "rule", said)
    shown = await one.ask("show", run=first)
    (decision,) = shown["decisions"]
    assert (decision["by"], decision["decision"], decision["message"]) == ("rule", "continue", said)
    assert any(said in notice for notice in shown["notices"])
    (completed,) = [e for e in one.plan if e["task"]["id"] == "a1" and e["kind"] == "completed"]
    assert completed["text"] == f"({said}) a1.txt is written."

    due = await one.checkpoint("run-a2-1")
    assert [(t["task"], t["files"], t["added"]) for t in due["accepted"]["tasks"]] == [("a1", 1, 1), ("a2", 1, 2)]
    assert (due["accepted"]["files"], due["accepted"]["added"], due["accepted"]["deleted"]) == (2, 3, 0)
    assert due["accepted"]["tasks"][0]["summary"] == "a1.txt is written." and due["diff"]["files"] == 1
    await one.decide("run-a2-1", "commit")
    assert (await one.ended("run-a2-1"))["outcome"] == "landed"
    assert (await one.row(first))["outcome"] == "landed" and (one.root / "a1.txt").exists()

    assert (await one.checkpoint("run-a3-1"))["accepted"] is None, "nothing follows, so it is the loop's last"
    await one.decide("run-a3-1", "continue")
    ends = await one.until("loop.ended", "run-a3-1")
    assert ends["data"]["state"] == "all_complete"


async def test_where_nothing_is_left_to_do_landing_is_recommended(one: Engine) -> None:
    await one.play({"l1": work("l1.txt"), "l2": work("l2.txt")})
    one.following = [task("l2")]
    first = await one.run("l1", limit=None)
    assert (await one.checkpoint(first))["recommended"] == "continue"
    await one.decide(first, "continue")
    due = await one.checkpoint("run-l2-1")
    assert (due["decisions"][0], due["why"]) == ("commit", "it is the plan's last task")
    await one.decide("run-l2-1", "commit")
    assert (await one.ended("run-l2-1"))["outcome"] == "landed"


async def test_a_rule_asks_at_the_end_of_a_phase_and_of_the_loop(one: Engine) -> None:
    await one.play({"b1": work("b1.txt"), "b2": work("b2.txt"), "b3": work("b3.txt")})
    one.following = [task("b2"), task("b3", "2")]
    await one.run("b1", limit=3, stop_at={"when": "phase-end"}, task_fields={"phase": "1"})
    assert (await one.ended("run-b1-1"))["outcome"] == "accepted"
    due = await one.checkpoint("run-b2-1")
    assert [t["task"] for t in due["accepted"]["tasks"]] == ["b1", "b2"]
    await one.decide("run-b2-1", "continue")
    last = await one.checkpoint("run-b3-1")
    assert last["accepted"] is None, "what a person has seen is not shown again"
    await one.decide("run-b3-1", "commit")
    await one.ended("run-b3-1")


async def test_on_failure_only_a_red_gate_and_what_needs_an_eye_ask(one: Engine) -> None:
    (one.config).write_text("[loop]\ngate_rounds = 0\n")
    mended = [turn(command("mv broken c1.txt")), turn(finish("Mended."))]
    red = [turn(write("broken", "x")), turn(finish("Broken.")), *mended]
    guard = [turn(write("c3.py", "x: int = None  # type: ignore\n")), turn(finish("The check is easier now."))]
    guard += [turn(command("sleep 60"))]  # it is cancelled at work
    nothing = [turn(finish("There was nothing to do."))]
    await one.play({"c1": red, "c2": work("c2.txt"), "c3": guard, "c4": nothing})
    one.following = [task("c2"), task("c3"), task("c4")]
    first = await one.run("c1", limit=None, stop_at={"when": "on-failure"})
    assert (await one.checkpoint(first))["kind"] == "problem"
    await one.decide(first, "revise", "Mend it.")
    assert (await one.ended(first))["outcome"] == "accepted", "once it passes nobody is asked"
    assert (await one.ended("run-c2-1"))["outcome"] == "accepted"
    eye = await one.checkpoint("run-c3-1")
    assert eye["guards"] and (eye["recommended"], eye["why"]) == (None, "the work changes what checks it")
    assert [t["task"] for t in eye["accepted"]["tasks"]] == ["c1", "c2", "c3"]
    await one.decide("run-c3-1", "revise", "Put the check back.")
    await one.ask("cancel", run="run-c3-1")
    assert (await one.ended("run-c3-1"))["outcome"] == "cancelled"
    one.following.clear()
    alone = await one.run("c4", stop_at={"when": "on-failure"})
    assert (await one.checkpoint(alone))["diff"] is None, "work that changes nothing is looked at"
    await one.decide(alone, "discard")
    await one.ended(alone)


async def test_settings_say_where_loops_stop_and_unattended_ones_decide_as_before(one: Engine) -> None:
    one.config.write_text('[checkpoints]\nwhen = "on-failure"\n')
    await one.play({"d1": work("d1.txt"), "d2": work("d2.txt"), "d3": work("d3.txt"), "d4": work("d4.txt")})
    attended = await one.run("d1")
    assert (await one.ended(attended))["outcome"] == "accepted" and not (one.root / "d1.txt").exists()
    ends = await one.until("loop.ended", attended)
    assert ends["data"]["state"] == "limit"
    assert any("1 task was accepted by rule" in notice for notice in (await one.ask("show", run=attended))["notices"])
    unattended = await one.run("d2", decide="commit")
    assert (await one.ended(unattended))["outcome"] == "landed" and (one.root / "d1.txt").exists()
    one.following = [task("d4")]
    asked_for = await one.run("d3", limit=2, decide="commit", stop_at={"when": "every", "every": 2})
    assert (await one.ended(asked_for))["outcome"] == "accepted", "in between the rule, where it is asked for"
    assert (await one.ended("run-d4-1"))["outcome"] == "landed"
    assert git(one.root, "log", "--format=%s", "-2").splitlines() == ["Do d4", "Do it"]


async def test_from_the_threshold_on_a_fresh_start_is_offered_and_strictly_made(one: Engine) -> None:
    one.config.write_text('[checkpoints]\nwhen = "on-failure"\nfresh_threshold = 2\n')
    await one.play({name: work(f"{name}.txt") for name in ("e1", "e2", "e3", "e4")})
    one.following = [task("e2"), task("e9")]
    first = await one.run("e1", limit=None)
    await one.ended(first)
    due = await one.checkpoint("run-e2-1")
    assert due["recommended"] == due["decisions"][0] == "fresh"
    assert due["why"] == "2 tasks are done since the last fresh start"
    await one.decide("run-e2-1", "stop")
    await one.ended("run-e2-1")
    one.config.write_text('[checkpoints]\nfresh_threshold = 2\nenforcement = "strict"\n')
    one.following = [task("e4"), task("e9")]
    third = await one.run("e3", limit=None, decide="continue")
    assert (await one.ended(third))["outcome"] == "accepted" and one.handed_off == []
    assert (await one.ended("run-e4-1"))["outcome"] == "accepted"
    (decision,) = (await one.ask("show", run="run-e4-1"))["decisions"]
    assert (decision["decision"], decision["by"]) == ("fresh", "rule") and len(one.handed_off) == 1
    assert (await one.ask("runs", open=True))["runs"] == []


async def test_a_report_that_is_not_clear_is_due_whatever_the_rule(one: Engine) -> None:
    found = {"path": "check.sh", "line": 1, "severity": "High", "kind": "correctness", "confidence": 95}
    finding = {**found, "problem": "A missing file passes", "fix": "Fail on it"}
    values = {"summary": "One thing.", "findings": [finding], "strengths": [], "assessment": "Not yet."}
    await one.play({"f": [turn(call("finish", **values)), turn(call("finish", **values))]})
    run = await one.run("f", "Review the notes", stop_at={"when": "on-failure"}, task_fields={"agent": "code-reviewer"})
    due = await one.checkpoint(run)
    assert due["recommended"] is None and due["why"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_changes_that_are_not_committed_at_a_phases_end_are_told_or_strictly_end_the_loop(one: Engine) -> None:
    mine = one.root / "mine.txt"
    mine.write_text("mine\n")
    await one.play({name: work(f"{name}.txt") for name in ("g1", "g2", "g3")})
    one.following = [task("g2", "2")]
    told = await one.run("g1", limit=2, decide="continue", task_fields={"phase": "1"})
    assert (await one.ended("run-g2-1"))["outcome"] == "accepted"
    said = "Phase 1 ends with changes of yours that are not committed (mine.txt): commit them"
    assert [text for text in (await one.ask("show", run=told))["notices"] if text.startswith(said)]
    one.config.write_text('[checkpoints]\nenforcement = "strict"\n')
    one.following = [task("g9", "2")]
    strict = await one.run("g3", limit=2, decide="continue", task_fields={"phase": "1"})
    ends = await one.until("loop.ended", strict)
    assert ends["data"]["state"] == "uncommitted"
    assert [text for text in (await one.ask("show", run=strict))["notices"] if "then `devloop continue`" in text]
    mine.unlink()
