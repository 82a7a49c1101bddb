"""The JSON that front-ends and the engine read."""

from __future__ import annotations

import json

from devloop.plan import PLAN_FILES, next_task, parse, show, task_json

PLAN = parse(
    "# Plan: T\n**Status**: Planning\n\n## Phase 1: A\n**Goal**: go\n\n- [~] Task 1.1: a [parallel:A]\n"
    "  - Acceptance: works\n  - Files: `a.py` (new), b.py:3-4\n  - [x] step\n- [ ] Task 1.2: b [depends:1.1]\n"
    "## Done when\n- [x] c\n## Progress Log\n- 2026-01-01 10:00: Started Task 1.1\n"
)


def test_shape_of_show() -> None:
    shown = json.loads(json.dumps(show(PLAN)))
    assert {"tasks", "phases", "criteria", "log", "stats", "problems"} <= shown.keys()
    wanted = {"id", "title", "status", "line", "phase", "parent", "depends_on", "group", "acceptance", "files", "tags"}
    assert all(wanted <= task.keys() for task in shown["tasks"])
    first = shown["tasks"][0]
    assert {key: first[key] for key in wanted} == {
        "id": "1.1",
        "title": "a",
        "status": "in_progress",
        "line": 7,
        "phase": "1",
        "parent": None,
        "depends_on": [],
        "group": "A",
        "acceptance": ["works"],
        "files": [
            {"path": "a.py", "new": True, "lines": None, "glob": False},
            {"path": "b.py", "new": False, "lines": [3, 4], "glob": False},
        ],
        "tags": ["parallel:A"],
    }
    assert [(task["id"], task["parent"]) for task in shown["tasks"]] == [("1.1", None), ("1.1/1", "1.1"), ("1.2", None)]
    phase = shown["phases"][0]
    assert {key: phase[key] for key in ("id", "name", "line", "goal")} == {
        "id": "1",
        "name": "A",
        "line": 4,
        "goal": "go",
    }
    assert [{key: c[key] for key in ("line", "text", "done")} for c in shown["criteria"]] == [
        {"line": 13, "text": "c", "done": True}
    ]
    assert [line["line"] for line in shown["log"]] == [15]
    stats = {"total": 2, "done": 0, "pending": 1, "in_progress": 1, "blocked": 0, "skipped": 0, "percentage": 0}
    assert {key: shown["stats"][key] for key in stats} == stats
    assert {"code", "severity", "line", "message"} <= shown["problems"][0].keys()


def test_shape_of_next() -> None:
    answer = json.loads(json.dumps(next_task(PLAN)))
    assert (answer["state"], answer["task"], answer["parallel"]) == ("partial", None, [])
    assert (answer["blocked_by"], answer["resumable"]) == (["1.1"], ["1.1"])
    assert answer["blocked"] == [{"id": "1.2", "title": "b", "line": 11, "by": ["1.1"], "why": "in_progress"}]


def test_a_task_alone_is_the_task_of_the_list() -> None:
    assert task_json(PLAN.tasks[0]) == show(PLAN)["tasks"][0]


def test_order_of_plan_files() -> None:
    assert PLAN_FILES[0] == ".devloop/plan.md"
    assert PLAN_FILES[1:] == (".claude/devloop-plan.md", "docs/PLAN.md", "docs/plan.md", "PLAN.md", "plan.md")
