"""`devloop plan import` and `export`: looking first, writing when asked, exit codes, and what is printed where."""

from __future__ import annotations

import json

import pytest

from devloop.plan import parse

SPEC = """# Tasks: Albums

## Phase 1: Setup

- [x] T001 Create the project
- [ ] T002 Configure it in pyproject.toml
"""
PRD = {"project": "P", "userStories": [{"id": "US-1", "title": "A [red]story[/]", "passes": False, "odd\x1b": 1}]}


@pytest.fixture
def lists(project):
    folder = project / "specs" / "001"
    folder.mkdir(parents=True)
    (folder / "tasks.md").write_text(SPEC)
    (project / "prd.json").write_text(json.dumps(PRD))
    return project


def test_an_import_is_shown_as_a_patch_of_the_plan_and_writes_nothing(devloop, lists):
    before = (lists / ".devloop/plan.md").read_text()
    result = devloop("plan", "import", "specs/001/tasks.md")
    assert result.code == 0
    assert "+- [ ] Task 1.2: Configure it in pyproject.toml" in result.out and "-# Plan: Demo" in result.out
    assert "2 tasks from specs/001/tasks.md, read as spec-kit" in result.err
    assert "changed" in result.err and "--write --replace it becomes .devloop/plan.md" in result.err
    assert (lists / ".devloop/plan.md").read_text() == before


def test_without_a_plan_the_text_itself_is_shown(devloop, lists):
    (lists / ".devloop/plan.md").unlink()
    result = devloop("plan", "import", "prd.json")
    assert result.code == 0
    assert result.out.startswith("# Plan: P\n")
    plan = parse(result.out)
    assert [(task.id, task.title) for task in plan.tasks] == [("US-1", "A [red]story[/]")]
    assert "\x1b" not in result.out + result.err
    assert "with --write it becomes .devloop/plan.md" in result.err


def test_as_json_it_says_all_of_it(devloop, lists):
    shown = devloop("plan", "import", "specs/001/tasks.md", "--json").json
    assert shown["kind"] == "spec-kit" and shown["tasks"] == 2 and shown["written"] is False
    assert {"kind", "text", "line", "path"} == set(shown["notes"][0])
    assert shown["exists"] is True and shown["patch"]


def test_it_is_written_only_with_replace_where_a_plan_is_and_the_old_one_is_kept(devloop, lists, scripted):
    before = (lists / ".devloop/plan.md").read_text()
    refused = devloop("plan", "import", "specs/001/tasks.md", "--write")
    assert refused.code == 4 and "There is a plan already" in refused.err and "--replace" in refused.err
    assert (lists / ".devloop/plan.md").read_text() == before
    done = devloop("plan", "import", "specs/001/tasks.md", "--write", "--replace", "--json")
    assert done.code == 0 and done.json["written"] is True
    assert (lists / done.json["archived"]).read_text() == before
    assert devloop("plan", "next", "--json").json["task"]["id"] == "1.2"
    assert devloop("plan", "check").code == 0


def test_the_first_plan_needs_only_write(devloop, lists, scripted):
    (lists / ".devloop/plan.md").unlink()
    done = devloop("plan", "import", "prd.json", "--write")
    assert (done.code, done.out) == (0, "") and "Written to .devloop/plan.md" in done.err
    assert devloop("plan", "show", "--json").json["tasks"][0]["id"] == "US-1"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere.md"], 2),
        (["."], 2),
        (["prd.json", "--as", "word"], 2),
        (["prd.json", "--replace"], 2),
        (["empty.md"], 1),
        (["empty.md", "--write"], 4),
    ],
)
def test_exit_codes(devloop, lists, scripted, arguments, code):
    (lists / "empty.md").write_text("# Nothing\n")
    result = devloop("plan", "import", *arguments)
    assert result.code == code, result


def test_a_list_may_come_from_standard_input(program, lists):
    (lists / ".devloop/plan.md").unlink()
    result = program("plan", "import", "-", "--json", input=json.dumps(PRD))
    assert result.code == 0 and result.json["source"] == "" and result.json["tasks"] == 1


@pytest.mark.parametrize(
    ("option", "kind"), [("--json", "devloop-json"), ("--prd", "prd"), ("--task-master", "task-master")]
)
def test_an_export_can_be_imported_again(devloop, lists, option, kind):
    exported = devloop("plan", "export", option)
    assert exported.code == 0
    (lists / "exported.json").write_text(exported.out)
    again = devloop("plan", "import", "exported.json", "--json").json
    assert (again["kind"], again["problems"]) == (kind, [])
    titles = [task["title"] for task in devloop("plan", "show", "--json").json["tasks"]]
    assert [task.title for task in parse(again["text"]).tasks] == titles


def test_an_export_is_the_json_of_show_and_takes_one_form(devloop, lists):
    assert devloop("plan", "export").json["tasks"] == devloop("plan", "show", "--json").json["tasks"]
    assert devloop("plan", "export", "--prd", "--json").code == 2
    assert devloop("plan", "export", "nowhere.md").code == 2


def test_help_has_examples_and_exit_codes(devloop):
    told = devloop("plan", "import", "--help").out
    assert "Examples" in told and "Exit code" in told and "--write" in told
    assert "Examples" in devloop("plan", "export", "--help").out
