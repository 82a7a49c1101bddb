"""What one line says: ids, tags, metadata, files, headings, header fields, log lines."""

from __future__ import annotations

import pytest

from devloop.plan import FileRef, header, headings, ids, items, parse, tags, title_key
from devloop.plan.model import Task


def only(text: str) -> Task:
    plan = parse(text)
    assert len(plan.tasks) == 1, [task.id for task in plan.tasks]
    return plan.tasks[0]


@pytest.mark.parametrize(
    ("text", "name", "title"),
    [
        ("Task 2.1: text", "2.1", "text"),
        ("**Task 2.1**: text", "2.1", "text"),
        ("**Task 2.1: text**", "2.1", "text"),
        ("**Task 2.1:** text", "2.1", "text"),
        ("Task 1.1.1: text", "1.1.1", "text"),
        ("task 4: text", "4", "text"),
        ("Task 4 text", "4", "text"),
        ("Task 4. text", "4", "text"),
        ("Task 4) text", "4", "text"),
        ("Task 4 - text", "4", "text"),
        ("Task 4 — text", "4", "text"),
        ("Task 4:text", "4", "text"),
        ("**2.1** text", "2.1", "text"),
        ("**2.1.** text", "2.1", "text"),
        ("2.1 text", "2.1", "text"),
        ("2.1. text", "2.1", "text"),
        ("2.1) text", "2.1", "text"),
        ("3. text", "3", "text"),
        ("3) text", "3", "text"),
        ("3: text", "3", "text"),
        ("T001 text", "T001", "text"),
        ("T-12 text", "T-12", "text"),
        ("**P0-1**: text", "P0-1", "text"),
        ("ABC-12 text", "ABC-12", "text"),
        ("FEAT-005: text", "FEAT-005", "text"),
        ("[PR-123-1] text", "PR-123-1", "text"),
        ("**Step 3: text**", "step-3", "text"),
        ("text {#login}", "login", "text"),
        ("Task 1.10: ten", "1.10", "ten"),
        ("Task 007: bond", "007", "bond"),
        ("Task 1.1", "1.1", ""),
        ("plain text", "", "plain text"),
        ("2.0-beta released", "", "2.0-beta released"),
        ("1.5x faster", "", "1.5x faster"),
        ("3 little pigs", "", "3 little pigs"),
        ("2025-12-24 release", "", "2025-12-24 release"),
        ("UTF-8 everywhere", "", "UTF-8 everywhere"),
        ("Tasks are many", "", "Tasks are many"),
        ("Task force", "", "Task force"),
        ("Step 3: text", "", "Step 3: text"),
        ("**Bold** lead: text", "", "**Bold** lead: text"),
        ("**All of it**", "", "All of it"),
        ("`code` 🚀 stays", "", "`code` 🚀 stays"),
        ("T1x text", "", "T1x text"),
    ],
)
def test_id_and_title(text: str, name: str, title: str) -> None:
    lead = ids.lead(text)
    assert (lead.id, lead.title) == (name, title)


def test_ids_without_name_are_counted_per_phase() -> None:
    plan = parse(
        "- [ ] a\n- [ ] Task 9: b\n- [ ] c\n## Phase 1: A\n- [ ] d\n  - [ ] step\n- [ ] e\n## Phase 2\n- [ ] f\n"
    )
    assert [task.id for task in plan.tasks] == ["s1", "9", "s2", "p1.1", "p1.1/1", "p1.2", "p2.1"]
    assert [task.explicit for task in plan.tasks].count(True) == 1


def test_key_survives_spelling_but_not_words() -> None:
    assert title_key("Add  LOGIN") == title_key("add login")
    assert title_key("Caf\u00e9") == title_key("Cafe\u0301")
    assert title_key("add login") != title_key("add logout")
    assert only("- [ ] Task 1.1: Add login [parallel:A]\n").key == only("\n\n- [x] Add login\n").key


