"""An analysis as tasks: the order in which it can be worked off, whatever was found."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.agents import analysis, contracts
from devloop.plan import proposing
from support.turns import often

FINDING = st.fixed_dictionaries(
    {
        "category": st.sampled_from(analysis.CATEGORIES),
        "path": st.sampled_from(["a.py", "b/c.py"]),
        "line": st.integers(0, 50),
        "problem": st.sampled_from(["Too long", "Said twice", "No test"]),
        "change": st.sampled_from(["Split it", "Say it once", "Test it", "Split it."]),
        "step": st.sampled_from(analysis.STEPS),
        "impact": st.sampled_from(analysis.LEVELS),
        "effort": st.sampled_from(analysis.LEVELS),
    }
)
DATA = st.fixed_dictionaries(
    {"summary": st.just("S"), "health": st.just("fair"), "findings": st.lists(FINDING, max_size=8)}
)


@settings(max_examples=often(100), deadline=None)
@given(DATA)
def test_each_finding_is_one_task_and_waits_only_for_earlier_ones(data: dict) -> None:
    assert contracts.mistakes(contracts.Analysis, data) == []
    found = analysis.read(data)
    drafted = analysis.draft(found, "Analyze")
    tasks = [task for phase in drafted["phases"] for task in phase["tasks"]]
    assert len(tasks) == len(data["findings"]) == len({task["title"].casefold() for task in tasks})
    titles = [task["title"] for task in tasks]
    for at, task in enumerate(tasks):
        assert all(titles.index(other) < at for other in task["depends"])
        assert task["effort"] in ("S", "M", "L") and task["acceptance"] and task["files"]
    for name, members in analysis.phases(found):
        assert all((name == analysis.QUICK) <= each.cheap for each, _ in members)


@settings(max_examples=30, deadline=None)
@given(DATA.filter(lambda data: data["findings"]))
def test_the_tasks_make_a_sound_plan(data: dict) -> None:
    drafted = analysis.draft(analysis.read(data), "Analyze the project")
    made = proposing.new_plan(drafted, now="2026-01-02 03:04", log="Plan created (run-1)", name="Analyze")
    plan = plans.parse(made.text.encode())
    assert made.tasks == len(data["findings"])
    assert [each for each in plan.problems if each.severity == "error"] == []
    assert {task.effort for task in plan.tasks if task.pickable} <= {"S", "M", "L"}
    existing = plans.parse(b"# Plan: P\n\n## Phase 1: Begin\n\n- [x] Task 1.1: Done\n")
    changed = proposing.revised(existing, drafted, mark="Plan changed (run-1)", now=datetime(2026, 1, 2, tzinfo=UTC))
    assert not changed.left_out and "- [x] Task 1.1: Done" in changed.text


def test_tests_come_before_changes_and_extracting_before_modifying() -> None:
    def one(change: str, step: str, path: str = "a.py", **more: str) -> dict:
        return {
            "category": "tests",
            "path": path,
            "line": 1,
            "problem": "P",
            "change": change,
            "step": step,
            "impact": "high",
            "effort": "high",
            **more,
        }

    found = analysis.read(
        {
            "findings": [
                one("Modify", "modify"),
                one("Extract", "extract"),
                one("Test", "test"),
                one("Drop", "remove", "b.py", effort="low"),
                one("Rename", "modify", effort="low"),
            ]
        }
    )
    assert [(name, [each.change for each, _ in members]) for name, members in analysis.phases(found)] == [
        ("Quick wins", ["Drop"]),
        ("Tests before changes", ["Test"]),
        ("Restructuring", ["Extract", "Rename", "Modify"]),
    ]
    waits = {
        each.change: [other.change for other in before]
        for _, members in analysis.phases(found)
        for each, before in members
    }
    assert waits == {"Drop": [], "Test": [], "Extract": ["Test"], "Modify": ["Extract"], "Rename": ["Extract"]}


def test_what_does_not_fit_is_left_out_and_categories_choose() -> None:
    data = {
        "findings": [
            None,
            {},
            {"path": "../x", "problem": "p"},
            {"path": "a.py", "problem": "p", "step": "dance", "impact": 3, "line": "x", "category": "tests"},
            {"path": "b.py", "problem": "q", "category": "performance"},
        ]
    }
    assert [(each.place, each.step, each.impact) for each in analysis.read(data)] == [
        ("a.py", "modify", "medium"),
        ("b.py", "modify", "medium"),
    ]
    assert [each.path for each in analysis.read(data, ["performance"])] == ["b.py"]
    assert analysis.read([]) == analysis.read({"findings": 3}) == ()


def test_the_report_counts_by_category_and_says_what_comes_first() -> None:
    found = analysis.read(
        {
            "findings": [
                {
                    "category": "tests",
                    "path": "a.py",
                    "line": 3,
                    "problem": "No test `x`",
                    "change": "Test it",
                    "step": "test",
                    "impact": "high",
                    "effort": "low",
                }
            ]
        }
    )
    text = analysis.report({"health": "poor", "summary": "Bad.", "good": ["Names"]}, found, "Analyze", "2026-01-02")
    for part in (
        "**Health**: poor",
        "| tests | 1 | 1 | 1 |",
        "## Quick wins",
        "### Test it",
        "- Place: `a.py:3`",
        "- Names",
    ):
        assert part in text
