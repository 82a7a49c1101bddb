"""`devloop/plan`: where each task stands, from the plan and from its runs."""

from __future__ import annotations

import pytest

from devloop import plan as plans
from devloop.daemon.documents import Documents
from devloop.daemon.plan_view import view
from devloop.daemon.run_view import RunView

PLAN = """# Plan: Demo

**Goal**: It works

## Phase 1: Begin

- [x] Task 1.1: First
- [-] Task 1.2: Second
- [ ] Task 1.3: Third [depends:1.1]
  - [ ] a step
  - [ ] 1.3.1 own
- [ ] Task 1.4: Fourth [depends:1.5]
- [!] Task 1.5: Fifth
- [~] Task 1.6: Sixth
- [>] Task 1.7: Seventh
- [?] Task 1.8: Eighth
- [ ] Task 1.9: Ninth [depends:9.9]
- [ ] Task 1.10: Tenth [depends:1.11]
- [ ] Task 1.11: Eleventh [depends:1.10]

## Phase 2: Go on

**Dependencies**: Phase 1

- [ ] Task 2.1: Last

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""


@pytest.fixture
def shown(tmp_path):
    """`shown(text, runs)`: the answer, and its tasks by id."""

    def make(text=PLAN, runs=()):
        path = tmp_path / ".devloop/plan.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        found, plan = Documents(tmp_path).plan()
        by_line = {plans.find_task(plan, run.task).line: run for run in runs}
        answer = view(found, plan, by_line, tmp_path)
        return answer, {task["id"]: task for task in answer["tasks"]}

    return make


def test_markers_and_what_is_open_decide_where_a_task_stands(shown):
    _, tasks = shown()
    assert {name: task["state"] for name, task in tasks.items()} == {
        "1.1": "done",
        "1.2": "skipped",
        "1.3": "waiting",
        "1.3/1": "waiting",
        "1.3.1": "ready",
        "1.4": "waiting",
        "1.5": "blocked",
        "1.6": "partial",
        "1.7": "blocked",
        "1.8": "blocked",
        "1.9": "waiting",
        "1.10": "waiting",
        "1.11": "waiting",
        "2.1": "waiting",
    }
    assert {name: task["blocked_by"] for name, task in tasks.items() if task["blocked_by"]} == {
        "1.3": ["1.3.1"],
        "1.3/1": ["1.3"],
        "1.4": ["1.5"],
        "1.9": ["9.9"],
        "1.10": ["1.11"],
        "1.11": ["1.10"],
        "2.1": ["Phase 1"],
    }
    assert [name for name, task in tasks.items() if not task["pickable"]] == ["1.3/1"]


def test_a_task_is_ready_exactly_when_a_person_may_start_it(shown):
    _, tasks = shown()
    plan = plans.parse(PLAN)
    may = {task.id for task in plan.tasks if task.status == "pending" and not plans.may_run(plan, task)}
    assert {name for name, task in tasks.items() if task["state"] == "ready"} == may == {"1.3.1"}


@pytest.mark.parametrize(
    ("task", "run", "state"),
    [
        ("1.3", {"state": "working"}, "working"),
        ("1.3", {"state": "queued"}, "working"),
        ("1.3", {"state": "waiting", "checkpoint": {"number": 2, "kind": "question"}}, "checkpoint"),
        ("1.1", {"state": "landing"}, "working"),  # beside a finished one
        ("1.6", {"state": "ended", "outcome": "partial"}, "partial"),
        ("1.3.1", {"state": "ended", "outcome": "cancelled"}, "ready"),
    ],
)
def test_an_open_run_says_more_than_the_marker(shown, task, run, state):
    _, tasks = shown(runs=[RunView("run-1", task, agent="engineer", mode="default", turn=3, cost_usd=0.5, **run)])
    found = tasks[task]
    assert found["state"] == state
    told = {key: found["run"][key] for key in ("id", "agent", "mode", "turn", "cost_usd", "state", "outcome")}
    assert told == {
        "id": "run-1",
        "agent": "engineer",
        "mode": "default",
        "turn": 3,
        "cost_usd": 0.5,
        "state": run["state"],
        "outcome": run.get("outcome"),
    }
    asked = run.get("checkpoint", {})
    assert (found["run"]["checkpoint"], found["run"]["asks"]) == (asked.get("number"), asked.get("kind"))
    assert all(other["run"] is None for name, other in tasks.items() if name != task)


def test_the_rest_is_what_the_terminal_shows(shown, tmp_path):
    answer, _ = shown()
    plan = plans.parse(PLAN)
    shown_there = plans.show(plan)
    for name in ("name", "status", "fields", "phases", "criteria", "stats"):
        assert answer[name] == shown_there[name]
    for mine, theirs in zip(answer["tasks"], shown_there["tasks"], strict=True):
        assert {key: mine[key] for key in theirs} == theirs
    assert answer["goal"] == "It works"
    assert answer["path"] == ".devloop/plan.md"
    assert answer["uri"] == (tmp_path / ".devloop/plan.md").as_uri()
    assert {each["code"] for each in answer["problems"]} >= {"dependency-cycle", "unknown-dependency"}
    assert "log" not in answer


def test_what_waits_for_a_long_phase_names_the_phase_and_not_each_of_its_tasks(shown):
    first = "".join(f"- [ ] Task 1.{n}: Do {n}\n" for n in range(1, 301))
    second = "".join(f"- [ ] Task 2.{n}: Do {n}\n" for n in range(1, 301))
    _, tasks = shown(f"# P\n\n## Phase 1: A\n\n{first}\n## Phase 2: B\n\n**Dependencies**: Phase 1\n\n{second}")
    assert all(tasks[f"2.{n}"]["blocked_by"] == ["Phase 1"] for n in range(1, 301))


def test_an_empty_plan_has_no_tasks(shown):
    answer, tasks = shown("")
    assert tasks == {}
    assert answer["stats"]["total"] == 0