@pytest.mark.parametrize(
    ("text", "title", "written"),
    [
        ("a [parallel:A] b [depends:1.1]", "a b", ("parallel:A", "depends:1.1")),
        ("a [Parallel: A ]", "a", ("Parallel: A",)),
        ("T001 [P] [US1] text", "text", ("P", "US1")),
        ("a `[parallel:A]`", "a `[parallel:A]`", ()),
        ("a ``x ` [P]`` [background]", "a ``x ` [P]``", ("background",)),
        ("a `x [P]", "a `x", ("P",)),
        ("a [P](url)", "a [P](url)", ()),
        ("a \\[P]", "a \\[P]", ()),
        ("a [word:value]", "a [word:value]", ()),
        ("a [turns:many]", "a [turns:many]", ()),
        ("2.1 (P) a", "a", ("P",)),
        ("a (P)", "a", ("P",)),
        ("a (P) b", "a (P) b", ()),
    ],
)
def test_tags_are_cut_from_the_title(text: str, title: str, written: tuple[str, ...]) -> None:
    task = only(f"- [ ] {text}\n")
    assert (task.title, task.tags) == (title, written)


def test_values_of_tags() -> None:
    task = only(
        "- [ ] Task 1: a [agent:engineer:git] [model:haiku] [budget:$2.50] [turns:40] [timeout:30m] [US3]"
        " [background] [sequential]\n"
    )
    assert (task.agent, task.mode, task.model) == ("engineer", "git", "haiku")
    assert (task.budget_usd, task.turns, task.timeout_s) == (2.5, 40, 1800.0)
    assert (task.story, task.background, task.sequential) == ("US3", True, True)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("5", 300), ("x", None)])
def test_durations(text: str, value: float | None) -> None:
    assert tags.seconds(text) == value


def test_distance_of_words() -> None:
    assert tags.distance("depend", "depends") == 1
    assert tags.nearest("parralel") == "parallel"
    assert tags.nearest("note") is None
    assert tags.distance("a" * 100, "b") == 64


def test_metadata_of_a_task() -> None:
    task = only(
        "- [ ] Task 1.1: a\n"
        "  - **Acceptance**: works\n    and is fast\n    - tested\n    - documented\n"
        "  - Files: `a.py` (new), src/b.py:12-40, `c/*.py`, Part of the file above\n"
        "  - **Notes:** mind the gap\n"
        "  - Verify: run `pytest -q` twice\n"
        "  - Effort: M\n  - Owner: me\n  - Agent: engineer:git\n  - Model: opus\n"
        "  - _Requirements: 1.2, 2.3_\n"
        "  - Result: fine\n"
        "  - a plain detail: with a colon\n    going on\n"
    )
    assert task.acceptance == ("works and is fast", "tested", "documented")
    assert task.files == (
        FileRef("a.py", new=True, note="new"),
        FileRef("src/b.py", lines=(12, 40)),
        FileRef("c/*.py", glob=True),
    )
    assert (task.notes, task.verify, task.verify_command) == ("mind the gap", "run `pytest -q` twice", "pytest -q")
    assert (task.effort, task.owner, task.agent, task.mode, task.model) == ("M", "me", "engineer", "git", "opus")
    assert task.requirements == ("1.2", "2.3")
    assert task.extra == (("Result", "fine"),)
    assert task.details == ("a plain detail: with a colon going on",)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("Acceptance: a", "acceptance", "a"),
        ("acceptance criteria: a", "acceptance", "a"),
        ("**Done when**: a", "acceptance", "a"),
        ("**Done when:** a", "acceptance", "a"),
        ("_Depends: 1.1, 1.2_", "depends", "1.1, 1.2"),
        ("__Files__: a", "files", "a"),
        ("Files:", "files", ""),
        ("Tests: `x`", "verify", "`x`"),
        ("Batch: 3", "", "3"),
    ],
)
def test_forms_of_metadata(text: str, key: str, value: str) -> None:
    meta = items.meta(text)
    assert meta is not None
    assert (meta.key, meta.value) == (key, value)


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        ("Do it [skill:api-design]", "Do it", ("api-design",)),
        ("Do it [skills: api-design, Go-Patterns]", "Do it", ("api-design", "go-patterns")),
        ("Do it\n  - Skills: `API-Design`, go-patterns", "Do it", ("api-design", "go-patterns")),
        ("Do [skill:a] it\n  - **skill**: a b", "Do it", ("a", "b")),
        ("Do it\n  - Skills:\n    - a\n    - `b`", "Do it", ("a", "b")),
        ("Do it\n  - Owner: api-design", "Do it", ()),
        ("Do skill: it", "Do skill: it", ()),
        ("Do it [skill:]", "Do it [skill:]", ()),
        ("Do it [skill:a/b]", "Do it [skill:a/b]", ()),
        (f"Do it [skills:{','.join(f's{n}' for n in range(20))}]", "Do it", tuple(f"s{n}" for n in range(16))),
    ],
)
def test_a_task_names_skills_by_a_tag_or_by_metadata(text: str, title: str, expected: tuple[str, ...]) -> None:
    task = parse(f"- [ ] {text}\n").tasks[0]
    assert (task.title, task.skills) == (title, expected)
    assert not task.extra


