"""What stands where in a line: every form of plan-format §6 to §11, and never two things at one place."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop.plan import Plan, parse, span_at, spans
from support.turns import often

PHASE = "# P\n\n## Phase 1: A\n"


def shown(text: str, line: int | None = None) -> list[tuple[str, str]]:
    """(kind, text) of every span of a line, the last one if none is named."""
    plan = parse(text)
    number = line or plan.document.count
    whole = plan.document.line(number - 1)
    return [(span.kind, whole[span.start : span.end]) for span in spans(plan, number)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Task 2.1: do it", [("task-keyword", "Task"), ("task-id", "2.1"), ("title", "do it")]),
        ("**Task 2.1**: do it", [("task-keyword", "Task"), ("task-id", "2.1"), ("title", "do it")]),
        ("**Task 2.1: do it**", [("task-keyword", "Task"), ("task-id", "2.1"), ("title", "do it")]),
        ("task #4 - do", [("task-keyword", "task"), ("task-id", "4"), ("title", "do")]),
        ("**2.1.** text", [("task-id", "2.1"), ("title", "text")]),
        ("2.1) text", [("task-id", "2.1"), ("title", "text")]),
        ("3. text", [("task-id", "3"), ("title", "text")]),
        ("T001 text", [("task-id", "T001"), ("title", "text")]),
        ("**P0-1**: text", [("task-id", "P0-1"), ("title", "text")]),
        ("[PR-123-1] text", [("task-id", "PR-123-1"), ("title", "text")]),
        ("**Step 3: text**", [("task-keyword", "Step"), ("task-id", "3"), ("title", "text")]),
        ("text {#login}", [("title", "text"), ("task-id", "login")]),
        ("text {#login} [US1]", [("title", "text"), ("task-id", "login"), ("story", "[US1]")]),
        ("[P] T001 text", [("tag", "[P]"), ("task-id", "T001"), ("title", "text")]),
        ("T001 (P) text", [("task-id", "T001"), ("tag", "(P)"), ("title", "text")]),
        ("T001 text (P)", [("task-id", "T001"), ("title", "text"), ("tag", "(P)")]),
        ("1.5x faster (P) here", [("title", "1.5x faster (P) here")]),
        ("plain **bold** text", [("title", "plain **bold** text")]),
        (
            "a [depends:1.2, Task 1.3-1.4 ,Phase 2] b",
            [
                ("title", "a"),
                ("tag-name", "depends"),
                ("dependency", "1.2"),
                ("dependency", "Task 1.3-1.4"),
                ("dependency", "Phase 2"),
                ("title", "b"),
            ],
        ),
        (
            "a [agent: engineer : git] [model:opus]",
            [
                ("title", "a"),
                ("tag-name", "agent"),
                ("agent", "engineer"),
                ("mode", "git"),
                ("tag-name", "model"),
                ("model", "opus"),
            ],
        ),
        (
            "a [skills: api-design,go b]",
            [("title", "a"), ("tag-name", "skills"), ("skill", "api-design"), ("skill", "go"), ("skill", "b")],
        ),
        (
            "a [parallel:A] [budget:2.50] [background]",
            [
                ("title", "a"),
                ("tag-name", "parallel"),
                ("group", "A"),
                ("tag-name", "budget"),
                ("limit", "2.50"),
                ("tag", "[background]"),
            ],
        ),
        ("a `[depends:1.1]` b", [("title", "a"), ("code", "`[depends:1.1]`"), ("title", "b")]),
        ("a [depend:1.1]", [("title", "a [depend:1.1]")]),
        (
            "see #12, a/b#3 and [doc](d.md)",
            [
                ("title", "see"),
                ("issue", "#12"),
                ("title", ","),
                ("issue", "a/b#3"),
                ("title", "and"),
                ("link", "[doc](d.md)"),
            ],
        ),
    ],
)
def test_a_task_line_is_read_in_every_form(body: str, expected: list[tuple[str, str]]) -> None:
    assert shown(f"{PHASE}- [ ] {body}") == [("marker", "[ ]"), *expected]


def test_the_step_keeps_its_full_id_as_value() -> None:
    plan = parse(f"{PHASE}- [ ] **Step 3: text**\n")
    assert [span.value for span in spans(plan, 4) if span.kind == "task-id"] == ["step-3"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  - **Acceptance**: it works", [("meta-key", "Acceptance"), ("criterion", "it works")]),
        (
            "  - Files: `a.py:12-40` (new), b.py, prose here",
            [
                ("meta-key", "Files"),
                ("path", "a.py:12-40"),
                ("meta-value", "` (new),"),
                ("path", "b.py"),
                ("meta-value", ", prose here"),
            ],
        ),
        (
            "  - Depends on: 1.1, `1.9` and Phase 1",
            [("meta-key", "Depends on"), ("dependency", "1.1"), ("dependency", "1.9"), ("dependency", "Phase 1")],
        ),
        ("  - _Depends: 1.1_", [("meta-key", "Depends"), ("dependency", "1.1")]),
        ("  - Depends: on the weather", [("meta-key", "Depends"), ("meta-value", "on the weather")]),
        ("  - Skills: `API`, go", [("meta-key", "Skills"), ("skill", "API"), ("skill", "go")]),
        ("  - Agent: `engineer:git`", [("meta-key", "Agent"), ("agent", "engineer"), ("mode", "git")]),
        ("  - Verify: `make test`", [("meta-key", "Verify"), ("code", "`make test`")]),
        ("  - just a thought", [("detail", "just a thought")]),
        ("  more of the title", [("detail", "more of the title")]),
        ("  - [ ] **1.2** step", [("marker", "[ ]"), ("task-id", "1.2"), ("title", "step")]),
    ],
)
def test_what_hangs_below_a_task(line: str, expected: list[tuple[str, str]]) -> None:
    assert shown(f"{PHASE}- [ ] Task 1.1: a\n{line}") == expected


def test_lists_and_continued_lines_are_part_of_a_value() -> None:
    text = f"{PHASE}- [ ] Task 1.1: a\n  - Files:\n    - `c, d.py`\n  - Depends: 1.1,\n    1.2\n"
    text += "  - Acceptance:\n    - [x] ok\n"
    assert ("path", "c, d.py") in shown(text, 6)
    assert shown(text, 8) == [("dependency", "1.2")]
    assert shown(text, 10) == [("marker", "[x]"), ("criterion", "ok")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "### Phase 2b - Name it ✅ [parallel:full]",
            [
                ("phase-keyword", "Phase"),
                ("phase-id", "2b"),
                ("phase-name", "Name it"),
                ("tag-name", "parallel"),
                ("group", "full"),
            ],
        ),
        ("## 🚧 Phase 1: A", [("phase-keyword", "Phase"), ("phase-id", "1"), ("phase-name", "A")]),
        ("## **Phase 1**: A ##", [("phase-keyword", "Phase"), ("phase-id", "1"), ("phase-name", "A")]),
        ("## Overview ##", [("heading", "Overview")]),
        (f"{PHASE}**Goal**: win", [("phase-key", "Goal"), ("phase-value", "win")]),
        (
            f"{PHASE}**Dependencies**: Phase 2, 2.3",
            [("phase-key", "Dependencies"), ("dependency", "Phase 2"), ("dependency", "2.3")],
        ),
        (f"{PHASE}**Dependencies**: None", [("phase-key", "Dependencies"), ("phase-value", "None")]),
        (
            f"{PHASE}- Group A: Tasks 2.1, `2.2` (why, 3)",
            [("group", "A"), ("task-reference", "2.1"), ("task-reference", "2.2")],
        ),
        (
            f"{PHASE}**Parallel Groups**: Group A: Tasks 1.1, 1.2; Group B: 1.3",
            [
                ("phase-key", "Parallel Groups"),
                ("group", "A"),
                ("task-reference", "1.1"),
                ("task-reference", "1.2"),
                ("group", "B"),
                ("task-reference", "1.3"),
            ],
        ),
        (
            "# P\n**Last Updated**: 2025-01-01 | **Status**: Done",
            [
                ("header-key", "Last Updated"),
                ("header-value", "2025-01-01"),
                ("header-key", "Status"),
                ("header-value", "Done"),
            ],
        ),
        ("# P\n**Current Phase**: Phase 2", [("header-key", "Current Phase"), ("phase-reference", "Phase 2")]),
        ("# P\n**Spike Reference**: `docs/s.md`", [("header-key", "Spike Reference"), ("link", "docs/s.md")]),
        (
            "# P\n**Issue**: #7 (https://h.org/a_(b)).",
            [("header-key", "Issue"), ("issue", "#7"), ("link", "https://h.org/a_(b)")],
        ),
    ],
)
def test_headings_and_fields(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "- 2025-12-24 03:25: Completed Task 1.1 - sum #3",
            [
                ("log-stamp", "2025-12-24 03:25"),
                ("log-event", "Completed Task"),
                ("log-task", "1.1"),
                ("log-text", "- sum"),
                ("issue", "#3"),
            ],
        ),
        (
            "- [2025-12-24]: **Started Task 1.2**",
            [("log-stamp", "2025-12-24"), ("log-event", "Started Task"), ("log-task", "1.2")],
        ),
        (
            "- [x] Task 1.1 blocked",
            [("marker", "[x]"), ("log-event", "Task"), ("log-task", "1.1"), ("log-event", "blocked")],
        ),
        ("- Archived Phase 1 to x.md", [("log-event", "Archived"), ("log-phase", "Phase 1"), ("log-text", "to x.md")]),
        ('- Started Task "a, b"', [("log-event", "Started Task"), ("log-task", '"a, b"')]),
        ("- anything", [("log-text", "anything")]),
    ],
)
def test_log_lines(line: str, expected: list[tuple[str, str]]) -> None:
    assert shown(f"# P\n## Progress Log\n{line}") == expected


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("```\n- [ ] Task 1.1: a\n```\n", 2, [("code", "- [ ] Task 1.1: a")]),
        ("<!--\n- [ ] Task 1.1: a\n-->\n", 2, [("comment", "- [ ] Task 1.1: a")]),
        ("---\nx: #12\n---\n", 2, [("comment", "x: #12")]),
        ("> - [ ] Task 1.1: a [depends:1.2] #4\n", 1, [("issue", "#4")]),
        ("text\n2. [ ] x\n", 2, []),
        ("Phase 3: X\n---\n", 1, [("phase-keyword", "Phase"), ("phase-id", "3"), ("phase-name", "X")]),
        ("", 1, []),
        ("a", 0, []),
        ("a", 2, []),
    ],
)
def test_nothing_is_found_where_nothing_counts(text: str, line: int, expected: list[tuple[str, str]]) -> None:
    plan = parse(text)
    whole = plan.document.line(line - 1)
    assert [(span.kind, whole[span.start : span.end]) for span in spans(plan, line)] == expected


def test_the_span_of_a_place_is_found_at_its_begin_inside_and_behind_it() -> None:
    plan = parse(f"{PHASE}- [ ] Task 1.1: a [depends:1.2,1.3]\n")
    at = plan.document.line(3).index("1.2")
    assert [getattr(span_at(plan, 4, column), "value", None) for column in (at - 1, at, at + 2, at + 3, at + 4)] == [
        "depends",
        "1.2",
        "1.2",
        "1.2",
        "1.3",
    ]
    assert span_at(plan, 99, 0) is None


def check(plan: Plan) -> None:
    for line in range(1, plan.document.count + 1):
        text, last = plan.document.line(line - 1).rstrip("\r\n"), 0
        for span in spans(plan, line):
            assert span.line == line
            assert last <= span.start < span.end <= len(text), (span, text)
            assert not text[span.start].isspace() or span.kind == "marker", (span, text)
            last = span.end
    for task in plan.tasks:
        found = spans(plan, task.line)
        assert found[0].kind == "marker"
        if task.explicit:
            assert [span.value for span in found if span.kind == "task-id"] == [task.id]
        named = [span.value for span in found if span.kind == "dependency"]
        assert bool(named) <= bool(task.depends_on)
    for phase in plan.phases:
        ids = [span.value for span in spans(plan, phase.line) if span.kind == "phase-id"]
        assert ids in ([phase.id], [])


WORDS = (
    """- [ ] |- [x] |- [?] |1. [ ] |Task 1.1|Task 1.2: |T001 |2.1 |P0-1 |**|: |[depends:1.1]|[depends:1.1-1.4, 1.2]
