"""A gate that does not pass: back to the agent a bounded number of times, then to the person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.engines import Engine, command, engine, finish, turn, work, write
from support.projects import demo_project, git

pytestmark = pytest.mark.asyncio(loop_scope="module")


def breaking(*says: str) -> list[dict[str, Any]]:
    """Work that stays broken: check.sh says another thing each time."""
    turns = []
    for said in says:
        turns += [turn(write("broken", said)), turn(finish("I think it works."))]
    return turns


@pytest.fixture(autouse=True)
def talking_gate(one: Engine) -> None:
    """The gate prints what is in the file that breaks it."""
    script = one.root / "check.sh"
    if "cat broken" not in script.read_text():
        script.write_text("cat broken 2>/dev/null\ntest ! -e broken\n")
        git(one.root, "commit", "-qam", "let the gate talk")


async def test_a_failure_goes_back_with_its_output_and_the_second_try_passes(one: Engine) -> None:
    turns = [*breaking("two plus two is five"), turn(command("rm broken"), write("fixed.txt")), turn(finish("Mended."))]
    await one.play({"a": turns})
    run = await one.run("a")
    shown = await one.checkpoint(run)
    assert (shown["kind"], shown["summary"], shown["turns"]) == ("decision", "Mended.", 4)
    assert [gate["verdict"] for gate in shown["gates"]] == ["pass"]
    assert [gate["verdict"] for gate in one.told("gate.ended", run)] == ["fail", "pass"]
    told = json.dumps(one.requests(run)[2][-1])
    assert "two plus two is five" in told and "exit code 1" in told and "sh check.sh" in told
    assert one.requests(run)[2][-1]["content"][0]["type"] == "tool_result", "it answers the call of finish"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_after_its_rounds_it_is_the_persons_turn_and_revise_begins_anew(one: Engine) -> None:
    turns = [*breaking("a", "b", "c", "d"), turn(command("rm broken"), write("late.txt")), turn(finish("Mended."))]
    await one.play({"b": turns})
    run = await one.run("b")
    shown = await one.checkpoint(run)
    assert (shown["kind"], shown["decisions"]) == ("problem", ["revise", "recheck", "stop", "block", "discard"])
    assert "check: fail (exit code 1" in shown["problem"]
    assert shown["turns"] == 8, "the first try and three rounds"
    assert shown["diff"]["files"] == 1 and shown["gates"][0]["verdict"] == "fail"
    await one.decide(run, "revise", "Remove the file called broken.")
    second = await one.checkpoint(run, 2)
    assert (second["kind"], second["number"]) == ("decision", 2)
    assert "Remove the file called broken." in json.dumps(one.requests(run)[8][-1])
    assert one.marks("b") == ["started"], "nothing was ticked"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_recheck_runs_the_gates_once_more_on_the_same_commit(one: Engine) -> None:
    await one.play({"c": breaking("a", "b", "c", "d")})
    run = await one.run("c")
    await one.checkpoint(run)
    before = len(one.told("gate.ended", run))
    await one.decide(run, "recheck")
    again = await one.checkpoint(run, 2)
    assert again["kind"] == "problem" and len(one.told("gate.ended", run)) == before + 1
    commits = [started["commit"] for started in one.told("gate.started", run)]
    assert commits[-1] == commits[-2]
    assert again["turns"] == 8, "the model was not asked"
    await one.decide(run, "discard")
    await one.ended(run)


@pytest.mark.parametrize(
    ("decision", "outcome", "mark"),
    [("stop", "partial", "partial"), ("block", "failed", "blocked"), ("discard", "discarded", "discarded")],
)
async def test_each_end_of_a_problem_marks_the_plan_and_keeps_the_work(
    one: Engine, decision: str, outcome: str, mark: str
) -> None:
    task = f"d-{decision}"
    await one.play({task: breaking("a", "b", "c", "d")})
    run = await one.run(task)
    await one.checkpoint(run)
    await one.decide(run, decision, "It can't be done so.")
    assert await one.ended(run) == {"outcome": outcome, "reason": "It can't be done so."}
    assert one.marks(task) == ["started", mark]
    assert [event["text"] for event in one.plan if event["task"]["id"] == task][-1] == "It can't be done so."
    kept = f"refs/devloop/discarded/{run}" if decision == "discard" else f"devloop/run/{run}"
    assert git(one.root, "show", f"{kept}:broken") == "d"
    assert not (one.state.worktrees / run).exists()


async def test_the_identical_failure_again_and_again_is_stalled(one: Engine) -> None:
    """Numbers do not make a failure another one: times and addresses change from run to run."""
    await one.play({"e": breaking("x", "took 1.5 s", "took 2.7 s", "took 11.0 s", "took 3.2 s")})
    run = await one.run("e")
    ended = await one.ended(run)
    assert ended["outcome"] == "stalled" and "the same failure again and again: check: fail" in ended["reason"]
    assert one.marks("e") == ["started", "reset"]
    assert (await one.row(run))["turn"] == 8, "the fourth failure is the third one of its kind"


async def test_a_run_that_changes_nothing_is_checked_all_the_same(one: Engine) -> None:
    await one.play({"f": [turn(finish("There was nothing to do."))]})
    run = await one.run("f")
    shown = await one.checkpoint(run)
    assert (shown["kind"], shown["diff"]) == ("decision", None)
    head = git(one.root, "rev-parse", "HEAD")
    assert one.told("gate.started", run) == [{"gate": "check", "commit": head, "of": 1}]
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert git(one.root, "rev-parse", "HEAD") == head
    assert one.marks("f") == ["started", "completed"]


async def test_a_gate_that_cannot_run_is_no_pass_and_is_not_the_agents_to_mend(one: Engine) -> None:
    await one.play({"g": [turn(write("check.sh", "kill -9 $$\n")), turn(finish())]})
    run = await one.run("g")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "check: error" in shown["problem"]
    assert shown["turns"] == 2 and "recheck" in shown["decisions"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_unattended_work_whose_gates_fail_waits_for_a_person(one: Engine) -> None:
    await one.play({"h": breaking("a", "b", "c", "d")})
    run = await one.run("h", decide="commit")
    assert (await one.checkpoint(run))["kind"] == "problem"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_unattended_work_whose_gates_pass_lands_without_a_checkpoint(one: Engine) -> None:
    await one.play({"i": work("unattended.txt")})
    run = await one.run("i", decide="commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert one.told("checkpoint.opened", run) == []
    assert (one.root / "unattended.txt").exists()


async def test_a_test_that_disappears_is_shown_to_a_person_even_unattended(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one test that needs pytest as the gate: names of tests are what a shell script can't give."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # only to be quick, as in the gates' tests
    (home / "config.toml").write_text('[sandbox]\nenvironment = ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]\n')
    root = demo_project(tmp_path / "purse")
    test = (root / "tests" / "test_money.py").read_text()
    assert "def test_" in test
    gone = [turn(write("tests/test_money.py", "def test_nothing():\n    pass\n")), turn(finish("All tests pass."))]
    async with engine(root, tasks={"1.1": gone}) as held:
        run = await held.run("1.1", decide="commit")
        shown = await held.checkpoint(run)
        assert held.marks("1.1") == ["started"], "not accepted by itself"
        assert shown["kind"] in ("decision", "problem")
        assert "removed" in json.dumps(shown["guards"]) or "gone" in json.dumps(shown).lower()
