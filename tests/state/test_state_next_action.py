"""next-action.json: three shapes read as one, the table of validity, round trips."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from devloop.errors import Refused
from devloop.state import next_action, schema

SCHEMA = jsonschema.Draft202012Validator(schema.load("next-action"))
NOW = datetime(2026, 1, 10, tzinfo=UTC)
SHIPPED = {
    "timestamp": "2025-12-29T06:12:57Z",
    "plan": "Name",
    "phase": "8",
    "total_tasks": 14,
    "completed_tasks": 6,
    "pending_tasks": 8,
    "last_completed": "Task 8.3: write it",
    "next_pending": "Task 9.1: test it",
    "summary": "half",
    "reason": "fresh_start",
}
DOCUMENTED = {
    "version": "1.0",
    "savedAt": "2026-01-09T00:00:00Z",
    "plan": {"name": "N", "file": ".devloop/plan.md"},
    "lastCompletedTask": {"id": "8.3", "description": "a"},
    "nextTask": {"id": "9.1", "description": "b"},
    "sessionMetrics": {"tasksCompleted": 3, "agentInvocations": 5, "durationMinutes": 90, "contextUsagePercent": 55},
    "uncommittedWork": ["a.py"],
    "notes": "mind the gap",
}
OURS = {
    "version": "2",
    "savedAt": "2026-01-09T00:00:00Z",
    "reason": "budget",
    "plan": {"name": "N", "file": "plan.md"},
    "planHash": "a" * 64,
    "planBranch": "devloop/plan",
    "nextTask": {"id": "9.1", "description": "b"},
    "lastCompletedTask": None,
    "openRuns": ["r1"],
    "handoff": "## Decisions",
    "later": {"kept": True},
}


def test_the_shipped_shape_is_read():
    action, faults = next_action.read(json.dumps(SHIPPED))
    assert faults == () and action.next_task.id == "9.1" and action.next_task.description == "test it"
    assert action.last_completed.id == "8.3" and action.notes == "half" and action.plan.name == "Name"
    assert action.saved_at == datetime(2025, 12, 29, 6, 12, 57, tzinfo=UTC)


def test_the_shipped_shape_may_name_no_tasks():
    action, faults = next_action.read(json.dumps({**SHIPPED, "last_completed": None, "next_pending": None}))
    assert faults == () and action.next_task is None and action.last_completed is None


def test_words_without_an_id_stay_words():
    action, _ = next_action.read(json.dumps({**SHIPPED, "next_pending": "look at it once more"}))
    assert action.next_task.id == "" and action.next_task.description == "look at it once more"


def test_the_documented_shape_is_read():
    action, faults = next_action.read(json.dumps(DOCUMENTED))
    assert faults == () and action.version == "2" and action.metrics.tasks_completed == 3
    assert action.uncommitted == ("a.py",) and action.notes == "mind the gap" and action.reason == "fresh_start"


@pytest.mark.parametrize("old", [SHIPPED, DOCUMENTED, OURS])
def test_whatever_is_read_is_written_in_our_shape_and_read_as_the_same(old):
    action, _ = next_action.read(json.dumps(old))
    value = next_action.to_json(action)
    SCHEMA.validate(value)
    assert value["version"] == "2"
    again, faults = next_action.read(json.dumps(value))
    assert faults == () and next_action.to_json(again) == value


def test_keys_that_are_not_known_are_kept():
    action, _ = next_action.read(json.dumps(OURS))
    assert next_action.to_json(action)["later"] == {"kept": True}


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.text(max_size=300),
    st.sampled_from(["fresh_start", "budget", "stopped"]),
)
def test_any_hand_off_makes_the_round_trip(name, title, text, reason):
    content = {
        "version": "2",
        "savedAt": "2026-01-01T00:00:00Z",
        "reason": reason,
        "plan": {"name": name, "file": "plan.md"},
        "nextTask": {"id": "1.1", "description": title},
        "handoff": text * 20,
    }
    action = next_action.compose(content)
    assert len(action.handoff) <= 2000 and "\x1b" not in action.handoff
    value = next_action.to_json(action)
    SCHEMA.validate(value)
    assert next_action.to_json(next_action.read(json.dumps(value))[0]) == value


def test_a_wrong_hand_off_is_no_file():
    with pytest.raises(ValidationError):
        next_action.compose({"plan": 3})


@pytest.mark.parametrize(
    ("saved", "plan_exists", "done", "expected"),
    [
        ("2026-01-09T00:00:00Z", True, (), "valid"),
        ("2026-01-03T00:00:00Z", True, (), "valid"),
        ("2026-01-02T23:59:59Z", True, (), "stale:7"),
        ("2025-12-01T00:00:00Z", True, (), "stale:40"),
        ("2026-02-01T00:00:00Z", True, (), "valid"),
        ("2026-01-09T00:00:00Z", False, (), "no_plan"),
        ("2026-01-09T00:00:00Z", True, ("9.1",), "superseded"),
        ("2025-12-01T00:00:00Z", True, ("9.1",), "superseded"),
        (None, True, (), "invalid"),
    ],
)
def test_the_table_of_validity(saved, plan_exists, done, expected):
    action = next_action.read(json.dumps({**OURS, "savedAt": saved}))[0] if saved else None
    found = next_action.validity(action, NOW, plan_exists=plan_exists, done=done)
    assert str(found) == expected
    assert bool(found.message) == (expected != "valid")


def test_a_time_without_a_zone_is_utc():
    action, _ = next_action.read(json.dumps({**SHIPPED, "timestamp": "2026-01-09T00:00:00"}))
    assert next_action.validity(action, NOW, plan_exists=True).days == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nonsense", 1),
        ('{\n"savedAt": "2026-01-09T00:00:00Z",\n"plan": 7}', 3),
        ('{\n\n"timestamp": "never"}', 3),
        ("{}", 1),
    ],
)
def test_what_can_not_be_read_says_where(text, line):
    action, faults = next_action.read(text)
    assert action is None and faults[0].line == line


def test_the_file_is_written_and_a_newer_one_is_left_alone(project, put):
    action = next_action.compose({**OURS})
    assert next_action.write(project, action)
    back, faults, there = next_action.load(project)
    assert there and faults == () and next_action.to_json(back) == next_action.to_json(action)
    path = put(next_action.PATH, json.dumps({**OURS, "version": "3"}))
    assert next_action.load(project)[1][0].severity == "warning"
    with pytest.raises(Refused):
        next_action.write(project, action)
    assert json.loads(path.read_text())["version"] == "3"


def test_age_counts_whole_days():
    action, _ = next_action.read(json.dumps(OURS))
    assert next_action.validity(action, action.saved_at + timedelta(days=7, hours=5), plan_exists=True).days == 7
