"""Problems of a plan that its text alone can't show: files, other plans, the time."""

from __future__ import annotations

from datetime import UTC, datetime

from devloop import plan as plans
from devloop.daemon.plan_rules import problems_outside

NOW = datetime(2026, 1, 3, 12, 0, tzinfo=UTC)


def found(text, root, others=()):
    plan = plans.parse(text.encode())
    return [(each.code, each.line, each.message) for each in problems_outside(plan, root, NOW, others)]


def test_files_of_open_tasks_are_looked_for_inside_the_root(tmp_path):
    (tmp_path / "a.py").touch()
    text = "- [ ] T1 a\n  - Files: a.py, b.py (new), c/*.py, d.py, ../e.py\n- [x] T2 b\n  - Files: f.py\n"
    assert found(text, tmp_path) == [("missing-file", 1, "Task T1 names d.py, which is not there")]


def test_so_are_the_tests_that_a_task_may_change(tmp_path):
    (tmp_path / "a.py").touch()
    (tmp_path / "c/d").mkdir(parents=True)
    text = "- [ ] T1 one\n  - May change tests: a.py::test_a, b.py, c/**, c/d, ../d.py\n"
    assert found(f"{text}- [x] T2 b\n  - May change tests: b.py\n", tmp_path) == [
        ("missing-file", 1, "Task T1 names b.py, which is not there"),
        ("missing-file", 1, "Task T1 may change no test by naming a folder: write c/d/**"),
    ]


def test_other_plans_are_named(tmp_path):
    told = "there are other plans: PLAN.md; this one counts"
    assert found("- [ ] T1 a\n", tmp_path, ["PLAN.md"]) == [("multiple-plans", 1, told)]
    assert found("- [ ] T1 a\n", tmp_path) == []


def test_a_stale_plan_says_for_how_long_and_has_a_way_out(tmp_path):
    text = "# Plan: P\n**Status**: In Progress\n**Updated**: 2026-01-01T11:00+00:00\n\n- [~] T1 a\n"
    plan = plans.parse(text.encode())
    [problem] = problems_outside(plan, tmp_path, NOW)
    assert (problem.code, problem.line, problem.message) == ("stale-plan", 3, "last updated 2 days ago")
    [fix] = plans.fixes_of(plan, problem)
    again = plans.parse(plans.apply(plan.data, fix.edits))
    assert problems_outside(again, tmp_path, NOW) == ()
