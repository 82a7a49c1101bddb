"""Foreign task lists as plans: what each shape becomes, and what is said of what it could not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devloop.plan import parse, select, show
from devloop.plan.importing import KINDS, as_prd, as_task_master, detect, imported

SAMPLES = Path(__file__).parent / "importing_samples"
SPEC = "specs/004-photo-albums/tasks.md"
KIRO = "kiro/bookings/tasks.md"
KIND_OF = {
    SPEC: "spec-kit",
    KIRO: "kiro",
    "headings.md": "headings",
    "sprints.md": "headings",
    "phases.md": "bullets",
    "prd.json": "prd",
    "task-master.json": "task-master",
}
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []


def sample(name):
    return (SAMPLES / name).read_text("utf-8")


def read(name, **more):
    found = imported("", sample(name), source=name, **more)
    return found, parse(found.text)


def rows(plan):
    return [(task.id, task.title, task.status, task.depends_on) for task in plan.tasks]


def errors(plan):
    return [problem for problem in plan.problems if problem.severity == "error"]


@pytest.mark.parametrize("name", KIND_OF)
def test_a_sample_is_recognised_and_becomes_a_plan_without_errors_the_same_each_time(name):
    assert detect(name, sample(name)) == KIND_OF[name]
    found, plan = read(name)
    assert found.kind == KIND_OF[name]
    assert found.problems == ()
    assert found.tasks == len(plan.tasks) > 2
    assert not errors(plan)
    assert plan.phases and all(task.phase for task in plan.tasks)
    assert plan.field("Status") is not None and plan.field("Source").value == name
    assert any(section.text == "Progress Log" for section in plan.sections)
    assert read(name)[0] == found
    assert detect("plan.md", found.text) == "plan", "the result is in our format"


def test_spec_kit_keeps_prose_and_gets_phases_files_groups_and_order():
    found, plan = read(SPEC, now="2026-01-31 12:30")
    assert plan.name == "Photo albums"
    assert [phase.id for phase in plan.phases] == ["1", "2", "3", "4", "N"]
    by_title = {task.title.split(" in ")[0]: task for task in plan.tasks}
    assert by_title["Create the project structure"].status == "complete"
    schema, model = by_title["Create the schema"], by_title["Album model"]
    assert (schema.id, schema.extra) == ("2.1", (("from", "T004"),))
    assert [ref.path for ref in schema.files] == ["db/schema.sql"]
    assert model.depends_on == ("2.1",) and model.story == "US1", "what the title says in words is a dependency"
    assert {task.group for task in plan.tasks if task.id in ("2.2", "2.3")} == {"A"}
    assert [ref.path for task in plan.tasks if task.id == "3.4" for ref in task.files] == ["src/api/albums.py"]
    assert plan.phases[2].depends_on == plan.phases[3].depends_on == ("2.1", "2.2", "2.3")
    assert plan.phases[4].depends_on[-1] == "4.1"
    assert select(plan).task.id == "1.3"
    assert "**Checkpoint**: Stories can begin" in found.text and "T001 -> T004" in found.text
    assert plan.log[-1].stamp == "2026-01-31 12:30"
    assert plan.field("Created").value == "2026-01-31"


def test_kiro_majors_become_phases_and_their_parts_tasks():
    found, plan = read(KIRO)
    assert plan.name == "bookings", "a title that says nothing is replaced by the folder's name"
    assert [(phase.id, phase.name) for phase in plan.phases] == [
        ("1", "Set up the project"),
        ("2", "Build bookings"),
        ("3", "Write the guide"),
    ]
    tasks = {task.id: task for task in plan.tasks}
    assert list(tasks) == ["1.1", "1.2", "2.1", "2.2", "2.3", "3"]
    assert tasks["2.2"].depends_on == ("1.2", "2.1")
    assert tasks["2.3"].optional and tasks["1.1"].status == "complete"
    assert tasks["1.1"].requirements == ("1.1", "1.2")
    assert tasks["2.1"].details == ("A booking has a room, a begin and an end",)
    assert [note.text for note in found.notes if note.kind == "lost"] == ["(P) of 2: it became a phase"]


def test_a_kiro_major_that_is_ticked_before_its_parts_is_a_problem_and_an_open_phase():
    text = "# Implementation Plan\n\n- [x] 1. A\n- [x] 1.1 B\n- [ ] 1.2 C\n"
    found = imported("", text)
    assert [(problem.line, "ticked" in problem.message) for problem in found.problems] == [(3, True)]
    assert [phase.status for phase in parse(found.text).phases] == ["in_progress"]


def test_headings_become_tasks_with_their_text_and_their_metadata():
    _, plan = read("headings.md")
    assert rows(plan) == [
        ("1.1", "Read the old files", "complete", ()),
        ("1.2", "Write the new ones", "pending", ()),
        ("2.1", "Switch over", "in_progress", ()),
    ]
    assert [ref.path for ref in plan.tasks[0].files] == ["src/old.py"]
    assert plan.tasks[1].acceptance == ("every row arrives", "no row twice")
    assert [criterion.done for criterion in plan.criteria] == [False, True]


def test_headings_above_tasks_become_phases_where_there_are_none():
    _, plan = read("sprints.md")
    assert [(phase.id, phase.name) for phase in plan.phases] == [("1", "Foundations"), ("2", "Later")]
    assert [(task.id, task.phase) for task in plan.tasks] == [("step-1", "1"), ("step-2", "1"), ("7", "2")]


NUMBERED = """# Design

