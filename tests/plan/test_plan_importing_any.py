"""Imports of anything: no input raises, every result is a plan, and a task stays what it was."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devloop.plan import parse, show
from devloop.plan.importing import KINDS, detect, imported
from devloop.plan.importing.model import MAX_TOLD

calm = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

HOSTILE = (
    "# Phase 9: x",
    "[depends:1.1]",
    "a [parallel:A] b",
    "- [x] done",
    "[x] done",
    "(P)",
    "ends (P)",
    "**bold**",
    "`code",
    "```",
    "~~~",
    "<!-- open",
    "<details>",
    "> quote",
    "1. one",
    "Task 7.7: other",
    "T009 x",
    "text {#anchor}",
    "a\n\n## Phase 3: b\n- [ ] Task 3.1: c",
    "a\r- [ ] b",
    "a\u2028- [ ] b",
    "\ud800 half",
    "\x00\x1b[31m",
    "| a | b |",
    "---",
    "===",
    "Acceptance: none",
    "**Status**: Complete | **Updated**: never",
    "\\",
    "[a](b)",
    "![x]",
    "  ",
    "完了",
    "DONE",
    "x" * 5000,
    "[" * 300,
)
words = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


def errors(plan):
    return [problem.message for problem in plan.problems if problem.severity == "error"]


def bare(title):
    return "".join(char for char in title if char.isalnum())


@calm
@given(st.sampled_from(["", *KINDS, "nonsense"]), st.lists(words, max_size=12).map("\n".join))
def test_any_text_is_read_as_any_kind(kind, text):
    found = imported(kind, text, source="x/tasks.md", now="2026-01-01 10:00")
    plan = parse(found.text)
    assert plan.text == found.text and len(plan.tasks) == found.tasks
    assert found.kind in KINDS and detect("x", text) in ("", *KINDS)
    assert found.tasks or found.problems


def keyed(*names):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values))


STORY = ("id", "title", "description", "acceptanceCriteria", "priority", "passes", "dependencies", "fileScope", "notes")
TASK = ("id", "title", "status", "dependencies", "details", "testStrategy", "subtasks", "priority")
OWN = (
    *("id", "title", "status", "marker", "phase", "parent", "depends_on", "group", "acceptance", "files", "tags"),
    *(
        "notes",
        "details",
        "extra",
        "explicit",
        "optional",
        "line",
        "agent",
        "effort",
        "requirements",
        "may_change_tests",
    ),
)
PHASE = ("id", "name", "line", "end_line", "level", "goal", "depends_on")


@calm
@given(
    st.sampled_from(["prd", "task-master", "devloop-json"]),
    st.lists(st.one_of(keyed(*STORY), keyed(*TASK), keyed(*OWN), json_values), max_size=5),
    st.lists(keyed(*PHASE), max_size=3),
    keyed("name", "project", "fields", "criteria", "log", "metadata", "description"),
)
def test_json_with_any_values_gives_a_plan_without_errors_and_with_as_many_tasks(kind, tasks, phases, more):
    value = {**more, "userStories": tasks, "tasks": tasks, "phases": phases}
    found = imported(kind, json.dumps(value))
    plan = parse(found.text)
    assert not errors(plan)
    assert not any("says something else" in problem.message for problem in found.problems), found.problems
    assert len(plan.top_level) >= sum(isinstance(task, dict) for task in tasks) or kind == "devloop-json"
    if kind == "devloop-json":
        assert len(plan.tasks) == sum(isinstance(task, dict) for task in tasks)
    plan.text.encode()
    assert all(phase.id and len(phase.name) < 400 for phase in plan.phases)


@calm
@given(st.lists(st.tuples(words, words, st.booleans(), st.sets(st.integers(0, 7))), min_size=1, max_size=8))
def test_stories_keep_their_titles_states_and_dependencies(stories):
    value = {
        "userStories": [
            {
                "id": f"US-{n:03}",
                "title": title,
                "passes": passes,
                "acceptanceCriteria": [text],
                "notes": text,
                "dependencies": [f"US-{other:03}" for other in sorted(needs) if other < n],
            }
            for n, (title, text, passes, needs) in enumerate(stories)
        ]
    }
    found = imported("prd", json.dumps(value))
    plan = parse(found.text)
    assert [task.id for task in plan.tasks] == [f"US-{n:03}" for n in range(len(stories))]
    assert [task.done for task in plan.tasks] == [passes for _, _, passes, _ in stories]
    for n, (task, (title, _, _, needs)) in enumerate(zip(plan.tasks, stories, strict=True)):
        assert set(task.depends_on) == {f"US-{other:03}" for other in needs if other < n}
        said = bare(title)
        assert not said or task.title == "Untitled" or (bare(task.title) and said.startswith(bare(task.title)))
    assert len(plan.phases) == 1 and not plan.criteria and len(plan.log) == 1


MARKS = st.sampled_from(" x~!->")


@st.composite
def plans(draw):
    """A plan in our format, with steps and dependencies on what stands above."""
    lines, names = ["# Plan: Any", "", "## Phase 1: A", ""], []
    for number in range(draw(st.integers(1, 8))):
        if number and draw(st.integers(0, 3)) == 0:
            lines += ["", f"## Phase {number + 1}: B{number}", ""]
        needs = draw(st.sets(st.sampled_from(names), max_size=3)) if names else ()
        names.append(draw(st.sampled_from([f"{number}.1", f"T{number:03}", f"K-{number}"])))
        lead = f"Task {names[-1]}:" if "." in names[-1] else names[-1]
        tag = f" [depends:{', '.join(sorted(needs))}]" if needs else ""
        lines.append(
            f"- [{draw(MARKS)}] {lead} title {number}{draw(st.sampled_from(['', ' [P]', ' [parallel:A]']))}{tag}"
        )
        lines += ["  - **Acceptance**: it works"] * draw(st.integers(0, 1))
        lines += [f"  - [{draw(MARKS)}] step"] * draw(st.integers(0, 2))
    return "\n".join(lines) + "\n"


@calm
@given(plans())
def test_any_plan_comes_round_through_its_json(text):
    plan = parse(text)
    again = parse(imported("", json.dumps(show(plan))).text)

    def told(plan):
        return [
            (task.id, task.title, task.status, task.depends_on, task.group, task.phase, task.parent, task.acceptance)
            for task in plan.tasks
        ]

    assert told(again) == told(plan)


NEEDS = st.lists(st.sets(st.integers(0, 11), max_size=4), min_size=12, max_size=12)


@calm
@given(NEEDS, st.integers(0, 3))
def test_circles_are_broken_told_and_nothing_else_is_dropped(needs, steps):
    tasks = [
        {
            "id": n,
            "title": f"t{n}",
            "dependencies": sorted(each),
            "subtasks": [
                {"id": s + 1, "title": f"s{s}", "dependencies": [n] if n % 3 == 0 else []} for s in range(steps)
            ],
        }
        for n, each in enumerate(needs)
    ]
    found = imported("task-master", json.dumps({"tasks": tasks}))
    plan = parse(found.text)
    assert not errors(plan)
    acyclic = all(max(each, default=-1) < n for n, each in enumerate(needs)) and not steps
    if acyclic:
        assert found.problems == ()
        assert [set(task.depends_on) for task in plan.tasks] == [{str(n) for n in each} for each in needs]
    if any(n in each for n, each in enumerate(needs)):
        assert any("waits for itself" in problem.message for problem in found.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{" * 200_000, "This"),
        ('{"userStories": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"userStories": [{"id": 1' + "0" * 5000 + "}]}", "number that is too long"),
        ('{"userStories": [}', "This is no JSON"),
        ("", "This is no JSON"),
        ("null", "no object"),
        ('{"userStories": {"a": 1}}', "Not a list but an object"),
        ('{"userStories": [1, "x", null]}', "Not an object but a number"),
        ('{"userStories": [{"title": "a", "id": "X-1"}, {"title": "b", "id": "x-1"}]}', "is used before"),
        ('{"userStories": [{"id": "X-1", "title": "a", "id": "X-2"}]}', "more than once"),
        ('{"userStories": [{"id": "X-1", "title": "a", "passes": "yes"}]}', "Neither true nor false"),
        ('{"userStories": [{"id": "X-1", "title": "a", "fileScope": ["../../etc/passwd"]}]}', "no path inside"),
        ('{"userStories": [{"id": "X-1", "title": "a", "suggestedModel": "x] [depends:1"}]}', "no name of a model"),
        ('{"userStories": [{"id": "X-1", "title": "a", "dependencies": ["X-9"]}]}', "There is no 'X-9'"),
        ('{"userStories": [{"id": "X-1", "title": "a", "status": "hm"}]}', "no status 'hm'"),
        ('{"userStories": [{"id": "X-1"}]}', "no title"),
    ],
)
def test_malformed_json_is_told_with_its_place_and_still_a_plan(text, said):
    found = imported("prd", text)
    assert any(said in problem.message for problem in found.problems), found.problems
    plan = parse(found.text)
    assert plan.name and not errors(plan)
    if '"X-1"' in text:
        assert found.tasks and any(problem.path or "once" in problem.message for problem in found.problems)
    if said == "This is no JSON":
        assert all(problem.line for problem in found.problems if said in problem.message)


def test_a_word_that_stands_for_more_than_a_list_is_not_taken_for_one():
    assert detect("package.json", '{"name": "x", "dependencies": {"a": "1"}}') == ""
    assert detect("x.json", "[1, 2]") == "" and detect("x.json", "{") == ""
    found = imported("", '{"name": "x"}', source="package.json")
    assert found.tasks == 0 and found.problems


def test_a_list_with_thousands_of_tasks_and_needs_is_read_in_seconds():
    tasks = [{"id": n, "title": f"Task {n}", "dependencies": [n - 1] if n else []} for n in range(2000)]
    began = time.monotonic()
    found = imported("task-master", json.dumps({"tasks": tasks}))
    assert found.problems == () and found.tasks == 2000
    ring = [{"id": n, "title": "x", "dependencies": [(n + 1) % 2000, (n + 2) % 2000]} for n in range(2000)]
    found = imported("task-master", json.dumps({"tasks": ring}))
    assert found.tasks == 2000 and not errors(parse(found.text))
    assert len(found.problems) == MAX_TOLD + 1 and "nothing was said" in found.problems[-1].message
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("lead", ["T{:04} [P]", "{}."])
def test_a_list_in_markdown_that_is_too_long_to_convert_stays_as_it_is(lead):
    text = "# Tasks: x\n\n## Setup\n\n" + "".join(f"- [ ] {lead.format(n)} do {n}\n" for n in range(1, 2102))
    found = imported("spec-kit", text)
    assert found.tasks == 2101 and "are not converted" in found.problems[0].message
    assert not errors(parse(found.text))
