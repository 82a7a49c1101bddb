"""What a planner hands in becomes a plan, or a change of one: hostile words are made harmless, history stays."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devloop.plan import TaskRef, apply, parse
from devloop.plan.proposing import applied, new_plan, patch, revised
from devloop.plan.proposing.wanted import KINDS, phase_name
from support.turns import often

calm = settings(
    max_examples=often(100), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
NOW = datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001 - as a person's clock shows it
MARK = "Plan changed (run-plan-1)"
HOSTILE = (
    *("# Phase 9: x", "[depends:1.1]", "a [parallel:A] b", "- [x] done", "[x] done", "(P)", "ends (P)", "**bold**"),
    *("`code", "```", "~~~", "<!-- open", "<details>", "> quote", "1. one", "Task 7.7: other", "T009 x", "---", "==="),
    *("text {#anchor}", "a\n\n## Phase 3: b\n- [ ] Task 3.1: c", "a\r- [ ] b", "a\u2028- [ ] b", "\ud800 half"),
    *("\x00\x1b[31m", "| a | b |", "**Status**: Complete | **Updated**: never", "\\", "[a](b)", "  ", "完了", "DONE"),
    *("x" * 5000, "[" * 300, "Phase 2", "1.2", "Phase 4: Phase 5: Name ✅", "[agent:engineer]", "`Depends: 1.2`"),
)
PLAN = """# Plan: Demo

**Status**: Complete
**Updated**: 2026-01-01 10:00

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
  - Acceptance: it works
- [~] Task 1.3: In hand [agent:task-planner]
- [-] Task 1.4: Left out

## Phase 2: End

- [ ] Task 2.1: Ship [depends:1.2] [parallel:A]
- [ ] Task 2.2: Tell [depends:Phase 1]
  - [ ] a step

## Progress Log