## 1. Ground

### 1.1 Read ✅

Words.

- a bullet

### 1.2. Write

## 2. Roof

### 2.1 Close it
"""


def test_numbered_headings_are_tasks_only_where_that_is_said():
    assert detect("design.md", NUMBERED) == ""
    found = imported("", NUMBERED)
    assert found.tasks == 0 and "--as" in found.problems[0].message
    plan = parse(imported("headings", NUMBERED).text)
    assert rows(plan) == [
        ("1.1", "Read", "complete", ()),
        ("1.2", "Write", "pending", ()),
        ("2.1", "Close it", "pending", ()),
    ]
    assert [(phase.id, phase.name) for phase in plan.phases] == [("1", "Ground"), ("2", "Roof")]
    assert plan.tasks[0].details == ("Words.", "a bullet")


def test_groups_with_numbers_above_numbered_tasks_become_phases():
    text = "# X\n\n## 1. Schema\n\n- [x] 1.1 Tables\n- [ ] 1.2 Index\n\n## 2. Surface\n\n- [ ] 2.1 Page\n"
    found = imported("", text)
    plan = parse(found.text)
    assert (found.kind, found.problems) == ("kiro", ())
    assert [(phase.id, phase.name) for phase in plan.phases] == [("1", "Schema"), ("2", "Surface")]
    assert [(task.id, task.phase, task.done) for task in plan.tasks] == [
        ("1.1", "1", True),
        ("1.2", "1", False),
        ("2.1", "2", False),
    ]


def test_bullets_become_tasks_only_where_that_is_wanted():
    _, plan = read("phases.md")
    assert [(task.title, task.status) for task in plan.tasks] == [
        ("List what there is", "complete"),
        ("Rehearse", "in_progress"),
        ("Tell people", "pending"),
        ("Switch", "pending"),
    ]
    as_headings = imported("headings", sample("phases.md"))
    assert as_headings.tasks == 0 and as_headings.problems


def test_a_prd_gives_its_stories_in_the_order_of_their_priority():
    found, plan = read("prd.json")
    assert rows(plan) == [
        ("US-001", "Keep an article", "complete", ()),
        ("US-002", "Tick an article", "pending", ("US-001",)),
        ("story_three", r"Share \[depends:9.9] the list \(P)", "pending", ("US-001", "US-002")),
    ]
    tick, share = plan.tasks[1], plan.tasks[2]
    assert tick.acceptance == ("A ticked one is shown so", "It can be taken back")
    assert [ref.path for ref in tick.files] == ["src/tick.py", "tests/**/*.py"]
    assert (tick.model, tick.effort, tick.group) == ("haiku", "simple", None)
    assert tick.notes == "As a reader I tick what I read\nSmall"
    assert share.acceptance == (r"\# no heading", r"\- [ ] no box") and not plan.criteria
    assert plan.field("Branch").value == "feature/reading-list"
    assert "- `qualityGates.minCoverage`: 75" in found.text
    lost = [note.text for note in found.notes if note.kind == "lost"]
    assert any("'weight'" in text for text in lost) and any("qualityGates" in text for text in lost)


@pytest.mark.parametrize(
    "value",
    [
        {"title": "P", "stories": [{"id": "S-1", "title": "A", "acceptance_criteria": "one", "status": "done"}]},
        {"project": "P", "user_stories": [{"id": "S-1", "name": "A", "acceptance": [{"text": "one"}], "passes": True}]},
    ],
)
def test_older_shapes_of_a_prd_are_read_too(value):
    found = imported("", json.dumps(value))
    plan = parse(found.text)
    assert (found.kind, found.problems, plan.name) == ("prd", (), "P")
    assert rows(plan) == [("S-1", "A", "complete", ())] and plan.tasks[0].acceptance == ("one",)


def test_task_master_keeps_steps_details_and_strategy():
    _, plan = read("task-master.json")
    assert [(task.id, task.status, task.parent) for task in plan.tasks] == [
        ("1", "complete", None),
        ("2", "in_progress", None),
        ("2.1", "complete", "2"),
        ("2.2", "in_progress", "2"),
        ("2.3", "pending", "2"),
        ("3", "blocked", None),
        ("4", "skipped", None),
    ]
    tasks = {task.id: task for task in plan.tasks}
    assert tasks["2"].depends_on == ("1",)
    assert tasks["2.3"].depends_on == ("2.2", "2.1") and tasks["3"].depends_on == ("2.3",)
    assert tasks["2.1"].depends_on == ("1",), "a step waits for what its task waits for"
    assert tasks["1"].verify_command == "make check"
    assert tasks["1"].notes.split("\n")[2:4] == ["`mkdir src`", "`# not a heading`"]
    assert tasks["3"].notes == "Blocked: the source says deferred"


def test_another_tag_of_task_master_is_imported_by_its_name():
    found = imported("task-master", sample("task-master.json"), tag="docs")
    assert rows(parse(found.text)) == [("1", "Guide", "pending", ())]
    assert any("'master' with 4" in note.text for note in found.notes)
    wrong = imported("task-master", sample("task-master.json"), tag="none")
    assert "There is no tag 'none'" in wrong.problems[0].message and wrong.tasks == 7


OWN = """# Plan: Own

