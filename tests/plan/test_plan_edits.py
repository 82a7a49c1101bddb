"""Changing a plan: only owned lines change, the same event twice changes nothing (plan-format §15, §16)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devloop.errors import StaleEdit, UsageError
from devloop.plan import (
    Edit,
    Event,
    TaskRef,
    add_note,
    append_log,
    apply,
    apply_to,
    change,
    find_task,
    parse,
    set_header,
    set_marker,
)
from devloop.plan.lines import body, split
from support.events import apply_event
from support.turns import often

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
PLAN = """# Devloop Plan: T

**Created**: 2025-12-29
**Status**: Planning
**Current Phase**: Phase 1

### Phase 1: A

- [ ] Task 1.1: one
  - Acceptance: works
  - [ ] step
- [ ] Task 1.2: two [depends:1.1]

### Phase 2: B
- [ ] three

## Progress Log

- 2025-12-29 10:00: Plan created
"""


def event(data: bytes, kind: str, ref: str, text: str = "") -> Event:
    return Event(kind, TaskRef.of(find_task(parse(data), ref)), text, NOW)  # type: ignore[arg-type]


def changed(before: bytes, after: bytes) -> list[tuple[str, str]]:
    """Lines that went and lines that came, by a walk that allows insertions and one-line replacements."""
    old, new = split(before.decode()), split(after.decode())
    found, at = [], 0
    for line in new:
        if at < len(old) and line == old[at]:
            at += 1
        elif at < len(old) and line not in old[at:] and new.count(old[at]) < old.count(old[at]):
            found.append((body(old[at]), body(line)))
            at += 1
        else:
            found.append(("", body(line)))
    assert at == len(old)
    return found


def test_way_of_two_tasks() -> None:
    data = PLAN.encode()
    data2 = apply_event(data, event(data, "started", "1.1"))
    assert changed(data, data2) == [
        ("**Status**: Planning", "**Status**: In Progress"),
        ("- [ ] Task 1.1: one", "- [~] Task 1.1: one"),
        ("", "- 2026-01-31 12:30: Started Task 1.1"),
    ]
    data3 = apply_event(data2, event(data2, "completed", "1.1", "it works"))
    assert changed(data2, data3) == [
        ("", "**Updated**: 2026-01-31 12:30"),
        ("- [~] Task 1.1: one", "- [x] Task 1.1: one"),
        ("", "- 2026-01-31 12:30: Completed Task 1.1 - it works"),
    ]
    data4 = apply_event(data3, event(data3, "committed", "1.1", "abc123"))
    assert changed(data3, data4) == [("", "- 2026-01-31 12:30: Committed Task 1.1 - abc123")]
    data5 = apply_event(data4, event(data4, "skipped", "1.2", "not needed"))
    assert changed(data4, data5) == [
        ("**Current Phase**: Phase 1", "**Current Phase**: Phase 2"),
        ("- [ ] Task 1.2: two [depends:1.1]", "- [-] Task 1.2: two [depends:1.1]"),
        ("", "- 2026-01-31 12:30: Skipped Task 1.2 - not needed"),
    ]
    data6 = apply_event(data5, event(data5, "completed", "three", "end"))
    assert changed(data5, data6) == [
        ("**Status**: In Progress", "**Status**: Review"),
        ("**Current Phase**: Phase 2", "**Current Phase**: Complete"),
        ("- [ ] three", "- [x] three"),
        ("", '- 2026-01-31 12:30: Completed Task "three" - end'),
        ("", "- 2026-01-31 12:30: All tasks complete"),
    ]
    final = parse(data6)
    assert final.status == "review"
    assert [p.code for p in final.problems if p.severity in ("error", "warning")] == []


def test_blocked_writes_the_reason_twice() -> None:
    data = PLAN.encode()
    after = apply_event(data, event(data, "blocked", "1.1", "no database"))
    assert changed(data, after) == [
        ("- [ ] Task 1.1: one", "- [!] Task 1.1: one"),
        ("", "  - Notes: no database"),
        ("", "- 2026-01-31 12:30: Task 1.1 blocked - no database"),
    ]
    assert find_task(parse(after), "1.1").notes == "no database"
    assert not [p for p in parse(after).problems if p.code == "blocked-without-reason"]


@pytest.mark.parametrize(
    ("kind", "marker", "log"),
    [
        ("partial", "~", "Task 1.1 partial - why"),
        ("discarded", " ", "Discarded work on Task 1.1"),
        ("reset", " ", None),
        ("skipped", "-", "Skipped Task 1.1 - why"),
    ],
)
def test_other_events(kind: str, marker: str, log: str | None) -> None:
    data = apply_event(PLAN.encode(), event(PLAN.encode(), "started", "1.1"))
    after = parse(apply_event(data, event(data, kind, "1.1", "why")))
    assert find_task(after, "1.1").marker == marker
    assert (after.log[-1].text == log) == (log is not None)


@pytest.mark.parametrize(
    "kind", ["started", "completed", "committed", "partial", "blocked", "skipped", "discarded", "reset"]
)
@pytest.mark.parametrize("before", [" ", "~", "x", "X", "!", "-", "/", ">"])
def test_the_same_event_twice_changes_nothing(kind: str, before: str) -> None:
    data = PLAN.replace("- [ ] Task 1.1", f"- [{before}] Task 1.1").encode()
    once = apply_event(data, event(data, kind, "1.1", "text"))
    later = Event(kind, TaskRef.of(find_task(parse(once), "1.1")), "text", NOW.replace(hour=23))  # type: ignore[arg-type]
    assert apply_event(once, later) == once


def test_a_second_attempt_is_logged_again() -> None:
    data = PLAN.encode()
    for kind in ("started", "discarded", "started", "completed"):
        data = apply_event(data, event(data, kind, "1.1", "x"))
    texts = [line.text for line in parse(data).log]
    assert texts[1:] == ["Started Task 1.1", "Discarded work on Task 1.1", "Started Task 1.1", "Completed Task 1.1 - x"]


def test_capital_x_stays() -> None:
    data = b"- [X] Task 1.1: a\n"
    assert set_marker(parse(data), parse(data).tasks[0], "complete") == ()


def test_plan_events() -> None:
    data = PLAN.encode()
    approved = apply_event(data, Event("approved", now=NOW))
    assert parse(approved).status == "in_progress"
    assert parse(approved).log[-1].text == "Plan approved"
    finished = apply_event(approved, Event("finished", now=NOW))
    assert parse(finished).status == "complete"
    assert apply_event(finished, Event("finished", now=NOW)) == finished


def test_events_need_task_and_time() -> None:
    with pytest.raises(UsageError):
        change(parse(PLAN), Event("started", None, "", NOW))
    with pytest.raises(UsageError):
        change(parse(PLAN), Event("started", TaskRef("1.1"), ""))
    with pytest.raises(UsageError):
        Event.from_json({"kind": "exploded"})
    with pytest.raises(UsageError):
        Event.from_json({"kind": "started", "at": "yesterday"})
    sent = Event("blocked", TaskRef("1.1", "k", "t", 3), "why", NOW)
    assert Event.from_json(sent.to_json()) == sent


# Stale references


def test_moved_lines_are_found_again() -> None:
    ref = TaskRef.of(find_task(parse(PLAN), "1.1"))
    moved = PLAN.replace("### Phase 1", "New text\n\n- [ ] Task 1.0: zero\n\n### Phase 1").encode()
    after = parse(apply_event(moved, Event("completed", ref, "x", NOW)))
    assert find_task(after, "1.1").status == "complete"


def test_unnamed_tasks_are_found_by_their_text() -> None:
    data = b"- [ ] first\n- [ ] second\n"
    ref = TaskRef.of(parse(data).tasks[1])
    after = parse(apply_event(b"- [ ] zero\n" + data, Event("completed", ref, "x", NOW)))
    assert [task.status for task in after.tasks] == ["pending", "pending", "complete"]


@pytest.mark.parametrize(
    "text",
    [
        PLAN.replace("1.1: one", "1.1: something else"),
        PLAN.replace("- [ ] Task 1.1: one\n", ""),
        PLAN.replace("### Phase 1: A\n", "- [ ] Task 1.1: one\n- [ ] Task 1.1: one\n\n### Phase 1: A\n"),
    ],
)
def test_a_changed_task_is_refused(text: str) -> None:
    ref = TaskRef.of(find_task(parse(PLAN), "1.1"))
    with pytest.raises(StaleEdit):
        apply_event(text.encode(), Event("completed", ref, "x", NOW))


def test_an_edit_refuses_another_text() -> None:
    plan = parse(PLAN)
    edits = set_marker(plan, plan.tasks[0], "x")
    assert apply(PLAN.encode(), edits) == PLAN.replace("- [ ] Task 1.1", "- [x] Task 1.1").encode()
    for other in (PLAN.replace("one", "won"), PLAN.replace("- [ ] Task 1.1", "- [~] Task 1.1"), ""):
        with pytest.raises(StaleEdit):
            apply(other.encode(), edits)
    with pytest.raises(StaleEdit):
        apply(b"ab\n", [Edit(1, 0, 1, 2, "x", "ab"), Edit(1, 1, 1, 2, "y", "b")])


# Where log lines go


def log_after(text: str) -> str:
    plan = parse(text)
    return apply(text.encode(), append_log(plan, "new", "2026-01-31 12:30")).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# P\n", "# P\n\n## Progress Log\n\n- 2026-01-31 12:30: new\n"),
        ("# P", "# P\n\n## Progress Log\n\n- 2026-01-31 12:30: new"),
        ("# P\r\n", "# P\r\n\r\n## Progress Log\r\n\r\n- 2026-01-31 12:30: new\r\n"),
        ("", "## Progress Log\n\n- 2026-01-31 12:30: new\n"),
        ("## Progress Log\n", "## Progress Log\n\n- 2026-01-31 12:30: new\n"),
        ("## Progress Log\n\n## Notes\n", "## Progress Log\n\n- 2026-01-31 12:30: new\n\n## Notes\n"),
        ("## Progress Log\ntext\n\n## N\n", "## Progress Log\ntext\n\n- 2026-01-31 12:30: new\n\n## N\n"),
        (
            "## Log of work\n## Progress Log\n- 2026-01-01: a\n  more\n\n## N\n",
            "## Log of work\n## Progress Log\n- 2026-01-01: a\n  more\n- 2026-01-31 12:30: new\n\n## N\n",
        ),
        (
            "## Worklog\n* 2026-01-02: b\n* 2026-01-01: a\n",
            "## Worklog\n* 2026-01-31 12:30: new\n* 2026-01-02: b\n* 2026-01-01: a\n",
        ),
        ("## Progress Log\n### Phase 1\n", "## Progress Log\n\n- 2026-01-31 12:30: new\n\n### Phase 1\n"),
        ("## Progress Log\n```\nx\n", "## Progress Log\n\n- 2026-01-31 12:30: new\n\n```\nx\n"),
        ("## Progress Log\n- a\n- b", "## Progress Log\n- a\n- b\n- 2026-01-31 12:30: new"),
    ],
)
def test_place_of_a_log_line(before: str, after: str) -> None:
    assert log_after(before) == after
    assert parse(after).log[0].text == "new" or parse(after).log[-1].text == "new"


# Header fields


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# P\n**Status**: A (b)\n", "# P\n**Status**: New\n"),
        ("# P\n**Status:** A | **X**: y\n", "# P\n**Status:** New | **X**: y\n"),
        ("# P\n**Status**:\n", "# P\n**Status**: New\n"),
        ("# P\n**X**: y\n\ntext\n", "# P\n**X**: y\n**Status**: New\n\ntext\n"),
        ("# P\n\ntext\n", "# P\n\n**Status**: New\n\ntext\n"),
        ("P\n=\ntext\n", "P\n=\n\n**Status**: New\ntext\n"),
        ("- [ ] a\n", "**Status**: New\n\n- [ ] a\n"),
        ("---\na: b\n---\n- [ ] a\n", "---\na: b\n---\n**Status**: New\n\n- [ ] a\n"),
    ],
)
def test_setting_a_field(before: str, after: str) -> None:
    assert apply(before.encode(), set_header(parse(before), "Status", "New")).decode() == after
    field = parse(after).field("Status")
    assert field is not None
    assert field.value == "New"
    assert set_header(parse(after), "Status", "New") == ()


# Notes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- [ ] a\n", "- [ ] a\n  - Notes: n\n"),
        ("- [ ] a", "- [ ] a\n  - Notes: n"),
        ("- [ ] a\n  more\n  - [ ] s\n", "- [ ] a\n  more\n  - Notes: n\n  - [ ] s\n"),
        ("- [ ] a\n\t* Files: x.py\n\t* [ ] s\n", "- [ ] a\n\t* Files: x.py\n\t* Notes: n\n\t* [ ] s\n"),
        ("- [ ] a\n\n      code\n\n- [ ] b\n", "- [ ] a\n\n      code\n  - Notes: n\n\n- [ ] b\n"),
        ("10. [ ] Task 1: a\n", None),
        ("- [ ] a\n  ```\n  x\n  ```\n- [ ] b\n", "- [ ] a\n  - Notes: n\n  ```\n  x\n  ```\n- [ ] b\n"),
    ],
)
def test_place_of_a_note(before: str, after: str | None) -> None:
    plan = parse(before)
    if after is None:
        assert plan.tasks == ()
        return
    assert apply(before.encode(), add_note(plan, plan.tasks[0], "n")).decode() == after
    again = parse(after)
    assert again.tasks[0].notes == "n"
    assert add_note(again, again.tasks[0], "n") == ()


# Properties

LINES = """- [ ] Task 1.1: one|- [x] two|  - [ ] step|  - Notes: n|- [~] T3 three [depends:1.1]|text|    code||```
> q|1. [ ] c|<!-- c -->|# Plan: P|**Status**: Planning|**Updated**: 2025-01-01|### Phase 1: A|### Phase 2
## Progress Log|- 2025-01-01 10:00: a|- 2024-01-01 10:00: b|## Success Criteria|\t- [ ] tabbed|* [!] four
- [🚧] odd|---|  continuation|<div>|-->|<!--"""
documents = st.builds(
    lambda bom, lines: bom + b"".join(line + end for line, end in lines),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(
        st.tuples(
            st.sampled_from([*(line.encode() for line in LINES.replace("\n", "|").split("|")), b"- [ ] raw \xff\xfe"]),
            st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r", b""]),
        ),
        max_size=25,
    ),
)
kinds = st.sampled_from(["started", "completed", "committed", "partial", "blocked", "skipped", "discarded", "reset"])


def is_owned(text: str) -> bool:
    return text.startswith(("**Status**", "**Updated**", "**Current Phase**"))


@settings(max_examples=often(300), deadline=None)
@given(documents, kinds, st.integers(0, 20), st.text(max_size=20))
def test_only_owned_lines_change(data: bytes, kind: str, which: int, text: str) -> None:
    plan = parse(data)
    assume(plan.tasks)
    task = plan.tasks[which % len(plan.tasks)]
    after = apply_event(data, Event(kind, TaskRef.of(task), text, NOW))  # type: ignore[arg-type]
    assert after.startswith(b"\xef\xbb\xbf") == data.startswith(b"\xef\xbb\xbf")
    old, new = plan.document.lines(), parse(after).document.lines()
    at = 0
    inserted: list[str] = []
    for number, line in enumerate(old, 1):
        while True:
            assert at < len(new), "a line went missing"
            same = body(new[at]) == body(line)
            field = is_owned(line) and is_owned(new[at]) and line[:8] == new[at][:8]
            marker = number == task.line and len(body(new[at])) == len(body(line)) and "[" in new[at]
            at += 1
            if same or marker or field:
                break
            inserted.append(body(new[at - 1]))
    inserted += [body(line) for line in new[at:]]
    for line in inserted:
        bare = line.lstrip(" \t")
        assert bare in ("", "## Progress Log") or "2026-01-31 12:30" in bare or bare[1:].startswith(" Notes: "), line
    assert len(new) == len(old) + len(inserted)
    found = find_task(parse(after), f"line:{1 + _index(old, new, task.line)}")
    assert found.title == task.title


def _index(old: list[str], new: list[str], line: int) -> int:
    """Where an old line (1-based) is now (0-based): insertions never equal old lines' neighbours by accident here."""
    at = 0
    for number, text in enumerate(old, 1):
        while True:
            same = body(new[at]) == body(text)
            field = is_owned(text) and is_owned(new[at]) and text[:8] == new[at][:8]
            marker = number == line and len(body(new[at])) == len(body(text)) and "[" in new[at]
            if same or marker or field:
                break
            at += 1
        if number == line:
            return at
        at += 1
    raise AssertionError


@settings(max_examples=often(200), deadline=None)
@given(documents, kinds, st.integers(0, 20))
def test_twice_is_once(data: bytes, kind: str, which: int) -> None:
    plan = parse(data)
    assume(plan.tasks)
    at = which % len(plan.tasks)
    once = apply_event(data, Event(kind, TaskRef.of(plan.tasks[at]), "text", NOW))  # type: ignore[arg-type]
    moved = parse(once).tasks[at]  # its line may be another, and that of a task with its id and title be its old one
    assert apply_event(once, Event(kind, TaskRef.of(moved), "text", NOW)) == once  # type: ignore[arg-type]


@settings(max_examples=often(200), deadline=None)
@given(documents, st.integers(0, 20), st.sampled_from(["x", "~", "!"]))
def test_edits_on_bytes_and_on_documents_agree(data: bytes, which: int, marker: str) -> None:
    plan = parse(data)
    assume(plan.tasks)
    edits = set_marker(plan, plan.tasks[which % len(plan.tasks)], marker)
    after = apply(data, edits)
    assert apply_to(plan.document, edits).data == after
    assert len(after) == len(data) or not plan.document.valid or "🚧".encode() in data