@pytest.mark.parametrize(
    "text", ["no colon", "http://x", "this is a long sentence: yes", "lower: x", "**Open: x", "_a: b"]
)
def test_text_that_is_no_metadata(text: str) -> None:
    assert items.meta(text) is None


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("`a.py` (new), `b, c.py`", ["a.py", "b, c.py"]),
        ("src/a.py, README.md", ["src/a.py", "README.md"]),
        ("`a b.txt`", ["a b.txt"]),
        ("a.py (see b, c), d.py", ["a.py", "d.py"]),
        ("Part of the file above", []),
        ("the parser", []),
        ("Makefile, LICENSE", ["Makefile", "LICENSE"]),
        ("src/a.py.", ["src/a.py"]),
        ("`x.py`:12", ["x.py"]),
        ("", []),
    ],
)
def test_paths_of_files(text: str, paths: list[str]) -> None:
    assert [ref.path for ref in items.files(text)] == paths


@pytest.mark.parametrize(
    ("text", "name", "title", "tag", "written"),
    [
        ("Phase 1: A", "1", "A", "", ""),
        ("Phase 1. A", "1", "A", "", ""),
        ("Phase 2b - B [parallel:full]", "2b", "B", "full", ""),
        ("Phase 1.5 – C ✅", "1.5", "C", "", "complete"),
        ("✅ Phase A: D", "A", "D", "", ""),
        ("phase 3", "3", "", "", ""),
        ("**Phase 3**: E (COMPLETE)", "3", "E", "", "complete"),
        ("Phase 4: F DONE", "4", "F", "", "complete"),
        ("Phase 4: F 🚧", "4", "F", "", "in_progress"),
        ("Phase 5: 完了", "5", "", "", "complete"),
        ("Phase 6: Not UNDONE", "6", "Not UNDONE", "", ""),
        ("Phase 0 setup", "0", "setup", "", ""),
        ("Phase 7: G ✔️", "7", "G", "", "complete"),
        ("2. Phase 1: A", "1", "A", "", ""),
    ],
)
def test_phase_headings(text: str, name: str, title: str, tag: str, written: str) -> None:
    phase = headings.heading(3, text).phase
    assert phase == (name, title, tag, written)


@pytest.mark.parametrize(
    "text", ["Phases", "Phase", "Phase overview", "Phase 1/2", "Phase a plan", "The Phase 1", "Phase 1x2"]
)
def test_headings_that_are_no_phase(text: str) -> None:
    assert headings.heading(3, text).phase is None


