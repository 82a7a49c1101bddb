"""The commands on state files, through the program's entry."""

from __future__ import annotations

import json
import sys

import jsonschema
import pytest

from devloop.cli.entry import main
from devloop.state import issues, plan_state, schema

PLAN = "# Plan: P\n\n## Phase 1: A\n\n- [x] Task 1.1: one\n- [ ] Task 1.2: two\n"


@pytest.fixture
def devloop(project, monkeypatch, capfd):
    """`devloop("issues", "--json")` → (code, out, err)"""
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        capfd.readouterr()
        code = main(list(arguments))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return code, out, err

    return call


def test_the_plan_as_data_in_both_versions(devloop, put):
    put(".devloop/plan.md", PLAN)
    jsonschema.Draft202012Validator(schema.load("plan-state")).validate(json.loads(devloop("plan", "state")[1]))
    old = json.loads(devloop("plan", "state", "--v1", "--json")[1])
    jsonschema.Draft7Validator(schema.load("plan-state-v1")).validate(old)
    assert old["next_task"] == "1.2"


def test_the_file_is_written_when_that_is_asked_for(project, devloop, put):
    put(".devloop/plan.md", PLAN)
    assert json.loads(devloop("plan", "state", "--write", "--json")[1]) == {"path": plan_state.PATH, "written": True}
    assert "In step already" in devloop("plan", "state", "--write")[1]
    assert json.loads((project / plan_state.PATH).read_text())["stats"]["total"] == 2
    assert devloop("plan", "state", "--write", "--v1")[0] == 2
    assert devloop("plan", "state", "nowhere.md")[0] == 2


def test_an_issue_from_its_beginning_to_its_end(project, devloop):
    made = json.loads(devloop("new", "It crashes", "on start", "-p", "high", "-l", "ui", "--json")[1])
    assert made["issue"]["id"] == "BUG-001" and made["issue"]["title"] == "It crashes on start"
    assert made["issue"]["labels"] == ["ui"] and (project / made["path"]).is_file()
    devloop("new", "Colours", "--type", "feature")
    listed = json.loads(devloop("issues", "--json")[1])
    assert [each["id"] for each in listed["issues"]] == ["BUG-001", "FEAT-001"] and listed["problems"] == []
    assert [each["id"] for each in json.loads(devloop("bugs", "--json")[1])["issues"]] == ["BUG-001"]
    assert "It crashes on start" in devloop("issues", "bug-001")[1]
    assert "BUG-001 is done" in devloop("bugs", "BUG-001", "--close", "--note", "fixed")[1]
    assert json.loads(devloop("bugs", "--json")[1])["issues"] == []
    assert json.loads(devloop("bugs", "--all", "--json")[1])["issues"][0]["status"] == "done"
    again = json.loads(devloop("issues", "BUG-001", "--status", "open", "--json")[1])
    assert again["issue"]["status"] == "open" and "fixed" in again["text"]
    assert (project / issues.FOLDER / "index.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("issues", "BUG-404"), 2),
        (("issues", "--close"), 2),
        (("issues", "BUG-001", "--close", "--status", "open"), 2),
        (("new", " "), 2),
        (("new", "x", "--type", "dream"), 2),
        (("statusline", "--color", "pink"), 2),
    ],
)
def test_a_wrong_call_is_told(devloop, arguments, code):
    found, _, err = devloop(*arguments)
    assert found == code and err


def test_a_broken_issue_is_named_and_the_others_are_listed(devloop, put):
    devloop("new", "It crashes")
    put(".devloop/issues/BUG-002.md", "---\nid: BUG-002\ntype: bug\n---\n")
    code, out, _ = devloop("issues")
    assert code == 0 and "BUG-001" in out and ".devloop/issues/BUG-002.md:1: title" in out
    assert devloop("issues", "BUG-002")[0] == 2


def test_nothing_of_an_issue_steers_the_terminal(devloop, put):
    put(
        ".devloop/issues/BUG-001.md", '---\nid: BUG-001\ntype: bug\ntitle: "a\\e[31m[red]b"\n---\n\x1b[2Jbody [bold]x\n'
    )
    for arguments in (("issues",), ("issues", "BUG-001")):
        out = devloop(*arguments)[1]
        assert "\x1b[31m" not in out and "\x1b[2J" not in out and "[red]b" in out


def test_the_status_line_has_help(devloop):
    code, out, _ = devloop("statusline", "--help")
    assert code == 0 and "--width" in out
