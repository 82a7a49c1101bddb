"""The defects of earlier plan readers, and the cases that CommonMark makes hard, one test each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from devloop.errors import StaleEdit
from devloop.plan import (
    Event,
    Plan,
    TaskRef,
    append_log,
    apply,
    apply_to,
    change,
    find_task,
    next_task,
    parse,
    select,
    set_header,
    show,
    spans,
)
from support.events import apply_event

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def plan(text: str, head: str = "# P\n### Phase 1: A\n") -> Plan:
    return parse(head + text)


def codes(found: Plan) -> list[str]:
    return [problem.code for problem in found.problems]


def ids(found: Plan) -> list[str]:
    return [task.id for task in found.tasks]


def waiting_task_is_not_next() -> None:
    found = plan("- [ ] Task 1.2: b [depends:1.3]\n- [ ] Task 1.3: c\n")
    answer = next_task(found)
    assert answer["state"] == "found"
    assert answer["task"]["id"] == "1.3"
    assert [(entry["id"], entry["by"]) for entry in answer["blocked"]] == [("1.2", ["1.3"])]
    assert found.tasks[0].group is None


def cycle_blocks_both() -> None:
    found = plan("- [ ] Task 1.1: a [depends:1.2]\n- [ ] Task 1.2: b [depends:1.1]\n")
    assert codes(found).count("dependency-cycle") == 2
    message = next(p.message for p in found.problems if p.code == "dependency-cycle")
    assert "1.1 → 1.2 → 1.1" in message
    answer = next_task(found)
    assert (answer["state"], answer["task"], answer["blocked_by"]) == ("all_blocked", None, ["1.2", "1.1"])


def unknown_dependency_blocks() -> None:
    found = plan("- [ ] Task 1.1: a [depends:9.9]\n")
    assert "unknown-dependency" in codes(found)
    answer = next_task(found)
    assert (answer["state"], answer["blocked_by"]) == ("all_blocked", ["9.9"])
    assert answer["blocked"][0]["why"] == "unknown"


def range_is_four_dependencies() -> None:
    tasks = "".join(f"- [ ] Task 1.{n}: t\n" for n in (1, 2, 3, 4))
    found = plan(tasks + "- [ ] Task 1.5: e [depends:1.1-1.4]\n")
    assert found.tasks[-1].depends_on == ("1.1", "1.2", "1.3", "1.4")
    assert found.tasks[-1].title == "e"


def range_of_missing_ends_names_each() -> None:
    found = plan("- [ ] Task 1.5: e [depends:1.1-1.4]\n")
    assert found.tasks[0].depends_on == ("1.1", "1.2", "1.3", "1.4")
    assert codes(found).count("unknown-dependency") == 4


def spaces_in_list() -> None:
    found = plan("- [ ] Task 1.2: b [depends:1.1, 1.9]\n- [ ] Task 1.1: a\n")
    assert found.tasks[0].depends_on == ("1.1", "1.9")


def two_depends_tags() -> None:
    found = plan("- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] Task 1.3: c [depends:1.1] [depends:1.2]\n")
    assert found.tasks[2].depends_on == ("1.1", "1.2")
    assert found.tasks[2].title == "c"


def phase_at_level_two() -> None:
    found = plan("- [ ] Task 1.1: a\n", "# P\n## Phase 1: A\n")
    assert [(phase.id, phase.level, phase.name) for phase in found.phases] == [("1", 2, "A")]
    assert found.tasks[0].phase == "1"


def example_in_fence_is_no_task() -> None:
    found = plan("```\n- [ ] Task 1.1: example\n```\n- [ ] Task 1.2: b\n")
    assert ids(found) == ["1.2"]


def sub_boxes_do_not_count() -> None:
    found = plan("- [ ] Task 1.1: a\n  - [ ] s\n  - [x] t\n- [ ] Task 1.2: b\n")
    assert found.stats.total == 2
    assert (found.stats.subtasks.total, found.stats.subtasks.done) == (2, 1)
    assert [task.parent for task in found.tasks] == [None, "1.1", "1.1", None]


def log_and_criteria_do_not_count() -> None:
    found = plan("- [ ] Task 1.1: a\n## Progress Log\n- [x] done it\n## Success Criteria\n- [ ] c\n")
    assert ids(found) == ["1.1"]
    assert (len(found.log), len(found.criteria), found.stats.total) == (1, 1, 1)


def stamp_in_brackets_is_no_box() -> None:
    found = plan("- [ ] Task 1.1: a\n## Progress Log\n- [2025-12-24 03:25]: text\n")
    assert [(line.stamp, line.text) for line in found.log] == [("2025-12-24 03:25", "text")]


def statuses() -> None:
    read = {text: parse(f"# P\n**Status**: {text}\n\n- [ ] a\n").status for text in ("Draft", "Paused", "Active")}
    assert read == {"Draft": "planning", "Paused": "paused", "Active": "in_progress"}


def updated_keeps_its_time() -> None:
    found = parse("# P\n**Updated**: 2025-12-29 05:33\n")
    field = found.field("updated")
    assert field is not None
    assert field.value == "2025-12-29 05:33"
    assert found.document.line(field.line - 1)[field.start : field.end] == field.value


def same_id_twice() -> None:
    found = plan("- [x] Task 1.1: a\n- [ ] Task 1.1: again\n")
    assert (len(found.tasks), found.stats.total, codes(found).count("duplicate-id")) == (2, 2, 1)
    assert select(found).task == found.tasks[1]


def files_with_notes_and_commas() -> None:
    found = plan("- [ ] Task 1.1: a\n  - Files: `a.py` (new), `b, c.py`\n")
    assert [(ref.path, ref.new) for ref in found.tasks[0].files] == [("a.py", True), ("b, c.py", False)]


def every_form_is_a_task() -> None:
    found = plan("- [ ] Task 1.1.1: x\n- [ ] T004 x\n- [ ] no id\n")
    assert ids(found) == ["1.1.1", "T004", "p1.1"]


def started_beside_blocked_is_partial() -> None:
    found = plan("- [!] Task 1.1\n- [~] Task 1.2\n")
    answer = select(found)
    assert (answer.state, [task.id for task in answer.resumable]) == ("partial", ["1.2"])
    assert [entry.task.id for entry in answer.blocked] == ["1.1"]


def only_blocked() -> None:
    answer = select(plan("- [!] Task 1.1: a\n- [!] Task 1.2: b\n"))
    assert answer.state == "all_blocked"
    assert [(entry.task.id, entry.why) for entry in answer.blocked] == [("1.1", "blocked"), ("1.2", "blocked")]


def title_alone_is_empty() -> None:
    found = parse("# P")
    assert next_task(found) == {
        "state": "empty",
        "task": None,
        "blocked_by": [],
        "parallel": [],
        "resumable": [],
        "blocked": [],
    }


def no_title_is_read() -> None:
    found = parse("### Phase 1: A\n- [ ] Task 1.1: a\n", name="folder")
    assert (found.name, ids(found)) == ("Phase 1: A", ["1.1"])
    assert parse("- [ ] a\n", name="folder").name == "folder"


def done_is_counted() -> None:
    found = plan("- [x] Task 1.1: a\n- [X] Task 1.2: b\n- [ ] Task 1.3: c\n")
    assert (found.stats.done, found.stats.percentage) == (2, 66)


def archived_line_hides_nothing() -> None:
    text = "- [x] Task 1.1: a\n## Progress Log\n- 2026-01-01: Archived Phase 1 to .devloop/archive/a.md\n"
    assert "unlogged-completion" in codes(plan(text))


def log_is_checked_per_task() -> None:
    log = "## Progress Log\n- 2026-01-01 10:00: Completed Task 1.1 - a\n- 2026-01-01 10:01: Completed Task 1.1 - a\n"
    found = plan("- [x] Task 1.1: a\n- [x] Task 1.2: b\n" + log)
    assert [p.line for p in found.problems if p.code == "unlogged-completion"] == [4]


def second_writer_is_noticed() -> None:
    data = b"# P\n### Phase 1: A\n- [ ] Task 1.1: a\n"
    found = parse(data)
    edits = change(found, Event("started", TaskRef.of(found.tasks[0]), now=NOW))
    with pytest.raises(StaleEdit):
        apply(data.replace(b"1.1: a", b"1.1: another"), edits)
    with pytest.raises(StaleEdit):
        apply(data.replace(b"[ ]", b"[!]"), edits)


def groups_are_per_phase() -> None:
    found = parse(
        "# P\n### Phase 1: A\n- [ ] Task 1.1: a [parallel:A]\n- [ ] Task 1.2: b [parallel:A]\n"
        "### Phase 2: B\n- [ ] Task 2.1: c [parallel:A]\n- [ ] Task 2.2: d [parallel:A]\n"
    )
    answer = select(found)
    assert answer.task is not None
    assert [answer.task.id, *(task.id for task in answer.parallel)] == ["1.1", "1.2"]


def next_minds_dependencies() -> None:
    answer = select(plan("- [ ] Task 1.1: a [depends:1.2]\n- [!] Task 1.2: b\n- [ ] Task 1.3: c\n"))
    assert answer.task is not None
    assert answer.task.id == "1.3"


def odd_phase_ids() -> None:
    found = parse("# P\n### Phase 0: zero\n- [ ] a\n### Phase 2b: two\n- [ ] b\n")
    assert [phase.id for phase in found.phases] == ["0", "2b"]
    assert [task.id for task in found.tasks] == ["p0.1", "p2b.1"]
    assert select(found).state == "found"


UPSTREAM: list[Callable[[], None]] = [
    waiting_task_is_not_next,
    cycle_blocks_both,
    unknown_dependency_blocks,
    range_is_four_dependencies,
    spaces_in_list,
    two_depends_tags,
    phase_at_level_two,
    example_in_fence_is_no_task,
    sub_boxes_do_not_count,
    log_and_criteria_do_not_count,
    stamp_in_brackets_is_no_box,
    statuses,
    updated_keeps_its_time,
    same_id_twice,
    files_with_notes_and_commas,
    every_form_is_a_task,
    started_beside_blocked_is_partial,
    only_blocked,
    title_alone_is_empty,
    no_title_is_read,
    done_is_counted,
    archived_line_hides_nothing,
    log_is_checked_per_task,
    second_writer_is_noticed,
    groups_are_per_phase,
    next_minds_dependencies,
    odd_phase_ids,
]


@pytest.mark.parametrize("case", UPSTREAM, ids=[f"upstream-{n:02}-{c.__name__}" for n, c in enumerate(UPSTREAM, 1)])
def test_defect_of_an_earlier_reader(case: Callable[[], None]) -> None:
    case()


def test_all_numbered_defects_are_covered() -> None:
    assert len(UPSTREAM) == 27


def test_range_with_missing_ends() -> None:
    range_of_missing_ends_names_each()


# name: (document, ids expected, further check)
Check = Callable[[Plan], Any]
OURS: dict[str, tuple[str, list[str], Check]] = {
    "crlf": ("# P\r\n- [ ] a\r\n- [x] b\r\n", ["s1", "s2"], lambda p: p.tasks[1].title == "b"),
    "mixed-ends": ("# P\n- [ ] a\r\n- [x] b\r- [ ] c\n", ["s1", "s2", "s3"], lambda p: "mixed-eol" in codes(p)),
    "bom": ("\ufeff# P\n- [ ] a\n", ["s1"], lambda p: p.name == "P" and p.data.startswith(b"\xef\xbb\xbf")),
    "lone-cr": ("# P\r- [ ] a\r- [ ] b", ["s1", "s2"], lambda p: p.tasks[1].line == 3),
    "line-separator-in-title": ("- [ ] a\u2028b\x0bc\x85d\n- [ ] e\n", ["s1", "s2"], lambda p: p.tasks[1].line == 2),
    "tab-indented-children": ("- [ ] a\n\t- [ ] b\n\t\t- [ ] c\n", ["s1", "s1/1", "s1/1/1"], lambda p: True),
    "six-column-child": ("- [ ] parent\n      - [ ] x\n", ["s1"], lambda p: "checkbox-not-a-task" in codes(p)),
    "four-column-child": ("- [ ] parent\n    - [ ] x\n", ["s1", "s1/1"], lambda p: p.tasks[1].parent == "s1"),
    "two-column-child": ("- [ ] parent\n  - [ ] x\n", ["s1", "s1/1"], lambda p: p.tasks[1].parent == "s1"),
    "two-after-a-paragraph": ("text\n2. [ ] x\n", [], lambda p: not p.criteria and "checkbox-not-a-task" in codes(p)),
    "two-in-a-running-list": ("1. [ ] x\n2. [ ] y\n", [], lambda p: len(p.criteria) == 2),
    "details-without-blank": ("<details>\n- [ ] x\n</details>\n", [], lambda p: "checkbox-not-a-task" in codes(p)),
    "details-with-blank": ("<details>\n\n- [ ] x\n\n</details>\n", ["s1"], lambda p: True),
    "long-comment": ("<!--\n- [ ] x\n- [ ] y -->- [ ] z\n- [ ] a\n", ["s1"], lambda p: p.tasks[0].title == "a"),
    "comment-in-paragraph": ("text\n<!-- a\n- [ ] x\n-->\n- [ ] a\n", ["s1"], lambda p: True),
    "unclosed-fence": ("- [ ] a\n\n```\n- [ ] x\n", ["s1"], lambda p: "unclosed-fence" in codes(p)),
    "unclosed-comment": ("- [ ] a\n\n<!--\n- [ ] x\n", ["s1"], lambda p: "unclosed-comment" in codes(p)),
    "fence-in-item": ("- [ ] a\n  ```\n  - [ ] x\n- [ ] b\n", ["s1", "s2"], lambda p: True),
    "marker-of-two-utf16-units": ("- [🚧] a\n- [✓] b\n", ["s1", "s2"], lambda p: p.tasks[0].status == "unknown"),
    "tag-in-code-span": ("- [ ] a `[depends:9.9]` b\n", ["s1"], lambda p: p.tasks[0].depends_on == ()),
    "link": ("- [x](url) text\n", [], lambda p: "malformed-checkbox" not in codes(p)),
    "id-only": ("- [ ] Task 1.1\n- [ ] 2.1\n", ["1.1", "2.1"], lambda p: p.tasks[0].title == ""),
    "quoted": ("> - [ ] x\n\n- [ ] a\n", ["s1"], lambda p: "checkbox-not-a-task" not in codes(p)),
    "indented-code": ("text\n\n    - [ ] x\n", [], lambda p: True),
    "front-matter": ("---\ntitle: T\n- [ ] x\n---\n- [ ] a\n", ["s1"], lambda p: p.name == "T"),
    "unclosed-front-matter": ("---\n- [ ] a\n", ["s1"], lambda p: p.document.front == 0),
    "nested-below-ten": ("10. [ ] x\n  - [ ] y\n", ["s1"], lambda p: p.tasks[0].parent is None),
    "setext-phase": ("Phase 1: A\n---\n- [ ] a\n", ["p1.1"], lambda p: p.phases[0].level == 2),
    "heading-in-item": ("- ## Phase 1: A\n- [ ] a\n", ["s1"], lambda p: not p.phases),
    "optional": ("- [ ]* a\n", ["s1"], lambda p: p.tasks[0].optional),
    "box-at-end-of-file": ("- [ ]", ["s1"], lambda p: "empty-title" in codes(p)),
    "tab-behind-box": ("-\t[x]\ta\n", ["s1"], lambda p: p.tasks[0].title == "a" and p.tasks[0].status == "complete"),
    "ordered-with-id": ("### Phase 1: A\n1. [ ] Task 1.1: a\n2. [ ] b\n", ["1.1"], lambda p: len(p.criteria) == 1),
    "ordered-without-phase": ("1. [ ] Task 1.1: a\n", [], lambda p: len(p.criteria) == 1),
    "phase-named-verification": ("## Phase 4: Verification\n- [ ] a\n", ["p4.1"], lambda p: not p.criteria),
    "boxes-below-acceptance": (
        "- [ ] Task 1.1: a\n  - Acceptance:\n    - [ ] one\n    - [x] two\n  - [ ] step\n",
        ["1.1", "1.1/1"],
        lambda p: p.tasks[0].acceptance == ("one", "two") and [c.parent for c in p.criteria] == ["1.1", "1.1"],
    ),
    "empty": ("", [], lambda p: show(p)["stats"]["total"] == 0),
}


@pytest.mark.parametrize("name", OURS)
def test_case_of_ours(name: str) -> None:
    text, expected, check = OURS[name]
    found = parse(text)
    assert ids(found) == expected
    assert check(found)
    assert found.document.text == text


def test_invalid_utf8_is_kept_and_reported() -> None:
    data = b"# P\n- [ ] a\xff\xfe b\n- [ ] c\n"
    found = parse(data)
    assert found.data == data
    assert "invalid-utf8" in codes(found)
    event = Event("completed", TaskRef.of(found.tasks[0]), "x", NOW)
    assert apply_event(data, event).startswith(b"# P\n- [x] a\xff\xfe b\n- [ ] c\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  -\nStatus: x\n===\n- [ ] a\n", "  -\n  - 2026-01-31 12:30: n\n\nStatus: x\n===\n- [ ] a\n"),
        ("-\n|---|\n-\n- [ ] a\n", "-\n- 2026-01-31 12:30: n\n\n|---|\n-\n- [ ] a\n"),
        ("- a\ntext\n", "- a\ntext\n- 2026-01-31 12:30: n\n"),  # this text did go on with the entry
        ("- a\n\n\ntext\n", "- a\n- 2026-01-31 12:30: n\n\n\ntext\n"),
        ("\n  Phase 1: A\n-\n- [ ] a\n", "\n- 2026-01-31 12:30: n\n\n<!-- -->\n\n  Phase 1: A\n-\n- [ ] a\n"),
        ("-\n\n  X\n-\n- [ ] a\n", "-\n- 2026-01-31 12:30: n\n<!-- -->\n\n\n  X\n-\n- [ ] a\n"),
    ],
)
def test_a_log_entry_takes_nothing_that_stands_behind_it(before: str, after: str) -> None:
    found = parse(f"## Progress Log\n{before}")
    written = parse(apply_to(found.document, append_log(found, "n", NOW)))
    assert written.text == f"## Progress Log\n{after}"
    assert [task.title for task in written.tasks] == [task.title for task in found.tasks]
    assert [section.text for section in written.sections] == [section.text for section in found.sections]


@pytest.mark.parametrize("below", ["Phase 1: A\n---\n- [ ] a\n", "2. [ ] b\n", "    code\n- [ ] a\n"])
def test_a_first_field_takes_nothing_that_stands_behind_it(below: str) -> None:
    found = parse(f"# P\n{below}")
    written = parse(apply_to(found.document, set_header(found, "Status", "New")))
    assert written.text == f"# P\n\n**Status**: New\n\n{below}"
    assert [task.title for task in written.tasks] == [task.title for task in found.tasks]
    assert [phase.id for phase in written.phases] == [phase.id for phase in found.phases]
    assert len(written.criteria) == len(found.criteria)


@pytest.mark.parametrize("key", [" ", "\u2028", "\u3000\u00a0"])
def test_a_field_has_a_name(key: str) -> None:
    found = parse(f"# P\n**{key}**: Long\n**Status**: Draft | **{key}**: x\n")
    assert [(field.key, field.value) for field in found.fields] == [("Status", "Draft")]
    assert not spans(found, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("**A**: b\n===\n- [ ] a\n", "**A**: b\n===\n\n**Goal**: Success Criteria\n- [ ] a\n"),
        ("**A**: b\ntext\n-\n- [ ] a\n", "**Goal**: Success Criteria\n\n**A**: b\ntext\n-\n- [ ] a\n"),
        ("# P\n**A**: b\n-\n- [ ] a\n", "# P\n\n**Goal**: Success Criteria\n\n**A**: b\n-\n- [ ] a\n"),
        ("**A**: b\n-\n# P\n- [ ] a\n", "**Goal**: Success Criteria\n\n**A**: b\n-\n# P\n- [ ] a\n"),
    ],
)
def test_a_new_field_is_no_part_of_a_heading(before: str, after: str) -> None:
    found = parse(before)
    written = parse(apply_to(found.document, set_header(found, "Goal", "Success Criteria")))
    assert written.text == after
    assert [task.title for task in written.tasks] == ["a"]
    assert written.field("Goal")
    assert not set_header(written, "Goal", "Success Criteria")


def test_long_line_is_read_but_not_searched() -> None:
    found = parse("- [ ] Task 1.1: a\n- [x] Task 1.2: " + "b" * 70_000 + " [depends:9.9]\n")
    assert [task.status for task in found.tasks] == ["pending", "complete"]
    assert found.tasks[1].depends_on == ()
    assert "line-too-long" in codes(found)


def test_plan_of_fifty_thousand_lines() -> None:
    lines = ["# Big", "", "## Phase 1: A", ""]
    lines += [f"- [{'x' if n % 3 else ' '}] Task 1.{n}: widget {n}\n  - Notes: n {n}" for n in range(25_000)]
    data = "\n".join(lines).encode()
    found = parse(data)
    assert found.document.count == 50_004
    assert found.stats.total == 25_000
    assert find_task(found, "1.24999").line == 50_003
    assert select(found).task is not None
    assert found.data == data
