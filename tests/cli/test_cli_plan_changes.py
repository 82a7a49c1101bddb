"""`devloop plan mark`, `move`, `depends`: what they print, what they change, how they end."""

from __future__ import annotations

import pytest


@pytest.fixture
def text(project):
    return (project / ".devloop/plan.md").read_text


def test_a_task_is_skipped_and_opened_again(devloop, scripted, text):
    result = devloop("plan", "mark", "1.2", "skip", "--reason", "not needed")
    assert (result.code, result.out.strip()) == (0, "1.2 Second thing is skipped.")
    assert "- [-] Task 1.2" in text() and "Skipped Task 1.2 - not needed" in text()
    result = devloop("plan", "mark", "1.2", "todo")
    assert result.code == 0 and "is open again" in result.out and "It waits for 1.1 now." in result.out


def test_json_is_the_changed_task(devloop, scripted, text):
    found = devloop("plan", "mark", "1.3", "done", "--json").json
    assert (found["path"], found["changed"], found["task"]["state"]) == (".devloop/plan.md", True, "done")
    assert "Completed Task 1.3 - by hand" in text()
    found = devloop("plan", "depends", "1.4", "1.1,1.2", "1.3", "--json").json
    assert found["task"]["depends_on"] == ["1.1", "1.2", "1.3"]
    found = devloop("plan", "move", "1.4", "--before", "1.1", "--json").json
    assert (found["changed"], found["task"]["line"]) == (True, 9)


def test_a_task_is_moved_and_stands_there_already(devloop, scripted, text):
    assert devloop("plan", "move", "1.6", "--after", "1.1").out.strip() == "1.6 It exhausts is moved."
    before = text()
    assert before.index("Task 1.6") < before.index("Task 1.2")
    result = devloop("plan", "move", "1.6", "--after", "1.1")
    assert result.code == 0 and "stands there already" in result.out
    assert text() == before


def test_what_a_task_waits_for_is_said_and_taken_back(devloop, scripted, text):
    before = text()
    assert "waits for 1.1, 1.3" in devloop("plan", "depends", "1.2", "1.1", "1.3").out
    assert devloop("plan", "depends", "1.2", "1.1").code == 0
    assert text() == before
    assert "waits for nothing of its own" in devloop("plan", "depends", "1.2", "--none").out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("mark", "9.9", "todo"), 2, "There is no task '9.9'"),
        (("mark", "1.2", "fly"), 2, "fly"),
        (("mark", "1.2", "skip"), 2, "Say why the task is skipped"),
        (("mark", "1.7", "done"), 2, "is done already"),
        (("move", "1.2"), 2, "Say where to"),
        (("move", "1.2", "--before", "1.1", "--phase", "1"), 2, "Say where to"),
        (("move", "1.2", "--phase", "7"), 2, "There is no phase '7'"),
        (("depends", "1.2"), 2, "--none"),
        (("depends", "1.2", "1.1", "--none"), 2, "--none"),
        (("depends", "1.1", "1.2"), 4, "Then tasks would wait for each other: 1.1 → 1.2 → 1.1."),
    ],
)
def test_what_can_not_be_done_is_said_with_its_exit_code(devloop, scripted, text, arguments, code, message):
    before = text()
    result = devloop("plan", *arguments)
    assert result.code == code and message in result.err and result.out == ""
    as_json = devloop("plan", *arguments, "--json")
    assert as_json.code == code
    assert text() == before


def test_a_task_in_hand_is_not_ticked(devloop, scripted):
    devloop("run", "1.1", "--detach")
    result = devloop("plan", "mark", "1.1", "done")
    assert result.code == 4 and "can't be ticked: its run run-1.1-1" in result.err
    assert devloop("plan", "mark", "1.1", "done", "--json").json["error"]["kind"] == "refused"
