"""Sessions, spikes, the archive, and the check over all files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.errors import NotFound, Refused, UsageError
from devloop.plan import refactor
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my-plan_phase_1_20260102_030405.md", ("my-plan", "1", datetime(2026, 1, 2, 3, 4, 5))),  # noqa: DTZ001
        ("my-plan_phase_2_20260102.md", ("my-plan", "2", datetime(2026, 1, 2))),  # noqa: DTZ001
        ("old_plan_phases_1-3_2026-01-02.md", ("old_plan", "1-3", datetime(2026, 1, 2))),  # noqa: DTZ001
        ("p_phase_3a.md", ("p", "3a", None)),
        ("p_phase_1_20269999.md", ("p", "1", None)),
        ("worklog-2026-01-02.md", None),
        ("readme.md", None),
    ],
)
def test_names_of_the_archive(name, expected):
    found = archive.parse_name(name)
    assert (found and (found.plan, found.phase, found.when)) == expected


PLAN = """# Plan: Example

**Status**: In Progress

## Phase 1: One

**Goal**: first

- [x] Task 1.1: a
  - Acceptance: it works
- [x] Task 1.2: b

## Phase 2: Two

- [x] Task 2.1: c [depends:1.1]

## Phase 3: Three

- [ ] Task 3.1: d

## Progress Log

- 2026-01-01 10:00: Completed Task 1.1
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("phase", ["1", "2"])
def test_what_was_archived_comes_back_to_its_place(project, put, phase, newline):
    plan = plans.parse(PLAN.replace("\n", newline).encode())
    moved = refactor.archive(plan, [plans.find_phase(plan, phase)], NOW)
    name, text = moved.files[0]
    put(f".devloop/archive/{name}", text.encode())
    after = plans.parse(plans.apply(plan.data, moved.edits))
    assert [each.id for each in after.phases] == [x for x in ("1", "2", "3") if x != phase]
    path, found = archive.find(project, phase)
    assert path.endswith(name)
    back = plans.parse(plans.apply(after.data, [archive.restored(after, found)]))
    assert [each.id for each in back.phases] == ["1", "2", "3"]
    assert [(t.id, t.title, t.status, t.acceptance) for t in back.tasks] == [
        (t.id, t.title, t.status, t.acceptance) for t in plan.tasks
    ]
    assert back.data.count(b"\r\n") == (back.data.count(b"\n") if newline == "\r\n" else 0)
    with pytest.raises(Refused):
        archive.restored(back, found)


def test_the_last_phase_comes_back_before_the_log():
    plan = plans.parse(PLAN.encode())
    text = "# Archived\n\n---\n\n## Phase 9: Nine\n\n- [x] Task 9.1: z\n\n## Progress Log (Phase 9)\n\n- x\n"
    back = plans.parse(plans.apply(plan.data, [archive.restored(plan, text)]))
    assert [each.id for each in back.phases] == ["1", "2", "3", "9"]
    assert len(back.log) == 1 and back.tasks[-1].phase == "9" and b"Phase 9)" not in back.data
    empty = plans.parse(b"# Plan: x")
    assert plans.parse(plans.apply(empty.data, [archive.restored(empty, text)])).tasks[0].id == "9.1"


def test_entries_say_what_is_archived_and_which_file_holds_nothing(project, put):
    put(".devloop/archive/p_phase_2_20260102_000000.md", "# Archived\n\n---\n\n## Phase 2: B\n\n- [x] Task 2.1: z\n")
    put(".devloop/archive/p_phase_1_20250102.md", "---\n## Phase 1: A\n- [x] Task 1.1: z\n- [ ] Task 1.2: y\n")
    put(".devloop/archive/odd.md", "nothing\n")
    put(".devloop/archive/worklog-2026-01-01.md", "# Worklog\n")
    known, faults = archive.entries(project)
    assert [(each.phases, each.tasks, each.done) for each in known] == [
        (("1",), ("1.1", "1.2"), 1),
        (("2",), ("2.1",), 1),
    ]
    assert [fault.path for fault in faults] == [".devloop/archive/odd.md"]
    with pytest.raises(NotFound):
        archive.find(project, "7")
    with pytest.raises(UsageError):
        archive.phase_text("no phase")


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
