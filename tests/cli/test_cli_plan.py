"""Reading plans from the terminal: shapes, exit codes, and what is said when there is none."""

from __future__ import annotations

import json
import os

import pytest


def test_a_plan_is_shown_for_people_and_for_programs(devloop):
    people = devloop("plan", "show")
    assert people.code == 0
    assert "Demo" in people.out and "1 of 7 tasks done (14 %)" in people.out
    assert "waits for 1.1" in people.out and "Phase 1: Begin" in people.out
    shown = devloop("plan", "show", "--json").json
    assert {"path", "name", "status", "fields", "tasks", "phases", "criteria", "log", "stats", "problems"} == set(
        shown
    ) - {"status_text"}
    assert [task["id"] for task in shown["tasks"]] == [f"1.{n}" for n in range(1, 8)]
    assert shown["stats"]["total"] == 7 and shown["path"] == ".devloop/plan.md"


def test_any_file_can_be_shown_from_anywhere(devloop, short_tmp):
    other = short_tmp / "ideas.md"
    other.write_text("# Plan: Ideas\n\n- [ ] Task 9.1: Think\n")
    result = devloop("plan", "show", str(other), cwd=short_tmp)
    assert result.code == 0 and "9.1" in result.out
    assert devloop("plan", "next", "ideas.md", "--json", cwd=short_tmp).json["task"]["id"] == "9.1"


def test_the_folder_of_the_project_may_be_named(devloop, project, short_tmp):
    result = devloop("--root", str(project), "plan", "next", cwd=short_tmp)
    assert result.code == 0 and "1.1 First thing" in result.out


def test_a_plan_is_found_from_a_folder_below(devloop, project):
    (project / "src" / "deep").mkdir(parents=True)
    assert devloop("plan", "next", cwd=project / "src" / "deep").code == 0


@pytest.mark.parametrize(
    ("text", "code", "state"),
    [
        ("- [ ] Task 1.1: A\n", 0, "found"),
        ("- [x] Task 1.1: A\n", 1, "all_complete"),
        ("- [!] Task 1.1: A\n- [ ] Task 1.2: B [depends:1.1]\n", 1, "all_blocked"),
        ("- [~] Task 1.1: A\n", 1, "partial"),
        ("nothing here\n", 1, "empty"),
    ],
)
def test_next_answers_with_its_state_and_exit_code(devloop, project, text, code, state):
    (project / ".devloop" / "plan.md").write_text(f"# Plan: P\n\n{text}")
    result = devloop("plan", "next", "--json")
    assert (result.code, result.json["state"]) == (code, state)
    assert devloop("plan", "next").code == code


@pytest.mark.parametrize("command", ["show", "check", "next"])
def test_no_plan_is_2_and_says_how_to_make_one(devloop, project, command):
    (project / ".devloop" / "plan.md").unlink()
    result = devloop("plan", command)
    assert result.code == 2 and result.out == ""
    assert result.err.startswith("devloop: There is no plan in") and "devloop init" in result.err
    as_json = devloop("plan", command, "--json")
    assert as_json.code == 2 and as_json.json["error"]["hint"] == "Make one with `devloop init`."


def test_what_is_no_file_is_2(devloop, project):
    assert devloop("plan", "show", "nowhere.md").code == 2
    assert devloop("plan", "next", str(project)).code == 2


def test_check_is_1_for_an_error_and_names_its_line(devloop, project):
    (project / ".devloop" / "plan.md").write_text("# Plan: P\n\n- [ ] Task 1.1: A [depends:9.9]\n")
    result = devloop("plan", "check")
    assert result.code == 1 and ".devloop/plan.md:3: error:" in result.out and "unknown-dependency" in result.out
    shown = devloop("plan", "check", "--json").json
    assert shown["errors"] == 1 and shown["problems"][0]["line"] == 3


def test_check_adds_what_only_the_file_system_and_the_clock_know(devloop, project):
    (project / "PLAN.md").write_text("# Plan: Other\n")
    (project / "there.py").touch()
    (project / ".devloop" / "plan.md").write_text(
        "# Plan: P\n\n**Status**: In Progress\n**Updated**: 2020-01-01 10:00\n\n"
        "- [ ] Task 1.1: A\n  - **Files**: `there.py`, `gone.py`, `coming.py` (new)\n"
    )
    result = devloop("plan", "check", "--json")
    assert result.code == 0
    codes = {problem["code"]: problem for problem in result.json["problems"]}
    assert {"multiple-plans", "stale-plan", "missing-file"} <= set(codes)
    assert "PLAN.md" in codes["multiple-plans"]["message"]
    assert "gone.py" in codes["missing-file"]["message"]
    assert sum(problem["code"] == "missing-file" for problem in result.json["problems"]) == 1


def test_bytes_that_are_no_utf8_are_a_plan_too(program, project):
    (project / ".devloop" / "plan.md").write_bytes(b"# Plan: P\n\n- [ ] Task 1.1: caf\xe9 \xff\n")
    assert program("plan", "next").code == 0
    shown = program("plan", "show", "--json")
    assert shown.code == 0 and shown.json["tasks"][0]["id"] == "1.1"


def test_signs_stay_told_apart_where_the_terminal_has_no_utf8(program, project):
    """A question mark is the sign of what is unknown."""
    marks = "- [x] Task 1.1: caf\u00e9\n- [ ] Task 1.2: b\n- [~] Task 1.3: c\n- [-] Task 1.4: d\n"
    (project / ".devloop" / "plan.md").write_text(f"# Plan: P\n\n{marks}", encoding="utf-8")
    shown = program("plan", "show", env={**os.environ, "PYTHONIOENCODING": "ascii"}).out
    assert [line.split()[:2] for line in shown.splitlines() if " 1." in line] == [
        ["x", "1.1"],
        ["o", "1.2"],
        ["~", "1.3"],
        ["-", "1.4"],
    ]
    assert "caf?" in shown


def test_hostile_titles_reach_the_terminal_as_plain_text(devloop, project):
    title = "[red]x[/] \x1b]52;c;AAAA\x07 \u202egnp.exe \x9b31m [link=http://x]y[/link]"
    (project / ".devloop" / "plan.md").write_text(f"# Plan: {title}\n\n- [ ] Task 1.1: {title}\n")
    for command in ("show", "next"):
        out = devloop("plan", command).out
        assert "[red]x[/]" in out and "[link=http://x]" in out
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(out)


def test_the_plan_of_the_environment_counts(devloop, project, monkeypatch):
    (project / "mine.md").write_text("# Plan: Mine\n\n- [ ] Task 7.1: A\n")
    monkeypatch.setenv("DEVLOOP_PLAN_PATH", str(project / "mine.md"))
    assert devloop("plan", "next", "--json").json["task"]["id"] == "7.1"


def test_json_is_one_object_and_nothing_else(devloop):
    json.loads(devloop("plan", "show", "--json").out)
