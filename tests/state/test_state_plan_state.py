"""plan-state.json: both versions against their schemas, the plan as the oracle, and its speed."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.errors import Refused
from devloop.state import plan_state, schema

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
V1 = jsonschema.Draft7Validator(schema.load("plan-state-v1"))
V2 = jsonschema.Draft202012Validator(schema.load("plan-state"))
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "plans"
PLAN = """# Devloop Plan: Example

**Created**: 2025-12-29
**Updated**: 2025-12-29 05:33
**Status**: In Progress

## Phase 1: Model

**Goal**: a model

- [x] Task 1.1: First [parallel:A]
  - Acceptance: it works
  - Files: `a.py` (new), `b.py`
  - [x] a step
- [ ] Task 1.2: Second [depends:1.1] [parallel:A]
- [-] Task 1.3: Not done
- [>] Task 1.4: Later

## Phase 2a: Odd

- [ ] T001 Third [depends:1.2]
- [?] Task 2.2: Unknown
- [x] Task 1.1: Twice

## Success Criteria

- [ ] all is well
"""

LINES = st.sampled_from(
    [
        "## Phase 1: One",
        "### Phase 2: Two",
        "## Tasks",
        "- [ ] Task 1.1: a",
        "- [x] Task 1.1: a",
        "- [x] Task 1.2: b [depends:1.1]",
        "- [ ] Task 2.1: c [depends:Phase 1] [parallel:A]",
        "- [ ] T003 [P] d",
        "- [ ] a title alone",
        "  - [ ] a step",
        "- [~] 2.2 e [parallel:AB]",
        "- [!] Task 9.9: f [depends:404]",
        "- [>] Task 3.1: g",
        "- [?] Task 3.2: h",
        "**Status**: Paused",
        "**Status**: Blocked",
        "  - Files: `x.py` (new)",
        "",
        "## Acceptance Criteria",
        "- [ ] crit",
        "## Progress Log",
        "- 2026-01-01: Completed Task 1.1",
        "## Phase 0: Zero",
        "- [ ] Task 0.1: z \udcff",
        "## Phase 3a: Odd",
        "x" * 600,
        "- [ ] Task 4.1: " + "y" * 700,
    ]
)


def state_of(text):
    data = text.encode("utf-8", "surrogateescape")
    return plans.parse(data), plan_state.of(plans.parse(data), ".devloop/plan.md", NOW)


def test_version_2_holds_every_task_and_what_is_next():
    plan, state = state_of(PLAN)
    V2.validate(state)
    assert state["schema_version"] == "2.0.0" and state["plan_name"] == "Example" and state["current_phase"] == 1
    assert [each["id"] for each in state["task_list"]] == [task.id for task in plan.tasks]
    assert [each["line"] for each in state["task_list"]] == [task.line for task in plan.tasks]
    assert state["tasks"]["1.1"]["description"].startswith("First"), "the first task of an id"
    assert state["next_task"] == "1.2" and state["outcome"] == "found" and state["ready"][0] == "1.2"
    assert state["blocked"][0]["id"] == "1.4" and {"id": "T001", "by": ["1.2"], "why": "pending"} in state["blocked"]
    assert state["phases"][1]["number"] is None and state["phases"][0]["goal"] == "a model"
    assert state["parallel_groups"] == {"A": ["1.1", "1.2"]} and state["dependencies"]["T001"] == ["1.2"]
    assert state["criteria"] == [{"line": 27, "text": "all is well", "done": False, "section": "Success Criteria"}]
    told = [each.severity for each in plan.problems]
    assert state["diagnostics"] == {"error": told.count("error"), "warning": told.count("warning")}
    assert sum(state["diagnostics"].values()) >= 1
    assert state["task_list"][0]["files"] == [{"path": "a.py", "new": True}, {"path": "b.py", "new": False}]


def test_version_1_leaves_out_what_it_can_not_say():
    plan, _ = state_of(PLAN)
    state = plan_state.of_v1(plan, ".devloop/plan.md", NOW)
    V1.validate(state)
    assert set(state["tasks"]) == {"1.1", "1.2", "1.3", "1.4", "2.2"}
    assert state["tasks"]["1.4"]["status"] == "pending" and state["tasks"]["2.2"]["status"] == "pending"
    assert "phase" not in state["tasks"]["2.2"], "its phase has no number"
    assert state["stats"]["total"] == 5 and state["next_task"] == "1.2"


@pytest.mark.parametrize("written", ["Paused", "Blocked"])
def test_a_status_that_version_1_lacks_is_in_progress(written):
    plan = plans.parse(PLAN.replace("In Progress", written).encode())
    assert plan_state.of_v1(plan, "p", NOW)["status"] == "in_progress"
    assert plan_state.of(plan, "p", NOW)["status"] == written.lower()


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=25))
def test_any_plan_gives_valid_files_of_both_versions_that_agree_with_it(lines):
    text = "\n".join(["# Plan: x", "", *lines, ""])
    plan, state = state_of(text)
    V2.validate(state)
    old = plan_state.of_v1(plan, "plan.md", NOW)
    V1.validate(old)
    written = plan_state.text_of(state)
    assert json.loads(written) == state
    written.encode()
    read, faults = plan_state.read(written)
    assert faults == () and read is not None
    assert read.model_dump(mode="json", exclude_unset=True) == json.loads(written)
    assert state["stats"]["total"] == len(plan.top_level) == plans.show(plan)["stats"]["total"]
    assert state["next_task"] == (plans.select(plan).task.id if plans.select(plan).task else None)
    for value in (written, json.dumps(old)):
        assert not [fault for fault in plan_state.check(value, plan) if "plan has changed" in fault.message]
    assert plan_state.check(json.dumps(old)) == ()
    assert (
        sum(old["stats"][k] for k in ("completed", "pending", "in_progress", "blocked", "skipped"))
        == old["stats"]["total"]
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_real_plans_give_valid_files():
    for path in sorted(CORPUS.glob("*.md"))[::4]:
        plan = plans.parse(path.read_bytes())
        V2.validate(plan_state.of(plan, "plan.md", NOW))
        V1.validate(plan_state.of_v1(plan, "plan.md", NOW))


def v1_file(**changes):
    base = {
        "schema_version": "1.0.0",
        "plan_file": ".devloop/plan.md",
        "last_sync": "2025-12-29T05:33:48Z",
        "updated": "33",
        "stats": {"total": 2, "completed": 1, "pending": 1, "percentage": 50},
        "phases": [{"number": 1, "name": "M", "status": "complete", "task_ids": ["1.1", "1.2"]}],
        "tasks": {
            "1.1": {"id": "1.1", "description": "a", "status": "complete", "token_savings": "40%"},
            "1.2": {"id": "1.2", "description": "b", "status": "pending"},
        },
        "next_task": "1.2",
    }
    return json.dumps({**base, **changes}, indent=2)


def test_a_file_of_version_1_is_read():
    state, faults = plan_state.read(v1_file())
    assert isinstance(state, plan_state.PlanStateV1) and faults == () and plan_state.check(v1_file()) == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (v1_file(stats={"total": 5, "completed": 1, "pending": 1, "percentage": 50}), "add up"),
        (v1_file(next_task="7.7"), "no task 7.7"),
        (v1_file(phases=[{"number": 1, "name": "M", "status": "complete", "task_ids": ["8.8"]}]), "no task 8.8"),
        (v1_file(stats={"total": 5}), "completed"),
        (v1_file().replace('"percentage": 50', '"percentage": 500'), "percentage"),
        ("{", "JSON"),
        ("[]", "one JSON object"),
        ('{"schema_version": "2.0.0"}', "plan_file"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text, word):
    faults = plan_state.check(text)
    fault = next(each for each in faults if word in each.message)
    if "percentage" in word:
        assert text.split("\n")[fault.line - 1].strip().startswith('"percentage"')


def test_a_file_of_an_older_plan_is_told():
    plan, state = state_of(PLAN)
    text = json.dumps(state, indent=2)
    assert plan_state.check(text, plan) == ()
    (fault,) = plan_state.check(text, plans.parse(b"# Plan: other\n"))
    assert "plan_hash" in text.split("\n")[fault.line - 1] and fault.severity == "warning"


def test_writing_is_idempotent_and_replaces_version_1(project, put):
    plan, _ = state_of(PLAN)
    path = put(plan_state.PATH, v1_file())
    assert plan_state.write(project, plan, ".devloop/plan.md", NOW)
    first = path.read_bytes()
    V2.validate(json.loads(first))
    assert "token_savings" not in first.decode()
    assert not plan_state.write(project, plan, ".devloop/plan.md", datetime.now(UTC)), (
        "the same plan: not even the time"
    )
    assert path.read_bytes() == first
    assert plan_state.write(project, plans.parse(b"# Plan: other\n"), ".devloop/plan.md", NOW)


def test_a_damaged_file_is_written_anew_and_archived_phases_are_kept(project, put):
    plan, _ = state_of(PLAN)
    path = put(plan_state.PATH, "{ broken")
    plan_state.write(project, plan, ".devloop/plan.md", NOW)
    V2.validate(json.loads(path.read_text()))
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "plan_hash": "0" * 64, "archived_phases": ["0"], "later": {"x": 1}}))
    plan_state.write(project, plan, ".devloop/plan.md", NOW)
    assert json.loads(path.read_text())["archived_phases"] == ["0"] and json.loads(path.read_text())["later"] == {
        "x": 1
    }


def test_a_newer_major_version_is_read_not_written(project, put):
    plan, state = state_of(PLAN)
    text = json.dumps({**state, "schema_version": "3.1.0", "plan_hash": "0" * 64})
    path = put(plan_state.PATH, text)
    read, faults = plan_state.read(text)
    assert read is not None and faults[0].severity == "warning"
    with pytest.raises(Refused):
        plan_state.write(project, plan, ".devloop/plan.md", NOW)
    assert path.read_text() == text


def test_a_thousand_tasks_take_no_more_than_fifty_milliseconds_of_cpu():
    lines = ["# Plan: big", ""]
    for n in range(1000):
        if n % 40 == 0:
            lines += ["", f"## Phase {n // 40 + 1}: p", ""]
        lines += [f"- [{'x ~ '[n % 4]}] Task {n // 40 + 1}.{n % 40 + 1}: do {n}", f"  - Files: `src/{n}.py`"]
    data = "\n".join(lines).encode()
    best = 1e9
    for _ in range(7):
        plan = plans.parse(data)  # the daemon has it parsed already
        assert plan.stats.total == 1000
        begin = time.process_time()
        text = plan_state.text_of(plan_state.of(plan, "plan.md", NOW))
        best = min(best, time.process_time() - begin)
    assert len(re.findall('"key"', text)) == 1000
    assert best < 0.05, f"{best * 1000:.0f} ms"
