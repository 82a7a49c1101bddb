"""Sessions, spikes, the archive, and the check over all files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.errors import UsageError
from devloop.state import archive, checking, schema, sessions, spikes

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHIPPED = {
    "sessions": [
        {
            "session_id": "a",
            "project": "p",
            "model": "m",
            "start_time": "2025-12-29T05:00:00Z",
            "end_time": "2025-12-29T06:00:00Z",
            "start_context_pct": 3,
            "end_context_pct": 61,
            "context_delta": 58,
            "start_tokens": 0,
            "end_tokens": 120000,
            "tokens_used": 120000,
            "api_limits": {"five_hour": 12, "seven_day": 30},
        }
    ],
    "created": "2025-12-29T05:00:00Z",
    "last_updated": "2025-12-29T06:00:00Z",
}


def test_the_shipped_sessions_make_the_round_trip():
    found, faults = sessions.read(json.dumps(SHIPPED))
    assert faults == () and found[0].tokens_used == 120000
    value = sessions.export(found, datetime(2025, 12, 29, 6, tzinfo=UTC))
    assert value == SHIPPED
    jsonschema.Draft202012Validator(schema.load("sessions")).validate(value)


def test_the_documented_sessions_and_the_current_one_are_read():
    old = {"id": "x", "startedAt": "2025-12-29T05:00:00", "endedAt": None, "tasksCompleted": 3, "commits": ["abc"]}
    found, faults = sessions.read(json.dumps({"sessions": [old]}))
    assert faults == () and found[0].session_id == "x" and found[0].tasks_completed == 3
    value = sessions.export(found, NOW)
    jsonschema.Draft202012Validator(schema.load("sessions")).validate(value)
    assert sessions.read(json.dumps(value))[0][0].commits == ("abc",)
    current = {"session_id": "now", "start_time": "2026-01-01T00:00:00Z", "start_context_pct": 4}
    assert sessions.read(json.dumps(current), sessions.CURRENT_PATH)[0][0].session_id == "now"


def test_a_bad_session_is_told_and_the_others_count():
    text = json.dumps({"sessions": [{"session_id": "bad"}, *SHIPPED["sessions"], 7]}, indent=1)
    found, faults = sessions.read(text)
    assert [each.session_id for each in found] == ["a"] and [fault.line for fault in faults] == [3, 23]
    assert sessions.read('{"sessions": 7}')[1][0].line == 1


REPORT = """# Spike: Use a queue

## Questions Investigated

- **Does it scale?** → yes

## Findings

**Feasibility**: High
**Size**: M

## Plan Updates Required

**Existing Plan**: Devloop Plan: Example
**Relationship**: Replaces Task 2.3

1. Add after Task 2.1: build the queue
2. Modify Task 2.2: use the queue
3. Reorder: Task 2.4 before Task 2.3
4. Mark parallel: Task 3.1 and Task 3.2
5. Think about it

```
6. Add after Task 9.9: an example
```
"""


def test_a_report_is_read_with_its_changes():
    spike, faults = spikes.parse(REPORT, ".devloop/spikes/queue.md")
    assert spike.topic == "Use a queue" and spike.relationship == "replaces" and spike.relates_to == "2.3"
    assert [(c.kind, c.tasks, c.after) for c in spike.changes] == [
        ("add", ("2.1",), "2.1"),
        ("modify", ("2.2",), None),
        ("reorder", ("2.4", "2.3"), None),
        ("parallel", ("3.1", "3.2"), None),
        ("other", (), None),
    ]
    assert spike.findings == {"Feasibility": "High", "Size": "M"} and spike.plan == "Devloop Plan: Example"
    assert [fault.line for fault in faults] == [spike.changes[-1].line] == [21]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=30), max_size=4))
def test_a_written_report_is_read_with_the_same_changes(topic, texts):
    changes = [f"Add after Task 1.{n}: {text}" for n, text in enumerate(texts)]
    text = spikes.render(topic or "t", changes=changes, relationship="Informs Task 4.2", findings=[("Risk", "low")])
    spike, faults = spikes.parse(text, "x.md")
    assert faults == () and [c.after for c in spike.changes] == [f"1.{n}" for n in range(len(texts))]
    assert spike.relationship == "informs" and spike.relates_to == "4.2" and spike.findings["Risk"] == "low"


@given(st.text(max_size=300))
def test_any_text_is_a_report(text):
    spikes.parse(text, "x.md")
    spikes.parse(f"## {spikes.UPDATES}\n\n{text}", "x.md")


def test_a_report_of_the_same_topic_is_overwritten_and_no_name_leads_out(project):
    first = spikes.write(project, "Use a Queue?", "a")
    assert first == ".devloop/spikes/use-a-queue.md" == spikes.write(project, "use a queue", "b")
    assert (project / first).read_text() == "b"
    assert spikes.name_of("../../etc/passwd") == ".devloop/spikes/etc-passwd.md"
    with pytest.raises(UsageError):
        spikes.name_of("../..")


def test_what_holds_no_phase_is_no_archive(project, put):
    put(".devloop/archive/p_phase_2_20260102_000000.md", "# Archived\n\n---\n\n## Phase 2: B\n\n- [x] Task 2.1: z\n")
    put(".devloop/archive/odd.md", "nothing\n")
    put(".devloop/archive/worklog-2026-01-01.md", "# Worklog\n")
    assert [fault.path for fault in archive.faults(project)] == [".devloop/archive/odd.md"]


def test_a_project_without_files_has_no_fault(project):
    assert checking.faults(project) == () and checking.stale_hand_off(project, plan_exists=True) == ""


def test_every_malformed_file_is_named_with_its_line(project, put, tmp_path):
    put(".devloop/plan-state.json", "{\n")
    put(".devloop/next-action.json", '{"timestamp":\n"never"}')
    put(".devloop/local.md", "---\nodd: 1\n---\n")
    put(".devloop/context.json", '{"version": 2}')
    put(".devloop/sessions.json", "[]")
    put(".devloop/worklog.md", "| abcdef0 | x |\n")
    put(".devloop/issues/BUG-001.md", "---\nid: BUG-001\n---\n")
    put(".devloop/spikes/a.md", f"## {spikes.UPDATES}\n\n1. what\n")
    put(".devloop/archive/a.md", "x")
    (tmp_path / "out.json").write_text("{}")
    (project / ".devloop/.current-session.json").symlink_to(tmp_path / "out.json")
    found = checking.faults(project)
    assert {fault.path.removeprefix(".devloop/"): fault.line for fault in found} == {
        "plan-state.json": 2,
        "next-action.json": 1,
        "local.md": 2,
        "context.json": 1,
        "sessions.json": 1,
        "worklog.md": 1,
        "issues/BUG-001.md": 1,
        "spikes/a.md": 3,
        "archive/a.md": 1,
        ".current-session.json": 1,
    }
    assert "can't be read" in checking.stale_hand_off(project, plan_exists=True)


def test_a_heading_without_words_is_none() -> None:
    spike, _ = spikes.parse("# \t\n## A\n\nx\n\n##  \n\ny\n", "spikes/late.md")
    assert (spike.topic, spike.sections) == ("late", (("A", "x\n\n##  \n\ny"),))
