"""Runs of agents that only read, of modes with a result of their own, and who does what with which model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devloop.redact import Redactor
from devloop.runs.transcript import Transcript
from support.engines import Engine, call, command, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPLORED = {
    "summary": "Notes are read at start.",
    "entry_points": ["notes.txt:1 the notes"],
    "flow": ["notes.txt:1 is read"],
    "files": ["notes.txt"],
    "questions": ["Who writes them?"],
}
FINDING = {
    "path": "check.sh",
    "line": 1,
    "severity": "High",
    "kind": "correctness",
    "confidence": 95,
    "problem": "A missing file passes",
    "fix": "Fail on it",
}


NOTHING = {"none": [turn(finish())]}
"""A scenario without the task in question: its run fails at once."""


def hand_in(**values: Any) -> dict[str, Any]:
    return call("finish", **values)


def results(held: Engine, run: str) -> list[str]:
    """What tools answered, in order, as the model saw it."""
    transcript = Transcript(held.state.runs / run, Redactor({}))
    found = []
    for number in range(1, transcript.last_turn() + 1):
        for result in (transcript.reply(number) or {})["results"]:
            content = result["content"]
            found.append(content if isinstance(content, str) else content[0]["text"])
    return found


# What only reads


async def test_an_explorer_ends_with_a_report_without_commit_and_gates_and_acceptance_ticks(one: Engine) -> None:
    head = git(one.root, "rev-parse", "HEAD")
    await one.play({"1.1": [turn(hand_in(**EXPLORED))]})
    run = await one.run("1.1", "Explore how notes are read")
    shown = await one.checkpoint(run)
    assert (shown["kind"], shown["diff"], shown["gates"]) == ("decision", None, [])
    assert shown["report"]["data"] == EXPLORED and shown["report"]["fits"]
    assert shown["summary"].startswith("Notes are read at start.\n\nEntry points:\n- notes.txt:1 the notes")
    assert "Questions:\n- Who writes them?" in shown["summary"]
    row = await one.row(run)
    assert (row["agent"], row["mode"], row["commit"]) == ("engineer", "explorer", None)
    assert row["choice"]["reason"] == "the task begins with “explore”" and row["choice"]["confidence"] == "high"
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert one.marks("1.1") == ["started", "completed"]
    assert one.told("gate.started", run) == []
    assert git(one.root, "rev-parse", "HEAD") == head
    assert (await one.ask("show", run=run))["report"]["data"] == EXPLORED


async def test_an_agent_that_only_reads_cannot_write_by_tool_or_command(one: Engine) -> None:
    await one.play(
        {
            "1.2": [
                turn(
                    write("made.txt"),
                    call("edit_file", path="notes.txt", old_string="start", new_string="other"),
                    command("echo other > notes.txt"),
                    command("mkdir made; touch made/x"),
                    command("cat notes.txt && echo x > /tmp/scratch && cat /tmp/scratch"),
                ),
                turn(hand_in(**EXPLORED)),
            ]
        }
    )
    run = await one.run("1.2", "Explore the notes")
    shown = await one.checkpoint(run)
    told = results(one, run)
    assert "There is no tool 'write_file'" in told[0] and "There is no tool 'edit_file'" in told[1]
    assert "exit code 1" in told[2] and "Read-only file system" in told[2]
    assert "exit code 1" in told[3]
    assert "exit code 0" in told[4] and "start\nx" in told[4]
    worktree = one.state.worktrees / run
    assert (worktree / "notes.txt").read_text() == "start\n"
    assert not (worktree / "made").exists()
    assert shown["notices"] == []
    await one.decide(run, "discard")
    assert (await one.ended(run))["outcome"] == "discarded"


async def test_the_sandbox_of_an_agent_that_writes_is_as_before(one: Engine) -> None:
    await one.play({"1.3": [turn(command("echo other > made.txt")), turn(finish())]})
    run = await one.run("1.3", "Implement it")
    shown = await one.checkpoint(run)
    assert [file["path"] for file in shown["diff"]["list"]] == ["made.txt"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_revision_goes_back_to_the_same_reader(one: Engine) -> None:
    better = {**EXPLORED, "summary": "Notes are read twice."}
    await one.play({"1.4": [turn(hand_in(**EXPLORED)), turn(hand_in(**better))]})
    run = await one.run("1.4", "Explore the notes")
    await one.checkpoint(run)
    await one.decide(run, "revise", "Look again")
    shown = await one.checkpoint(run, 2)
    assert shown["report"]["data"]["summary"] == "Notes are read twice."
    assert "Look again" in str(one.requests(run)[1][-1])
    await one.decide(run, "continue")
    assert (await one.ended(run))["outcome"] == "accepted"


# Results that fit, and results that don't


async def test_a_result_that_does_not_fit_is_asked_for_once_again(one: Engine) -> None:
    await one.play({"1.5": [turn(hand_in(summary="Short.")), turn(hand_in(**EXPLORED))]})
    run = await one.run("1.5", "Explore the notes")
    shown = await one.checkpoint(run)
    assert shown["report"]["fits"]
    asked = json.dumps(one.requests(run)[1][-1])
    assert "This result does not fit" in asked and "entry_points: Field required" in asked
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_result_that_does_not_fit_twice_is_reported_as_it_is(one: Engine) -> None:
    await one.play({"1.6": [turn(hand_in(summary="Short.")), turn(hand_in(summary="Still short.", files=["a.py"]))]})
    run = await one.run("1.6", "Explore the notes", decide="continue")
    shown = await one.checkpoint(run)
    assert shown["report"]["data"] == {"summary": "Still short.", "files": ["a.py"]}
    assert not shown["report"]["fits"] and "entry_points: Field required" in shown["report"]["mistakes"]
    assert "This result is not what the mode promises" in shown["summary"] and "- a.py" in shown["summary"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_after_a_revision_a_result_may_be_asked_for_again(one: Engine) -> None:
    short = turn(hand_in(summary="Short."))
    await one.play({"1.7": [short, turn(hand_in(**EXPLORED)), short, turn(hand_in(**EXPLORED))]})
    run = await one.run("1.7", "Explore the notes")
    await one.checkpoint(run)
    await one.decide(run, "revise", "More")
    assert (await one.checkpoint(run, 2))["report"]["fits"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_result_in_words_is_taken_when_it_fits_and_asked_for_when_there_is_none(one: Engine) -> None:
    said = f"Here it is:\n```json\n{json.dumps(EXPLORED)}\n```"
    await one.play({"1.8": [{"text": "I looked.", "calls": []}, {"text": said, "calls": []}]})
    run = await one.run("1.8", "Explore the notes")
    shown = await one.checkpoint(run)
    assert shown["report"]["data"] == EXPLORED
    assert "call finish with it" in json.dumps(one.requests(run)[1][-1])
    await one.decide(run, "discard")
    await one.ended(run)


async def test_unattended_a_good_report_goes_on_and_a_bad_verdict_waits(one: Engine) -> None:
    review = {"summary": "Fine.", "verdict": "APPROVE", "findings": []}
    await one.play(
        {
            "1.9": [turn(hand_in(**review))],
            "1.10": [turn(hand_in(**{**review, "verdict": "REQUEST_CHANGES", "findings": [FINDING]}))],
        }
    )
    run = await one.run("1.9", "Review the check", decide="continue")
    assert (await one.ended(run))["outcome"] == "accepted"
    run = await one.run("1.10", "Review the check", decide="continue")
    shown = await one.checkpoint(run)
    assert "- check.sh:1 severity: High; kind: correctness" in shown["summary"]
    await one.decide(run, "continue")
    assert (await one.ended(run))["outcome"] == "accepted"


async def test_a_result_described_in_the_agents_file_is_held_to(one: Engine) -> None:
    bad = {"summary": "x", "verdict": "SO SO", "places": []}
    good = {"summary": "x", "verdict": "GOOD", "places": ["a:1"]}
    await one.play({"1.11": [turn(hand_in(**bad)), turn(hand_in(**good))]})
    run = await one.run("1.11", "Look", task_fields={"agent": "reader"})
    shown = await one.checkpoint(run)
    assert shown["report"] == {
        "text": "Verdict: GOOD\nPlaces:\n- a:1",
        "data": good,
        "fits": True,
        "mistakes": [],
    }
    assert "verdict: Input should be 'GOOD' or 'BAD'" in json.dumps(one.requests(run)[1][-1])
    await one.decide(run, "continue")
    await one.ended(run)


async def test_a_mode_that_writes_has_its_result_beside_its_commit(one: Engine) -> None:
    result = {"summary": "Two cases.", "files": ["cases.txt"], "covers": ["the empty file"], "run": "pytest"}
    await one.play({"1.12": [turn(write("cases.txt")), turn(hand_in(**result))]})
    run = await one.run("1.12", "Write tests for the notes")
    shown = await one.checkpoint(run)
    assert [file["path"] for file in shown["diff"]["list"]] == ["cases.txt"]
    assert shown["report"]["data"] == result
    assert [gate["verdict"] for gate in shown["gates"]] == ["pass"]
    await one.decide(run, "commit")
    assert (await one.ended(run))["outcome"] == "landed"
    assert git(one.root, "log", "-1", "--format=%b").startswith("Two cases.")


async def test_a_report_is_handed_on_to_the_tasks_that_waited_for_it_with_the_persons_words(one: Engine) -> None:
    """Explore, then implement: another conversation of another mode, which begins with what was found."""
    await one.play({"1.30": [turn(hand_in(**EXPLORED))], "1.31": work("e.txt"), "1.32": work("f.txt")})
    run = await one.run("1.30", "Explore the notes")
    await one.checkpoint(run)
    await one.decide(run, "continue", "Mind the empty file.")
    await one.ended(run)
    run = await one.run("1.31", "Implement it", task_fields={"depends_on": ["1.30", "1.1", "9.9"]})
    await one.checkpoint(run)
    opening = json.dumps(one.requests(run)[0][0], ensure_ascii=False)
    assert "Handed on by task 1.30 (engineer:explorer), as data:\\nNotes are read at start.\\nEntry points:" in opening
    assert "The person said: Mind the empty file." in opening
    await one.decide(run, "stop")
    await one.ended(run)
    run = await one.run("1.32", "Implement more", task_fields={"depends_on": ["1.31"]})
    await one.checkpoint(run)
    assert "Handed on" not in json.dumps(one.requests(run)[0][0])
    await one.decide(run, "discard")
    await one.ended(run)


# Conversations and models


async def test_another_mode_is_another_conversation(one: Engine) -> None:
    await one.play(
        {
            "1.13": [turn(hand_in(**EXPLORED))],
            "1.14": work("b.txt"),
        }
    )
    one.following[:] = [{"id": "1.14", "title": "Implement it"}]
    run = await one.run("1.13", "Explore it", limit=2)
    await one.checkpoint(run)
    await one.decide(run, "continue")
    await one.ended(run)
    opened = await one.until("run.queued", "run-1.14-1")
    assert (opened["data"]["agent"], opened["data"]["mode"]) == ("engineer", "default")
    await one.checkpoint("run-1.14-1")
    first = json.dumps(one.requests("run-1.14-1")[0])
    assert "Explore it" not in first and "Go on with the next task" not in first
    await one.decide("run-1.14-1", "stop")
    await one.ended("run-1.14-1")


async def test_the_same_mode_goes_on_in_the_same_conversation(one: Engine) -> None:
    await one.play({"1.15": [turn(hand_in(**EXPLORED))], "1.16": [turn(hand_in(**EXPLORED))]})
    one.following[:] = [{"id": "1.16", "title": "Explore more"}]
    run = await one.run("1.15", "Explore it", limit=2)
    await one.checkpoint(run)
    await one.decide(run, "continue")
    await one.checkpoint("run-1.16-1")
    assert "Explore it" in json.dumps(one.requests("run-1.16-1")[0])
    await one.decide("run-1.16-1", "stop")
    await one.ended("run-1.16-1")


@pytest.mark.parametrize(
    ("task", "title", "fields", "model"),
    [
        ("1.17", "Implement it", {}, "claude-sonnet-5-5"),
        ("1.18", "Write the README", {}, "claude-haiku-5-5"),
        ("1.19", "Design it", {}, "claude-opus-5-5"),
        ("1.20", "Implement it", {"model": "opus"}, "claude-opus-5-5"),
        ("1.21", "Implement it", {"model": "fast"}, "claude-haiku-5-5"),
        ("1.22", "Design it", {"model": "claude-fable-5-1"}, "claude-fable-5-1"),
    ],
)
async def test_the_model_comes_from_the_mode_and_the_task_may_name_another(
    one: Engine, task: str, title: str, fields: dict[str, Any], model: str
) -> None:
    await one.play(NOTHING)
    run = await one.run(task, title, task_fields=fields)
    assert (await one.row(run))["model"] == model
    await one.ended(run)


async def test_the_persons_settings_name_models_efforts_and_turns(one: Engine) -> None:
    one.config.write_text(
        '[model.tiers]\nfast = "small-1"\n[agents.engineer]\nmodel = "deep"\nturns = 3\n'
        '[agents."engineer:explorer"]\nmodel = "fast"\n[budget]\nrun_tokens = 1000000\n'
    )
    try:
        text = one.config.read_text()
        one.config.write_text(text.replace("[budget]\n", '[prices."small-1"]\ninput = 1\noutput = 1\n[budget]\n'))
        for task, title in (("1.23", "Implement it"), ("1.24", "Explore it")):
            await one.play(NOTHING)
            run = await one.run(task, title)
            row = await one.row(run)
            assert (row["model"], row["turn_limit"]) == (("claude-opus-5-5", 3) if task == "1.23" else ("small-1", 3))
            await one.ended(run)
    finally:
        one.config.unlink()


async def test_a_model_that_is_set_is_for_all_tiers(one: Engine) -> None:
    await one.environment(DEVLOOP_MODEL="claude-fable-5-1")
    try:
        await one.play(NOTHING)
        run = await one.run("1.25", "Write the README")
        assert (await one.row(run))["model"] == "claude-fable-5-1"
        await one.ended(run)
    finally:
        await one.environment(DEVLOOP_MODEL="")


async def test_cost_is_told_by_agent_and_by_mode(one: Engine) -> None:
    await one.play({"1.26": [turn(hand_in(**EXPLORED))], "1.27": work("c.txt"), "1.28": work("d.txt")})
    for task, title in (("1.26", "Explore it"), ("1.27", "Implement it"), ("1.28", "Write the README")):
        await one.ended(await one.run(task, title, decide="continue"))
    found = await one.ask("budget")
    agents = {row["label"]: row for row in found["by_agent"]}
    modes = {row["label"]: row for row in found["by_mode"]}
    assert {"engineer:explorer", "engineer:default", "doc-generator:default"} <= set(modes)
    own = [row for label, row in modes.items() if label.startswith("engineer:")]
    assert sum(row["usd"] for row in own) == pytest.approx(agents["engineer"]["usd"]) and own[0]["usd"] > 0
    assert sum(row["usd"] for row in modes.values()) == pytest.approx(found["total"]["usd"])