- 2026-01-01 10:00: Plan created
"""
FORMS = (
    PLAN,
    PLAN.replace("\n", "\r\n"),
    "",
    "- [ ] plain\n- [x] other\n",
    "# Plan\n\n- [ ] T001 one\n- [x] T002 two [depends:T001]\n",
    "# P\n\n## Phase A: x\n\n- [ ] **1.1** one\n\n- [ ] **1.2** two\n\n### Notes\n\ntext\n",
    "# P\n\n## Phase 1: x\n\n- [ ] Task 1.1: one\n\n```\nnever closed\n",
    "# Tasks\n\n- [ ] 1. major\n  - [ ] 1.1 part\n  - [x] 1.2 part\n",
    "## Phase 1\n## Phase 2\n## Progress Log",
)

words = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
task = st.fixed_dictionaries(
    {"title": words},
    optional={
        "acceptance": st.lists(words, max_size=3),
        "files": st.lists(st.one_of(words, st.sampled_from(["a.py", "b/c.py (new)", "../x", "/etc/x"])), max_size=3),
        "depends": st.lists(words, max_size=3),
        "group": st.sampled_from(["A", "B", "none", "a b", "[x]"]),
    },
)
phase = st.fixed_dictionaries(
    {"name": words, "tasks": st.lists(task, min_size=1, max_size=4)}, optional={"goal": words}
)
change = st.fixed_dictionaries(
    {"what": st.sampled_from(KINDS)},
    optional={
        "task": st.sampled_from(["1.1", "1.2", "1.3", "2.1", "2.2", "T001", "plain", "9.9", ""]) | words,
        "title": words,
        "phase": st.sampled_from(["1", "Phase 2", "A", "New"]) | words,
        "after": st.sampled_from(["1.2", "2.1", "T001", "9.9"]),
        "depends": st.lists(st.sampled_from(["1.1", "2.1", "Phase 1", "Ship"]) | words, max_size=3),
        "by": st.lists(st.sampled_from(["2.1", "Ship"]) | words, max_size=2),
        "acceptance": st.lists(words, max_size=2),
        "files": st.lists(st.sampled_from(["a.py", "/x", "b.py (new)"]), max_size=2),
        "group": st.sampled_from(["A", "Z", ""]),
        "why": words,
    },
)
drafts = st.fixed_dictionaries(
    {"title": words, "phases": st.lists(phase, max_size=4)},
    optional={"goal": words, "summary": words, "changes": st.lists(change, max_size=5)},
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


def errors(plan):
    return [problem.message for problem in plan.problems if problem.severity == "error"]


# A new plan


@calm
@given(drafts)
def test_any_draft_is_a_plan_with_the_tasks_that_were_asked_for_and_without_errors(data):
    made = new_plan(data, now="2026-01-31 12:30")
    plan = parse(made.text)
    wanted = [each for part in data["phases"] for each in part["tasks"]]
    added = sum(each["what"] == "add" for each in data.get("changes", ()))
    assert len(plan.tasks) == made.tasks == len(wanted) + added
    assert not [problem for problem in plan.problems if problem.severity in ("error", "warning")], made.text
    assert all(each.status == "pending" and each.explicit and each.agent is None for each in plan.tasks)
    assert plan.status == "planning" or not made.tasks
    assert [line.text for line in plan.log] == ["Plan created"]


@calm
@given(json_values)
def test_any_json_at_all_makes_a_plan_and_a_change(data):
    parse(new_plan(data).text)
    plan = parse(PLAN)
    assert apply(plan.data, revised(plan, data, mark=MARK, now=NOW).edits)


def test_titles_become_ids_and_everything_stands_where_it_belongs():
    data = {
        "title": "Login",
        "goal": "Let people in",
        "phases": [
            {"name": "Core", "tasks": [{"title": "Model", "files": ["a.py (new)"], "group": "A"}, {"title": "View"}]},
            {"name": "Phase 7: Rest", "goal": "all", "tasks": [{"title": "Ship", "depends": ["model", "Core"]}]},
        ],
    }
    data["phases"][0]["tasks"][1] |= {"group": "A", "acceptance": ["it opens", "it shuts"]}
    assert new_plan(data, now="2026-01-31 12:30").text == (
        "# Plan: Login\n\n**Created**: 2026-01-31\n**Status**: Planning\n**Goal**: Let people in\n\n"
        "## Phase 1: Core\n\n- [ ] Task 1.1: Model [parallel:A]\n  - **Files**: `a.py` (new)\n"
        "- [ ] Task 1.2: View [parallel:A]\n  - **Acceptance**:\n    - it opens\n    - it shuts\n\n"
        "## Phase 2: Rest\n\n**Goal**: all\n\n- [ ] Task 2.1: Ship [depends:1.1, 1.2]\n\n"
        "## Progress Log\n\n- 2026-01-31 12:30: Plan created\n"
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [("Phase 1: Phase 2: Core", "Core"), (" phase 3b - Core", "Core"), ("After phase 1: rest", "After phase 1: rest")],
)
def test_every_number_that_the_name_of_a_phase_begins_with_is_taken_away(said, name):
    assert phase_name(said) == name


def test_what_can_not_be_taken_is_said():
    tasks = [
        {"title": "One", "depends": ["Two", "nowhere"], "files": ["x.py"], "group": "A"},
        {"title": "Two", "depends": ["One"], "files": ["x.py", "/etc/passwd"], "group": "A"},
    ]
    made = new_plan({"title": "P", "phases": [{"name": "A", "tasks": tasks}], "changes": [{"what": "reword"}]})
    told = " · ".join(made.notes)
    for part in ("“nowhere”, which is no other task", "/etc/passwd can't be", "wait for each other", "in no group"):
        assert part in told
    assert "nothing to reword task" in told and not errors(parse(made.text))


# A change of a plan


@calm
@given(st.sampled_from(FORMS), drafts)
def test_no_result_breaks_a_plan_touches_what_is_done_or_loses_a_task(text, data):
    plan = parse(text.encode())
    change = revised(plan, data, mark=MARK, now=NOW)
    after = parse(apply(plan.data, change.edits))
    assert after.text == change.text
    assert len(errors(after)) <= len(errors(plan))
    kept = [(each.id, each.title, each.marker) for each in after.tasks]
    for each in plan.tasks:
        if each.done:
            assert (each.id, each.title, each.marker) in kept
            assert plan.document.line(each.line - 1).strip() in after.text
        elif each.explicit:
            assert each.id in [other.id for other in after.tasks]
    if change.edits:
        assert applied(after, MARK) and change.said
        again = revised(after, data, mark=MARK, now=NOW)
        assert again.edits == () and again.said
    else:
        assert after.text == plan.text


def test_a_change_of_every_kind_is_made_and_history_stays_readable():
    data = {
        "phases": [{"name": "Build", "tasks": [{"title": "Parser"}, {"title": "Join", "depends": ["Parser", "1.1"]}]}],
        "changes": [
            {"what": "add", "title": "Second, better", "phase": "Begin", "after": "1.2", "depends": ["1.1"]},
            {"what": "supersede", "task": "1.2", "by": ["Second, better"], "why": "too much"},
            {"what": "reword", "task": "2.1", "title": "Ship [x] it", "acceptance": ["a", "b"], "files": ["x.py"]},
            {"what": "depend", "task": "2.1", "depends": ["Join", "Phase 1"]},
            {"what": "move", "task": "2.1", "phase": "Phase 2"},
            {"what": "parallel", "task": "2.2", "group": "B"},
        ],
    }
    plan = parse(PLAN)
    change = revised(plan, data, mark=MARK, now=NOW)
    after = parse(change.text)
    tasks = {each.id: each for each in after.tasks}
    assert (tasks["1.2"].marker, tasks["1.2"].title) == ("-", "Second thing")
    assert tasks["1.2"].notes == "Superseded by Task 1.5: too much"
    assert tasks["1.5"].title == "Second, better" and tasks["1.5"].depends_on == ("1.1",)
    assert (tasks["2.1"].title, tasks["2.1"].acceptance, tasks["2.1"].group) == ("Ship [x] it", ("a", "b"), "A")
    assert set(tasks["2.1"].depends_on) >= {"3.2", "1.5"} and tasks["3.2"].depends_on == ("3.1", "1.1")
    assert tasks["2.2"].group == "B" and [each.id for each in after.phases] == ["1", "2", "3"]
    assert change.said == (
        "1 phase and 3 tasks added, 1 task reworded, 1 task superseded, 1 task moved, 1 task given other dependencies, "
        "1 task put into a group"
    )
    assert after.status == "in_progress" and after.field("Updated").value == "2026-01-31 12:30"
    assert after.log[-1].text == f"{MARK}: {change.said}" and change.left_out == ()
    assert not errors(after)


def test_phases_of_a_task_come_behind_its_own():
    data = {"phases": [{"name": "Next", "tasks": [{"title": "A"}]}], "changes": [{"what": "add", "title": "B"}]}
    change = revised(parse(PLAN), data, mark=MARK, now=NOW, beside=TaskRef("1.3", title="In hand"))
    after = parse(change.text)
    assert [(each.id, each.phase) for each in after.top_level if each.line][4:6] == [("1.5", "1"), ("3.1", "3")]
    assert [each.id for each in after.phases] == ["1", "3", "2"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"what": "reword", "task": "1.1", "title": "x"}, "Task 1.1 is done"),
        ({"what": "supersede", "task": "1.4"}, "Task 1.4 is skipped"),
        ({"what": "supersede", "task": "1.3"}, "Task 1.3 is in hand"),
        ({"what": "reword", "task": "9.9", "title": "x"}, "There is no task '9.9'"),
        ({"what": "depend", "task": "1.2", "depends": ["2.1"]}, "wait for each other"),
        ({"what": "move", "task": "2.1"}, "where to"),
        ({"what": "move", "task": "2.1", "phase": "2 or so"}, "no phase"),
        ({"what": "parallel", "task": "1.2", "group": "a b"}, "no group"),
        ({"what": "reword", "task": "1.2"}, "nothing new"),
        ({"what": "depend", "task": "2.1", "depends": ["nowhere"]}, "nothing that it was to wait for"),
    ],
)
def test_a_change_that_does_not_fit_is_named_and_the_rest_is_made(change, why):
    good = {"what": "add", "title": "Another", "phase": "2"}
    made = revised(parse(PLAN), {"changes": [change, good]}, mark=MARK, now=NOW)
    assert made.said == "1 task added" and len(made.left_out) == 1
    assert why in made.left_out[0]
    alone = revised(parse(PLAN), {"changes": [change]}, mark=MARK, now=NOW)
    assert alone.edits == () and alone.text == PLAN and not alone.said


def test_only_its_own_mark_says_that_a_change_is_made():
    plan = parse(PLAN + f"- 2026-01-31 12:30: {MARK}: 1 task added\n")
    assert applied(plan, MARK)
    assert not applied(plan, "Plan changed (run-plan-11)") and not applied(plan, "Plan changed (run-plan")
    assert not applied(parse(PLAN + f"\n{MARK}: x\n"), MARK)


def test_a_diff_shows_what_changes_and_nothing_where_nothing_does():
    plan = parse(PLAN)
    change = revised(plan, {"changes": [{"what": "reword", "task": "2.2", "title": "Say"}]}, mark=MARK, now=NOW)
    shown = patch(plan.text, change.text, ".devloop/plan.md")
    assert "-- [ ] Task 2.2: Tell [depends:Phase 1]\n+- [ ] Task 2.2: Say [depends:Phase 1]" in shown
    assert shown.startswith("--- a/.devloop/plan.md\n+++ b/.devloop/plan.md\n") and patch("a", "a", "p") == ""


def test_a_large_plan_is_changed_in_a_moment():
    lines = [f"- [ ] Task 1.{n}: Do thing {n} [depends:1.{n - 1}]" for n in range(2, 1000)]
    plan = parse("# P\n\n## Phase 1: A\n\n- [x] Task 1.1: one\n" + "\n".join(lines) + "\n")
    data = {"changes": [{"what": "supersede", "task": "1.500", "by": ["New"]}, {"what": "add", "title": "New"}]}
    begin = time.perf_counter()
    assert revised(plan, data, mark=MARK, now=NOW).said == "1 task added, 1 task superseded"
    assert time.perf_counter() - begin < 3