def test_headings_below_level_four_are_no_phase() -> None:
    assert headings.heading(4, "Phase 1: A").phase is not None
    assert headings.heading(5, "Phase 1: A").phase is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Progress Log", "log"),
        ("📜 Worklog", "log"),
        ("Change log", "log"),
        ("3. **Success Criteria**", "criterion"),
        ("Acceptance", "criterion"),
        ("Definition of Done", "criterion"),
        ("Quality Gates", "criterion"),
        ("Review checklist", "criterion"),
        ("Logging", ""),
        ("Prehistory", ""),
        ("Tasks", ""),
    ],
)
def test_kinds_of_sections(text: str, kind: str) -> None:
    assert headings.heading(2, text).kind == kind


@pytest.mark.parametrize(
    ("line", "text"),
    [("## a ##", "a"), ("# a # b", "a # b"), ("#\ta", "a"), ("   ### a#", "a#"), ("#", ""), ("## ##", "")],
)
def test_text_of_headings(line: str, text: str) -> None:
    assert headings.atx(line + "\n").text == text


def test_sections_end_where_the_specification_says() -> None:
    plan = parse(
        "# P\n## Success Criteria\n- [ ] c1\n### More\n- [ ] c2\n## Tasks\n- [ ] t1\n"
        "## Checklist\n### Phase 1: A\n- [ ] t2\n#### Verification\n- [ ] c3\n### Blockers\n- [ ] t3\n"
    )
    assert [c.text for c in plan.criteria] == ["c1", "c2", "c3"]
    assert [(t.title, t.phase) for t in plan.tasks] == [("t1", None), ("t2", "1"), ("t3", None)]


def test_a_plan_may_be_called_checklist() -> None:
    assert len(parse("# Release checklist\n- [ ] a\n").tasks) == 1


def test_nested_phases_count_for_both() -> None:
    plan = parse("### Phase 1: A\n- [x] a\n#### Phase 1.1: B\n- [ ] b\n### Phase 2: C\n- [ ] c\n## End\n- [ ] d\n")
    assert [(p.id, p.parent, p.line, p.end_line, p.status) for p in plan.phases] == [
        ("1", None, 1, 4, "in_progress"),
        ("1.1", 0, 3, 4, "pending"),
        ("2", None, 5, 6, "pending"),
    ]
    assert [counts.total for counts in plan.stats.phases] == [2, 1, 1]
    assert plan.tasks[-1].phase is None


def test_phase_fields_and_groups() -> None:
    plan = parse(
        "## Phase 1: A\n**Goal**: win\n**Complexity**: M-sized\n**Dependencies**: None\n"
        "**Parallel Groups**:\n- Group A: Tasks 1.1, 1.2 (why, not)\n- Group B: 1.3-1.4\n\n"
        "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] Task 1.3: c\n- [ ] Task 1.4: d [parallel:C]\n"
        "## Phase 2: B [parallel:full]\n- [ ] Task 2.1: e\n- [ ] Task 2.2: f [parallel:X]\n"
    )
    assert (plan.phases[0].goal, plan.phases[0].complexity, plan.phases[0].depends_on) == ("win", "M-sized", ())
    assert plan.phases[0].groups == (("A", ("1.1", "1.2")), ("B", ("1.3", "1.4")))
    assert [task.group for task in plan.tasks] == ["A", "A", "B", "C", "full", "X"]


def test_neighbours_with_p_form_runs() -> None:
    plan = parse("## Phase 1\n- [ ] T1 [P] a\n- [ ] T2 [P] b\n- [ ] T3 c\n- [ ] T4 d (P)\n- [ ] T5 [P] e\n")
    assert [task.group for task in plan.tasks] == ["P1", "P1", None, "P2", "P2"]


