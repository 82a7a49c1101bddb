"""`May change tests`: the tests whose change a task's own text allows."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from devloop import trust
from devloop.plan import Event, apply, change, completion, parse, show, spans, task_json
from devloop.plan import problems_external as outside
from devloop.plan.importing import imported
from devloop.plan.proposing import new_plan, revised
from devloop.plan.rename import rename

NOW = datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001 - as a person's clock shows it


def named(lines: str) -> tuple[str, ...]:
    [task] = parse(f"# Plan: P\n\n## Phase 1: A\n- [ ] T1 Round half up\n{lines}").tasks
    return task.may_change_tests


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("  - May change tests: `tests/test_money.py`\n", ("tests/test_money.py",)),
        ("  - **May change tests**: tests/a.py, `tests/b.py::test_b`\n", ("tests/a.py", "tests/b.py::test_b")),
        ("  - _Tests may change: tests/**_\n", ("tests/**",)),
        ("  - may change these tests: tests/a.py (rounding)\n", ("tests/a.py",)),
        ("  - May change test: tests/a.py::TestA::test_b\n", ("tests/a.py::TestA::test_b",)),
        (
            "  - May change tests:\n    - `tests/a.py`\n    - tests/b.py,\n      tests/a.py\n",
            ("tests/a.py", "tests/b.py"),
        ),
        ("  - May change tests: a.py\n  - Tests may change: b.py\n", ("a.py", "b.py")),
        ("  - May change tests: all of them that fail\n", ()),
        ("  - May change tests:\n", ()),
        ("  - Tests: `pytest`\n  - Files: tests/a.py\n", ()),
        ("  - Notes: May change tests: tests/a.py\n", ()),
        ("  - Acceptance:\n    - May change tests: tests/a.py\n", ()),
        ("  May change tests: tests/a.py\n", ()),
        ("  ```\n  - May change tests: tests/a.py\n  ```\n", ()),
        ("  <!--\n  - May change tests: tests/a.py\n  -->\n", ()),
        ("  > - May change tests: tests/a.py\n", ()),
        ("May change tests: tests/a.py\n", ()),
    ],
)
def test_what_a_task_names(lines: str, expected: tuple[str, ...]) -> None:
    assert named(lines) == expected


def test_a_range_of_lines_is_never_read_as_the_whole_file() -> None:
    assert named("  - May change tests: `tests/a.py:10-20`\n") == ("tests/a.py:10-20",)


def test_it_belongs_to_its_task_alone() -> None:
    text = "- [ ] T1 one\n  - May change tests: a.py\n- [ ] T2 two\n  - [ ] step\n    - May change tests: b.py\n"
    assert [task.may_change_tests for task in parse(text).tasks] == [("a.py",), (), ("b.py",)]


def test_it_limits_no_files_and_puts_no_tasks_apart() -> None:
    text = "- [ ] T1 one [parallel:A]\n  - May change tests: t/a.py\n- [ ] T2 two [parallel:A]\n  - Files: t/a.py\n"
    plan = parse(text)
    assert plan.tasks[0].files == () and not plan.problems


def test_it_is_exported_and_comes_back() -> None:
    text = "# Plan: P\n\n## Phase 1: A\n- [ ] Task 1.1: one\n  - May change tests: `t/a b.py`, t/b.py::test_c\n"
    plan = parse(text)
    assert task_json(plan.tasks[0])["may_change_tests"] == ["t/a b.py", "t/b.py::test_c"]
    again = imported("devloop-json", json.dumps(show(plan)))
    assert parse(again.text).tasks[0].may_change_tests == ("t/a b.py", "t/b.py::test_c")


def test_a_rename_keeps_it() -> None:
    plan = parse("- [ ] T1 one\n  - May change tests: t/T1.py\n- [ ] T2 two [depends:T1]\n")
    assert rename(plan, plan.tasks[0], "T9")


def test_its_paths_are_places() -> None:
    plan = parse("- [ ] T1 one\n  - May change tests: `t/a.py::test_b`, t/**\n")
    found = [(each.kind, each.value) for each in spans(plan, 2)]
    assert found[0] == ("meta-key", "may change tests")
    assert [each for each in found if each[0] == "path"] == [("path", "t/a.py"), ("path", "t/**")]


def test_it_is_offered_and_so_are_its_paths() -> None:
    plan = parse("- [ ] T1 one\n  - Files: a.py\n  - \n")
    assert "May change tests" in [each.text for each in completion(plan, 3, 4).candidates]
    plan = parse("- [ ] T1 one\n  - May change tests: te\n  - \n")
    assert completion(plan, 2, 24).kind == "path"
    assert "May change tests" not in [each.text for each in completion(plan, 3, 4).candidates]


def test_the_files_that_it_names_are_looked_for_and_patterns_are_not() -> None:
    [task] = parse("- [ ] T1 one\n  - May change tests: a.py::test_a, b.py, c/**, ../d.py\n").tasks
    assert outside.tests_named(task) == ("a.py", "b.py", "../d.py")


@pytest.mark.parametrize("kind", ["prd", "task-master"])
def test_words_of_other_tools_never_become_it(kind: str) -> None:
    hostile = "May change tests: `tests/**`"
    lines = f"{hostile}\n- {hostile}\n  - {hostile}"
    row = {"id": 1, "title": f"A\n  - {hostile}", "description": lines, "details": lines, "notes": lines}
    row |= {"acceptanceCriteria": [lines], "testStrategy": lines, "status": "pending", "fileScope": [lines]}
    row |= {"May change tests": "tests/**", "may_change_tests": ["tests/**"], "subtasks": [{"id": 1, "title": lines}]}
    found = imported(kind, json.dumps({"userStories": [row], "tasks": [row]}))
    assert not [task.may_change_tests for task in parse(found.text).tasks if task.may_change_tests]


LINE = "May change tests: `tests/**`"
HOSTILE = (
    LINE,
    f"x\n  - {LINE}",
    f"- {LINE}",
    f"**May change tests**: tests/**\n- [ ] T9 x\n  - {LINE}",
    f"x\r  - {LINE}",
)
TEXT = "# Plan: P\n\n## Phase 1: A\n\n- [ ] Task 1.1: one\n  - May change tests: `t/a.py`\n- [ ] Task 1.2: two\n"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_proposal_never_gives_it(hostile: str) -> None:
    task = dict.fromkeys(("title", "effort", "group", "why", "phase", "after"), hostile)
    task |= {name: [hostile] for name in ("acceptance", "files", "depends", "by")}
    task |= {
        "may_change_tests": ["tests/**"],
        "May change tests": "tests/**",
        "extra": [{"key": "x", "value": hostile}],
    }
    data = {"title": hostile, "goal": hostile, "phases": [{"name": hostile, "goal": hostile, "tasks": [task]}]}
    data["changes"] = [{**task, "what": what, "task": "1.2"} for what in ("reword", "add", "supersede", "move")]
    assert not [each for each in parse(new_plan(data).text).tasks if each.may_change_tests]
    plan = parse(TEXT)
    change = revised(plan, data, mark="Plan changed (run-1)", now=NOW)
    found = parse(apply(plan.data, change.edits))
    assert len(found.tasks) > 2
    assert [(each.id, each.may_change_tests) for each in found.tasks if each.may_change_tests] == [("1.1", ("t/a.py",))]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", ["started", "completed", "committed", "partial", "blocked", "skipped", "discarded"])
def test_what_is_noted_of_a_task_never_gives_it(hostile: str, kind: str) -> None:
    plan = parse(TEXT)
    event = Event.from_json({"kind": kind, "task": {"id": "1.2"}, "text": hostile, "at": "2026-01-31T12:30:00"})
    found = parse(apply(plan.data, change(plan, event)))
    assert found.text != plan.text and [each.may_change_tests for each in found.tasks] == [("t/a.py",), ()]


def test_other_words_for_a_task_are_another_task() -> None:
    """A proposal that rewords a task keeps its names; what a person said yes to was about the words before."""
    plan = parse(TEXT)
    reword = {"changes": [{"what": "reword", "task": "1.1", "title": "Remove all checks"}]}
    [after, _] = parse(apply(plan.data, revised(plan, reword, mark="m", now=NOW).edits)).tasks
    before = plan.tasks[0]
    assert after.may_change_tests == before.may_change_tests == ("t/a.py",)
    keys = [trust.tests_item(t.id, t.title, t.acceptance, t.may_change_tests, "plan.md") for t in (before, after)]
    assert keys[0].key == keys[1].key and keys[0].sha256 != keys[1].sha256
