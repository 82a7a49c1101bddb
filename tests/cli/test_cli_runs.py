"""Running, following and deciding from the terminal: what is printed, and the exit code."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console

from devloop.cli import checkpoint_view, progress
from devloop.cli.diff_view import pager


def test_a_run_without_a_person_stops_at_its_checkpoint_and_says_how_to_decide(program, scripted):
    result = program("run", "1.1")
    assert result.code == 3, result
    assert "1.1 First thing" in result.out
    assert "scripted-model (scripted)" in result.out
    assert "Ready for your decision" in result.out and "3 passed" in result.out
    assert "devloop decide run-1.1-1 commit" in result.out
    assert 'devloop decide run-1.1-1 revise --message "…"' in result.out
    assert "\x1b" not in result.out


def test_what_a_model_wrote_is_neither_markup_nor_an_escape_sequence(program, scripted):
    result = program("run", "1.1")
    assert "edit a.py [red]" in result.out
    assert "Did it. [bold]" in result.out
    assert "\x1b" not in result.out


def test_the_decision_may_leave_out_the_only_waiting_run(devloop, scripted, project):
    assert devloop("run", "1.1").code == 3
    result = devloop("decide", "continue", "--follow")
    assert result.code == 0, result
    assert "decided: continue" in result.out and "accepted" in result.out
    assert "[x] Task 1.1" in (project / ".devloop/plan.md").read_text()
    again = devloop("decide", "continue")
    assert again.code == 2 and "No run waits" in again.err


def test_files_are_left_out_by_name_as_often_as_needed(devloop, scripted):
    assert devloop("run", "1.1").code == 3
    result = devloop("decide", "run-1.1-1", "commit", "--leave-out", "a.py", "--leave-out", "[b] c.py", "--json")
    assert result.json == {"run": "run-1.1-1", "checkpoint": 1, "decision": "commit", "leave_out": ["a.py", "[b] c.py"]}
    assert devloop("run", "1.3").code == 3
    followed = devloop("decide", "stop", "--leave-out", "[b] c.py", "--follow")
    assert "decided: stop without [b] c.py" in followed.out
    help_text = devloop("decide", "--help").out
    assert "--leave-out" in help_text and "commit --leave-out notes.md --leave-out src/draft.py" in help_text


def test_two_waiting_runs_have_to_be_named(devloop, scripted):
    assert devloop("run", "1.1").code == 3
    assert devloop("run", "1.3").code == 3
    result = devloop("decide", "stop")
    assert result.code == 2
    assert "run-1.1-1" in result.err and "run-1.3-1" in result.err
    assert devloop("decide", "run-1.1-1", "stop").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decide", "run-1.1-1", "maybe"], "no decision"),
        (["decide", "answer"], "needs words"),
        (["decide", "block"], "needs words"),
        (["decide", "revise"], 'What should change? Add -m "…"'),
        (["decide", "a", "b", "c"], "too many words"),
        (["run", "1.1", "--decide", "discard"], "discard"),
        (["run"], "Name a task"),
        (["continue", "-n", "0"], "Invalid value"),
        (["continue", "--stop-at", "\u00b2"], "is no place to stop at"),
        (["nothing"], "devloop: No such command 'nothing'.\n  See `devloop --help`."),
        (["run", "1.1", "--decide", "perhaps"], "Invalid value for '--decide': 'perhaps' is not one of"),
        (["plan", "mark", "9.9", "todo"], "There is no task '9.9'.\n"),
        (["--root", "/nowhere/at/all", "status"], "no directory"),
    ],
)
def test_a_wrong_call_is_2_and_says_what_is_wrong(devloop, words, told):
    result = devloop(*words)
    assert result.code == 2, result
    assert told in result.err


@pytest.mark.parametrize(
    ("decision", "offered", "told"),
    [
        ("stop", ["commit", "continue", "stop"], "leave it on the plan branch"),
        ("commit", ["commit", "stop"], "once more to land"),
        ("recheck", ["recheck", "stop", "discard"], "once more what did not work"),
        ("recheck", ["revise", "recheck", "stop", "block", "discard"], "run the gates again"),
        ("stop", ["revise", "recheck", "stop", "block", "discard"], "its work stays on its branch"),
    ],
)
def test_a_problem_says_what_each_decision_does_there(decision, offered, told):
    assert told in checkpoint_view.meaning(decision, {"kind": "problem", "decisions": offered}, {})


@pytest.mark.parametrize(("task", "code", "outcome"), [("1.5", 1, "failed"), ("1.6", 5, "exhausted"), ("1.3", 3, None)])
def test_the_exit_code_is_the_outcome(devloop, scripted, task, code, outcome):
    result = devloop("run", task, "--json")
    assert result.code == code, result
    assert result.json["run"]["outcome"] == outcome
    assert result.json["state"] == ("waiting" if outcome is None else "ended")


def test_a_question_is_shown_and_answered(devloop, scripted):
    result = devloop("run", "1.3")
    assert result.code == 3
    assert "Which one?" in result.out and "1  a" in result.out
    assert 'devloop decide run-1.3-1 answer --message "…"' in result.out
    assert devloop("decide", "answer", "--message", "a").code == 0


def test_a_task_that_is_done_or_unknown_is_refused(devloop, scripted):
    done = devloop("run", "1.7")
    assert done.code == 4 and "--again" in done.err
    unknown = devloop("run", "1.77")
    assert unknown.code == 2 and "1.7" in unknown.err
    as_json = devloop("run", "1.77", "--json")
    assert as_json.code == 2 and as_json.err == ""
    assert as_json.json["error"]["kind"] == "not_found"


def test_continue_goes_from_task_to_task_until_its_limit(devloop, scripted, project):
    result = devloop("continue", "-n", "2", "--decide", "continue", "--json")
    assert result.code == 0, result
    assert [run["task"] for run in result.json["runs"]] == ["1.1", "1.2"]
    assert result.json["run"]["outcome"] == "accepted"
    assert (project / ".devloop/plan.md").read_text().count("[x]") == 3


def test_continue_with_nothing_left_says_so_and_is_0(devloop, scripted, project):
    plan = project / ".devloop/plan.md"
    plan.write_text(plan.read_text().replace("[ ]", "[x]"))
    result = devloop("continue")
    assert result.code == 0 and "Every task of the plan is done" in result.out
    assert devloop("continue", "--json").json["state"] == "all_complete"


def test_continue_with_a_waiting_run_shows_its_checkpoint(devloop, scripted):
    assert devloop("run", "1.1").code == 3
    result = devloop("continue")
    assert result.code == 3
    assert "waits for a decision" in result.out and "devloop decide run-1.1-1 continue" in result.out


def test_detach_returns_at_once_and_the_run_goes_on(devloop, scripted):
    result = devloop("run", "1.4", "--detach")
    assert result.code == 0 and "run-1.4-1 started" in result.out
    assert devloop("status", "--json").json["runs"][0]["state"] == "working"
    cancelled = devloop("cancel", "run-1.4-1", "--json")
    assert cancelled.json == {"run": "run-1.4-1", "state": "cancelling"}


def test_ctrl_c_leaves_the_run_alone_and_says_so(devloop, scripted, project):
    process = subprocess.Popen(
        [sys.executable, "-m", "devloop.cli.entry", "run", "1.4"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    wait_for_run(devloop)
    assert process.stdout is not None and process.stdout.readline(), "it follows"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "run-1.4-1 goes on in the background" in err and "Traceback" not in err
    assert devloop("status", "--json").json["runs"][0]["state"] == "working"


def wait_for_run(devloop):
    deadline = time.monotonic() + 20
    while not [run for run in devloop("status", "--json").json["runs"] if run["state"] == "working"]:
        assert time.monotonic() < deadline


def test_following_survives_the_death_of_the_daemon(devloop, scripted, project):
    """The follower connects anew, which starts the real daemon; the scripted records are no database for the real
    engine, so the follower ends with a message instead of a traceback."""
    from devloop.daemon.endpoint import announced

    process = subprocess.Popen(
        [sys.executable, "-m", "devloop.cli.entry", "run", "1.4"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    wait_for_run(devloop)
    os.kill(announced(scripted).pid, signal.SIGKILL)
    _, err = process.communicate(timeout=90)
    assert process.returncode in (1, 2, 4)
    assert err.startswith("devloop: ") and "Traceback" not in err


def test_a_person_decides_at_the_terminal(terminal, scripted, project):
    person = terminal("run", "1.1")
    assert "the next task" not in person.until("Decision:"), "it is one task that was asked for"
    person.type("what\n")
    person.until("Choose one of")
    person.until("Decision:")
    person.type("v\n")
    shown = person.until("Decision:")
    assert "+new" in shown and "\x1b[31m\r" not in shown
    person.type("2\n")
    person.until("landed")
    assert person.end() == 0
    assert "[x] Task 1.1" in (project / ".devloop/plan.md").read_text()


def test_a_person_revises_with_a_message_and_then_stops(terminal, scripted):
    person = terminal("run", "1.1")
    person.until("Decision:")
    person.type("revise\n")
    person.until("What should change?")
    person.type("use the helper\n")
    person.until("use the helper")
    person.until("Decision:")
    person.type("st\n")
    person.until("accepted")
    assert person.end() == 0


def test_a_person_answers_a_question_by_number(terminal, scripted, devloop):
    person = terminal("run", "1.3")
    person.until("Which one?")
    for slip in ("9", "\u00b2"):
        person.until("Answer:")
        person.type(f"{slip}\n")
        person.until("or say it in words")
    person.until("Answer:")
    person.type("2\n")
    person.until("Decision:")
    person.type("\u00b2\n")
    person.until("Choose one of")
    events = devloop("log", "--json").json["events"]
    assert [e["data"]["message"] for e in events if e["kind"] == "checkpoint.closed"] == ["b"]
    person.type("discard\n")
    person.until("discarded")
    assert person.end() == 1


def test_a_question_at_the_terminal_ends_when_another_terminal_answers(terminal, scripted, devloop):
    person = terminal("run", "1.1")
    person.until("Decision:")
    assert devloop("decide", "run-1.1-1", "stop").code == 0
    person.until("decided elsewhere")
    person.until("accepted")
    assert person.end() == 0


def test_ctrl_c_at_the_question_leaves_it_open(terminal, scripted, devloop):
    person = terminal("run", "1.1")
    person.until("Decision:")
    person.process.send_signal(signal.SIGINT)
    person.until("waits for your decision. `devloop decide run-1.1-1` asks you again")
    assert person.end() == 130
    assert devloop("status", "--json").json["runs"][0]["state"] == "waiting"


@pytest.mark.parametrize("words", [("decide",), ("decide", "run-1.1-1")])
def test_whoever_left_the_question_is_asked_it_again(terminal, scripted, devloop, words):
    assert devloop("run", "1.1").code == 3
    refused = devloop(*words)
    assert refused.code == 2 and "Say what you decide" in refused.err
    person = terminal(*words)
    person.until("Ready for your decision")
    person.until("Decision:")
    person.type("stop\n")
    person.until("accepted")
    assert person.end() == 0


def test_what_was_typed_before_a_question_stood_there_is_no_answer_to_it(terminal, scripted, devloop):
    person = terminal("run", "1.1")
    person.type("2\n")
    person.until("Decision:")
    person.type("nothing of that kind\n")
    person.until("Choose one of")
    assert "decided" not in person.seen and devloop("status", "--json").json["runs"][0]["state"] == "waiting"
    person.type("stop\n")
    assert person.end() == 0


def test_the_seconds_of_a_run_count_on_where_nothing_happens(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    view = progress.LiveView(Console(file=io.StringIO(), force_terminal=True, width=120))
    row = {"id": "run-1", "task": "1.1", "agent": "engineer", "state": "working", "tokens": {}, "model": "m"}
    view.began(row)
    now[0] += 42
    shown = str(view._now().text)
    view.close()
    assert "42 s" in shown


def test_ctrl_c_is_the_pagers_while_it_shows_something():
    before = signal.getsignal(signal.SIGINT)
    with pager(Console(file=io.StringIO())):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before


def test_the_run_may_be_left_out_where_it_is_looked_at(devloop, scripted):
    assert devloop("show").code == 2
    assert devloop("run", "1.6").code == 5
    assert "exhausts" in devloop("show").out
    assert devloop("run", "1.1").code == 3
    assert devloop("run", "1.6", "--again").code == 5
    assert devloop("show", "--json").json["run"]["id"] == "run-1.1-1"  # it waits, the other one is newer
    assert "+new" in devloop("diff").out


def test_with_nothing_accepted_there_is_nothing_to_land(devloop):
    told = devloop("land")
    assert told.code == 0 and "Nothing was accepted here yet." in told.out
    assert devloop("land", "--json").json == {"commits": 0, "branch": None, "old": None, "new": None, "run": None}


def test_a_task_that_waits_is_explained_as_not_done(devloop, scripted):
    assert devloop("run", "1.1").code == 3
    told = devloop("explain", "1.1")
    assert told.code == 1 and "is not done yet: run-1.1-1 waits for a decision" in told.out


def test_a_task_that_is_in_no_plan_is_said_to_be_in_none(devloop, scripted):
    told = devloop("explain", "9.9")
    assert told.code == 1 and "The plan has no task 9.9" in told.out
    assert devloop("explain", "9.9", "--json").json == {"task": "9.9", "evidence": None}
    assert "No run of devloop did task 1.7" in devloop("explain", "1.7").out


def test_how_a_run_ended_is_said_once(devloop, scripted):
    assert devloop("run", "1.1").code == 3
    told = devloop("decide", "discard", "--follow")
    assert "discarded by a person" in told.out and "discarded: discarded" not in told.out


def test_while_a_decision_is_carried_out_the_line_says_so():
    view = progress.LiveView(Console(file=io.StringIO(), force_terminal=True, width=120))
    view.began({"id": "run-1", "task": "1.1", "agent": "engineer", "state": "waiting", "tokens": {}, "model": "m"})
    seen = []
    for kind, data in (
        ("run.state", {"state": "working"}),
        ("checkpoint.closed", {"number": 1, "decision": "commit"}),
        ("run.state", {"state": "landing"}),
        ("checkpoint.closed", {"number": 2, "decision": "discard"}),
    ):
        view.event(kind, data)
        seen.append(view._doing)
    view.close()
    assert seen == ["working", "accepting", "landing", "landing"]


def test_a_terminal_that_closes_its_input_leaves_the_question_open(terminal, scripted, devloop):
    person = terminal("run", "1.1")
    person.until("Decision:")
    person.type("\x04")  # Ctrl-D
    person.until("devloop decide run-1.1-1 commit")
    assert person.end() == 3
    assert devloop("status", "--json").json["runs"][0]["state"] == "waiting"


def test_a_terminal_loop_asks_for_each_task(terminal, scripted):
    person = terminal("continue", "-n", "2")
    person.until("1.1 First thing")
    assert "then the next task" in person.until("Decision:")
    person.type("continue\n")
    person.until("1.2 Second thing")
    person.until("Decision:")
    person.type("1\n")
    assert person.end() == 0
    assert "accepted" in person.seen


def test_events_are_printed_and_followed(devloop, scripted, project):
    devloop("run", "1.1")
    found = devloop("log", "--json").json
    assert {"seq", "at", "run", "kind", "data"} <= set(found["events"][0])
    assert "tool.ended" in devloop("log").out
    follower = subprocess.Popen(
        [sys.executable, "-m", "devloop.cli.entry", "log", "-f", "-n", "1", "--json"],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
    )
    first = json.loads(follower.stdout.readline())
    devloop("decide", "stop")
    kinds = []
    while "run.ended" not in kinds:
        kinds.append(json.loads(follower.stdout.readline())["kind"])
    follower.send_signal(signal.SIGINT)
    follower.communicate(timeout=20)
    assert first["kind"] == "checkpoint.opened" and "checkpoint.closed" in kinds