[depends:Phase 1]|[depends:| [parallel:A] |[parallel:full]|[P]|(P)|[US1]|{#x}|# |## |### Phase 1: A|## Phase 2 - B ✅
# Plan: |## Progress Log|## Acceptance|**Status**: |**Current Phase**: Phase 1|**Dependencies**: Phase 2, 1.1
**Parallel Groups**: Group A: 1.1|- Group A: Tasks 1.1, 1.2|  |    |\\t|\\n|\\n|\\n|\\r\\n|\\r|\\n\\n|- Acceptance: |a b
- May change tests: |`t/a.py::b`, t/**
- Files: `a.py:3` (new), ../b|- Depends: |_Requirements: 1.2_|```|<!--|-->|> |---|2025-12-24 03:25: |Completed Task 1.1
blocked - |`|| | [agent:a:b]|[budget:2]|\ufeff|\u2028|🚧|[x](u)|#12|https://a.b|[PR-1-2] |**Step 2: x**|, |_""".replace(
        "\n", "|"
    )
    .replace("\\n", "\n")
    .replace("\\r", "\r")
    .replace("\\t", "\t")
)
fragments = st.lists(st.sampled_from(WORDS.split("|")), max_size=50).map("".join)


@settings(max_examples=often(400), deadline=None)
@given(fragments)
@example("- [ ] [P] **Task 1.1** [US1] **x** (P) [depends:1.1] {#x}")
def test_spans_never_overlap_and_agree_with_what_was_read(text: str) -> None:
    check(parse(text))


@settings(max_examples=often(200), deadline=None)
@given(st.text(alphabet="-[] x*1.T:`#(){}|_>\n a", max_size=120))
def test_any_text_has_spans(text: str) -> None:
    check(parse(text))


@pytest.mark.parametrize(
    "piece", ["[](a ", "`", "[x](", "a/b#", "#1 ", "**", "[depends:1.1] ", "(", "` [a](b)", "1.1-"]
)
def test_hostile_lines_cost_what_they_are_long_and_no_square_of_it(piece: str) -> None:
    def best(size: int) -> float:
        text = "# P\n- [ ] Task 1.1: " + piece * (size // len(piece)) + "\n"
        taken = []
        for _ in range(4):
            plan = parse(text)
            begin = time.process_time()
            spans(plan, 2)
            taken.append(time.process_time() - begin)
        return min(taken)

    assert best(64_000) < 32 * best(8_000)  # a square would be 64 times as much


def test_a_whole_long_plan_takes_less_than_reading_it_and_a_place_next_to_nothing() -> None:
    lines = ["# P", ""]
    for phase in range(1, 101):
        lines += [f"## Phase {phase}: N", ""]
        for task in range(1, 21):
            lines.append(f"- [ ] Task {phase}.{task}: Write it [depends:{phase}.{max(1, task - 1)}] [parallel:A]")
            lines += ["  - Acceptance: it works", "  - Files: `a.py`, `b.py` (new)", "  - Notes: think"]
    text = "\n".join(lines)
    reading, whole, places = [], [], []
    for _ in range(4):
        begin = time.process_time()
        plan = parse(text)
        parsed = time.process_time()
        for line in range(1, plan.document.count + 1):
            spans(plan, line)
        done = time.process_time()
        for line in range(5, 1005):
            span_at(plan, line, 12)
        reading.append(parsed - begin)
        whole.append(done - parsed)
        places.append(time.process_time() - done)
    assert min(whole) < 2 * min(reading)
    assert min(places) < min(reading)  # a thousand places; they take a tenth of reading the plan