**Created**: 2026-01-01
**Status**: In Progress

- [ ] before all phases

## Phase 1: First [parallel:full]

**Goal**: It begins

- [x] Task 1.1: One [agent:engineer:git] [budget:2.50]
  - **Acceptance**:
    - [x] it works
    - [ ] it is fast
  - **Files**: `a b.py` (new), `src/*.py`, `c.py:3-9`
- [~]* Task 1.2: Two [depends:1.1]
  - a detail
  - **Verify**: `make test`
  - **Owner**: her
  - **Skills**: api-design, `go`
  - **Odd**: thing
  - [ ] a step
  - [x] **1.2.1** a step with an id

## Phase 2b: Second

**Dependencies**: Phase 1

- [!] T001 [P] Three [US2] [skill:go]
  - Notes: no key
- [ ] US-004: Four [P]
- [ ] five without an id [depends:p1.1]
- [>] six {#later}
- [ ] **Step 3: seven** [parallel:B] [background]

## Elsewhere

- [ ] eight

## Success Criteria

- [ ] all is well
- [x] nothing is broken

## Progress Log

- 2026-01-01 10:00: Plan created
- 2026-01-02 10:00: Completed Task 1.1 - it works
"""


def told_of(plan):
    """All that an export says but lines, and what depends on prose."""
    shown = show(plan)
    for row in [*shown["tasks"], *shown["phases"], *shown["criteria"], *shown["log"]]:
        for key in ("line", "end_line"):
            row.pop(key, None)
    for row in shown["tasks"]:
        row["tags"] = sorted(tag for tag in row["tags"] if not tag.startswith(("depends", "parallel")))
        # What stands in prose for a person has one form.
        row["extra"] = sorted((each["key"], each["value"]) for each in row["extra"])
    return {key: value for key, value in shown.items() if key != "problems"}


def test_devloops_own_export_comes_round():
    plan = parse(OWN.replace("[depends:p1.1]", "[depends:1.2]"))
    found = imported("", json.dumps({"path": "plan.md", **show(plan)}))
    assert found.kind == "devloop-json" and found.problems == ()
    assert told_of(parse(found.text)) == told_of(plan)
    again = imported("", json.dumps(show(parse(found.text))))
    assert again.text == found.text


@pytest.mark.parametrize("name", KIND_OF)
def test_what_was_imported_comes_round_as_json(name):
    plan = read(name)[1]
    again = imported("devloop-json", json.dumps(show(plan)))
    assert again.problems == ()
    expected, got = told_of(plan), told_of(parse(again.text))
    for key in ("tasks", "phases", "stats", "fields"):
        assert got[key] == expected[key]


def test_exports_for_others_are_read_as_what_they_came_from():
    plan = parse(OWN)
    prd = imported("", json.dumps(as_prd(plan)))
    pickable = [task for task in plan.tasks if task.pickable]
    assert prd.kind == "prd"
    assert [task.title for task in parse(prd.text).tasks] == [task.title for task in pickable]
    assert [task.done for task in parse(prd.text).tasks] == [task.done for task in pickable]
    master = imported("", json.dumps(as_task_master(plan)))
    assert (master.kind, master.problems) == ("task-master", ())
    back = parse(master.text)
    assert [task.title for task in back.tasks] == [task.title for task in plan.tasks]
    depends = {
        task.title: {back.tasks[at].title for need in back.graph.needs[n] for at in need.members}
        for n, task in enumerate(back.tasks)
    }
    assert depends["Two"] == {"One"}


@pytest.mark.parametrize("name", [SPEC, KIRO, "prd.json", "task-master.json", "phases.md"])
def test_importing_again_keeps_what_was_reached_since(name):
    first = read(name)[1]
    worked = parse(first.text.replace("- [ ] ", "- [x] ").replace("- [~] ", "- [!] "))
    again = imported("", sample(name), source=name, before=worked)
    statuses = {task.title: task.status for task in worked.tasks}
    for task, was in zip(parse(again.text).tasks, first.tasks, strict=True):
        assert task.status == (statuses[task.title] if was.status == "pending" else was.status)
    assert any("marks of" in note.text for note in again.notes)
    elsewhere = imported("", sample(name), source=f"other/{name}", before=worked)
    assert not any("marks of" in note.text for note in elsewhere.notes)


def test_importing_again_goes_by_the_sources_id_where_tasks_were_added_and_renamed():
    text = "# Tasks: A\n\n## Phase 1: Setup\n\n- [ ] T001 First\n- [ ] T002 Second\n"
    worked = parse(imported("", text, source="t.md").text.replace("[ ] Task 1.2", "[x] Task 1.2"))
    more = text.replace("- [ ] T001", "- [ ] T000 New\n- [ ] T001").replace("Second", "Second, better said")
    plan = parse(imported("", more, source="t.md", before=worked).text)
    assert rows(plan) == [
        ("1.1", "New", "pending", ()),
        ("1.2", "First", "pending", ()),
        ("1.3", "Second, better said", "complete", ()),
    ]


@pytest.mark.skipif(not FILES, reason="no corpus of plans here")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_real_lists_lose_no_task_and_gain_no_error(path):
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    before = parse(text)
    found = imported("", text, source=path.name)
    plan = parse(found.text)
    assert found.kind in KINDS
    majors = len(plan.phases) - len(before.phases) if found.kind == "kiro" else 0
    assert len(plan.tasks) >= len(before.tasks) - majors
    assert {problem.code for problem in errors(plan)} <= {problem.code for problem in errors(before)}
    if plan.tasks:
        assert not found.problems
