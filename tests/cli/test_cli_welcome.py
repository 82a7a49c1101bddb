"""`devloop` alone: where things stand, without a daemon."""

from __future__ import annotations

import shlex
import time

import typer
from typer.main import get_command

from devloop.cli.app import application
from devloop.daemon.endpoint import announced
from devloop.paths import StateDir
from devloop.state.situation import Facts, IssueFacts, PlanFacts, situation


def test_it_says_where_things_stand_and_starts_nothing(devloop, project):
    got = devloop()
    assert got.code == 0 and "1 of 7 tasks done. Next: 1.1 First thing" in got.out and "devloop continue" in got.out
    assert announced(StateDir.of(project)) is None, "no daemon was started"


def test_for_programs(devloop, project, short_tmp):
    found = devloop("--json").json
    assert found["situation"]["kind"] == "active_plan" and found["root"] == str(project) and found["runs"] == []
    assert found["situation"]["options"][0]["command"] == "devloop continue" and found["waiting"] == 0
    assert devloop("--root", str(project), "--json", cwd=short_tmp).json == found
    assert devloop("--root", str(short_tmp / "nowhere")).code == 2


def test_a_run_that_waits_is_named(devloop, project, scripted):
    assert devloop("run", "1.1").code == 3
    deadline = time.monotonic() + 10
    while (found := devloop("--json").json)["waiting"] != 1:  # the daemon writes its glance a moment later
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    assert [run["needs_person"] for run in found["runs"]] == [True]
    told = devloop().out
    assert "waits for you" in told and "devloop decide " in told and "devloop diff" in told
    assert "devloop continue" not in told and "Next:" not in told, "the run that waits comes first"


def test_a_run_that_works_can_be_followed_and_nothing_is_begun_over_it(devloop, project, scripted):
    assert devloop("run", "1.4", "--detach").code == 0
    deadline = time.monotonic() + 10
    while not devloop("--json").json["runs"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    told = devloop().out
    assert "devloop continue    follow it" in told and "begun and not finished" not in told
    assert devloop("cancel", "run-1.4-1").code == 0


def test_hostile_words_stay_words(devloop, project):
    (project / ".devloop" / "plan.md").write_text("# Plan: [red]\x1b[31mX\n\n- [ ] Task 1.1: \x1b]0;x\x07[bold]y\n")
    got = devloop()
    assert got.code == 0 and "\x1b" not in got.out and "[bold]y" in got.out


def test_every_option_names_a_command_that_there_is():
    root = get_command(application())
    context = typer.Context(root)
    plan = PlanFacts("p", "n", "found", 1, 2, "1.1", "t")
    states = ("found", "partial", "all_complete", "all_blocked", "empty")
    facts = [Facts(hand_off=each, plan=plan) for each in ("valid", "stale", "invalid", "no_plan", "superseded")]
    facts += [Facts(plan=PlanFacts("p", "n", state)) for state in states]
    facts += [Facts(plan=PlanFacts("p", "n", "all_complete"), unlanded=1)]
    facts += [Facts(uncommitted=1), Facts(spike="s"), Facts()]
    facts += [Facts(issues=(IssueFacts("BUG-001", "t", "bug", each),)) for each in ("high", "low")]
    commands = {option.command for each in facts for option in situation(each).options}
    for command in commands:
        words = shlex.split(command)
        if words[0] != "devloop":
            continue
        found, rest = root.get_command(context, words[1]), words[2:]
        if hasattr(found, "commands"):
            found = found.commands.get(rest.pop(0))
        assert found is not None, command
        options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= options, command