def test_header_fields() -> None:
    plan = parse(
        "# Devloop Plan: Shop\n\n**Created**: 2025-12-24 | **Last Updated:** 2025-12-25 10:00\n"
        "**Status**: Complete ✓\n**Branch**: `x`\n\n## Overview\n**Status**: no\n"
    )
    assert plan.name == "Shop"
    assert {f.key: f.value for f in plan.fields} == {
        "Created": "2025-12-24",
        "Updated": "2025-12-25 10:00",
        "Status": "Complete ✓",
        "Branch": "`x`",
    }
    assert plan.status == "complete"
    for found in plan.fields:
        assert plan.document.line(found.line - 1)[found.start : found.end] == found.value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# Plan: A\n", "A"),
        ("# Implementation Plan: A\n", "A"),
        ("# Implementation Plan\n", "Implementation Plan"),
        ("# Planning: A\n", "Planning: A"),
        ("A\n===\n", "A"),
        ("---\ntitle: 'B'\n---\n## C\n", "B"),
        ("## C\n", "C"),
        ("text\n", "given"),
        ("# Phase 1: A\n# Plan: B\n", "B"),
    ],
)
def test_name_of_the_plan(text: str, name: str) -> None:
    assert parse(text, name="given").name == name


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Draft", "planning"),
        ("not started", "planning"),
        ("In Progress (3/4)", "in_progress"),
        ("🚧 Active Development", "in_progress"),
        ("On Hold", "paused"),
        ("Waiting", "blocked"),
        ("In Review", "review"),
        ("Complete ✓", "complete"),
        ("Complete - All 4 Phases Done", "complete"),
        ("已完成", "complete"),
        ("Superseded", "archived"),
        ("Somewhere", ""),
        ("", ""),
    ],
)
def test_status_words(text: str, status: str) -> None:
    assert header.status(text) == status


def test_unknown_status_is_derived() -> None:
    assert parse("# P\n**Status**: Hm\n\n- [x] a\n").status == "review"
    assert parse("# P\n**Status**: Hm\n\n- [x] a\n- [ ] b\n").status == "in_progress"
    assert parse("# P\n\n- [ ] a\n").status == "planning"


@pytest.mark.parametrize(
    ("text", "stamp", "event", "names", "detail"),
    [
        ("2025-12-24 03:25: Completed Task 1.1 - done it", "2025-12-24 03:25", "completed", ("1.1",), "done it"),
        ("2025-12-24: Plan created", "2025-12-24", "created", (), ""),
        ("[2025-12-24 03:25]: Started Task T001", "2025-12-24 03:25", "started", ("T001",), ""),
        ("**2025-12-24T03:25:01Z** - Task 2.1 blocked - no db", "2025-12-24T03:25:01Z", "blocked", ("2.1",), "no db"),
        ("Committed Tasks 2.1, 2.2 - abc123", "", "committed", ("2.1", "2.2"), "abc123"),
        ("Committed Tasks 2.1-2.2 - abc (grouped)", "", "committed", ("2.1-2.2",), "abc (grouped)"),
        ("[x] Skipped Task 3 - why", "", "skipped", ("3",), "why"),
        ('Completed Task "Add login" - ok', "", "completed", ('"Add login"',), "ok"),
        ("Archived Phase 1 to .devloop/archive/a.md", "", "archived", (), "1 to .devloop/archive/a.md"),
        ("Phase 3 complete", "", "phase_complete", (), ""),
        ("hello", "", "", (), ""),
    ],
)
def test_log_lines(text: str, stamp: str, event: str, names: tuple[str, ...], detail: str) -> None:
    read = items.log(text)
    assert (read.stamp, read.event, read.tasks, read.detail) == (stamp, event, names, detail)


def test_criteria_know_section_phase_and_task() -> None:
    plan = parse("## Phase 1: A\n1. [x] first\n   - [ ] below\n## Exit criteria\n- [X] second\n")
    assert [(c.text, c.done, c.section, c.phase) for c in plan.criteria] == [
        ("first", True, "Phase 1: A", "1"),
        ("below", False, "Phase 1: A", "1"),
        ("second", True, "Exit criteria", None),
    ]
