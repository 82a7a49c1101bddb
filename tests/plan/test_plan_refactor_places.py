"""Moving a task to a place, saying what it waits for, ticking by hand: byte for byte, and nothing else changes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devloop.errors import DevloopError, NotFound, Refused, StaleEdit, UsageError
from devloop.plan import apply, find_phase, find_task, parse
from devloop.plan.lines import split
from devloop.plan.refactor import complete, depend, mark, marked, place
from support.turns import often

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []
PLAN = """# P

## Phase 1: A

- [ ] Task 1.1: one
  - **Notes**: n

    more
  - [ ] step
- [ ] Task 1.2: two [depends:1.1]
- [x] Task 1.3: three [agent:x]
  - Depends: 1.1 and 1.2

## Phase 2: B

Text.

- [ ] Task 2.1: four

- [ ] Task 2.2: five [depends: 1.1-1.3, Phase 3]

## Phase 3: C

Only prose.

## Notes

The end.
"""


def moved(text, task, **where):
    plan = parse(text)
    found = {
        name: find_phase(plan, value) if name == "phase" else find_task(plan, value) for name, value in where.items()
    }
    return apply(plan.data, place(plan, find_task(plan, task), **found)).decode("utf-8", "surrogateescape")


def waiting(text, task, *on):
    plan = parse(text)
    return apply(plan.data, depend(plan, find_task(plan, task), on)).decode("utf-8", "surrogateescape")


def ids(text):
    return [(task.id, task.phase) for task in parse(text).tasks if task.explicit]


# Places


def test_a_task_goes_before_another_with_all_that_is_its():
    text = PLAN.replace(" 1.1-1.3,", "")
    after = moved(text, "1.1", before="2.1")
    block = "- [ ] Task 1.1: one\n  - **Notes**: n\n\n    more\n  - [ ] step\n"
    assert after == text.replace(block, "").replace("- [ ] Task 2.1", f"{block}\n- [ ] Task 2.1")
    assert ids(after) == [("1.2", "1"), ("1.3", "1"), ("1.1", "2"), ("2.1", "2"), ("2.2", "2")]


def test_a_task_goes_after_another():
    after = moved(PLAN, "1.1", after="1.2")
    assert after.index("Task 1.2") < after.index("Task 1.1") < after.index("- [ ] step") < after.index("Task 1.3")
    assert find_task(parse(after), "2.2").depends_on == ("1.2", "1.1", "1.3")


def test_a_task_goes_to_the_end_of_a_phase_and_keeps_its_id():
    after = moved(PLAN, "2.1", phase="1")
    assert after == PLAN.replace("- [ ] Task 2.1: four\n\n", "").replace(
        "  - Depends: 1.1 and 1.2\n", "  - Depends: 1.1 and 1.2\n- [ ] Task 2.1: four\n"
    )
    after = moved(PLAN, "2.1", phase="3")
    assert after == PLAN.replace("- [ ] Task 2.1: four\n\n", "").replace(
        "Only prose.\n", "Only prose.\n\n- [ ] Task 2.1: four\n"
    )


def test_where_tasks_have_empty_lines_between_them_it_gets_one():
    text = "## Phase 1: A\n\n- [ ] a\n- [ ] b\n\n## Phase 2: B\n\n- [ ] c\n\n- [ ] d\n"
    assert (
        moved(text, "b", before="d") == "## Phase 1: A\n\n- [ ] a\n\n## Phase 2: B\n\n- [ ] c\n\n- [ ] b\n\n- [ ] d\n"
    )
    assert moved(text, "c", before="b") == "## Phase 1: A\n\n- [ ] a\n- [ ] c\n- [ ] b\n\n## Phase 2: B\n\n- [ ] d\n"


@pytest.mark.parametrize(
    ("task", "where"),
    [
        ("1.1", {"before": "1.2"}),
        ("1.2", {"after": "1.1"}),
        ("1.3", {"phase": "1"}),
        ("2.2", {"phase": "Phase 2"}),
    ],
)
def test_a_task_that_stands_there_already_changes_nothing(task, where):
    assert moved(PLAN, task, **where) == PLAN


@pytest.mark.parametrize(
    ("task", "where", "message"),
    [
        ("1.1", {"before": "1.1"}, "beside itself"),
        ("1.1", {"after": "step"}, "is part of Task 1.1"),
        ("1.2", {"after": "step"}, "belongs to task 1.1"),
        ("step", {"after": "1.2"}, "belongs to task 1.1: move that one"),
        ("step", {"phase": "2"}, "belongs to task 1.1: move that one"),
        ("1.1", {}, "Say where to"),
        ("1.1", {"before": "1.2", "phase": "2"}, "Say where to"),
    ],
)
def test_places_that_are_none(task, where, message):
    with pytest.raises(UsageError, match=message):
        moved(PLAN, task, **where)


def test_steps_change_places_within_their_task():
    text = "- [ ] T1 a\n  - [ ] x\n    - more\n  - [ ] y\n- [ ] T2 b\n"
    assert moved(text, "y", before="x") == "- [ ] T1 a\n  - [ ] y\n  - [ ] x\n    - more\n- [ ] T2 b\n"


def test_a_move_after_which_tasks_would_wait_for_each_other_is_refused():
    text = "## Phase 1\n\n- [ ] Task 1.1: a\n\n## Phase 2\n\n**Dependencies**: Phase 1\n\n- [ ] Task 2.1: b\n\n"
    text += "## Phase 3\n\n- [ ] Task 3.1: c [depends:2.1]\n"
    with pytest.raises(UsageError, match="wait for each other"):
        moved(text, "3.1", phase="1")


def test_references_to_a_place_that_would_name_another_task_are_refused():
    text = "- [ ] a\n- [ ] b\n- [ ] c [depends:s1]\n"
    with pytest.raises(UsageError, match=r"would not stay|more than it should"):
        moved(text, "a", after="b")


def test_twins_are_not_moved():
    text = "- [ ] same\n- [ ] other\n- [ ] same\n"
    plan = parse(text)
    with pytest.raises(UsageError, match="several tasks like"):
        place(plan, plan.tasks[0], after=plan.tasks[1])


def test_a_task_that_is_gone_is_stale():
    plan = parse(PLAN)
    with pytest.raises(StaleEdit):
        place(parse("- [ ] other\n- [ ] more\n"), plan.tasks[0], before=plan.tasks[2])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_missing_last_one_stay(end):
    text = PLAN.replace("\n", end)
    assert moved(text, "2.1", phase="1") == moved(PLAN, "2.1", phase="1").replace("\n", end)
    assert moved("- [ ] a\n- [ ] b", "b", before="a") == "- [ ] b\n- [ ] a"
    assert moved("- [ ] a\n- [ ] b", "a", after="b") == "- [ ] b\n- [ ] a"


BLOCKS = st.sampled_from(
    [
        "- [ ] {}\n",
        "- [x] {} [agent:x]\n",
        "- [ ] {}\n  - **Notes**: n\n  - [ ] step of {}\n",
        "- [ ] {}\n  text\n\n  ```\n  - [ ] code\n  ```\n",
        "- [~] {}\n\n  more text\n",
        "- [ ] {}\n  - Files: `a.py`\n  - Acceptance: x\n",
    ]
)


@settings(max_examples=often(120), deadline=None)
@given(st.lists(BLOCKS, min_size=2, max_size=7), st.integers(1, 3), st.booleans(), st.data())
def test_moving_there_and_back_gives_the_same_bytes(blocks, phases, loose, data):
    parts = [block.replace("{}", f"Task {n}.1: thing {n}", 1).replace("{}", str(n)) for n, block in enumerate(blocks)]
    between = "\n" if loose else ""
    text = "# P\n\nProse.\n"
    size = -(-len(parts) // phases)
    for at in range(0, len(parts), size):
        text += f"\n## Phase {at + 1}: A\n\nProse of it.\n\n{between.join(parts[at : at + size])}"
    plan = parse(text)
    tasks = [task for task in plan.tasks if task.parent_line is None]
    one, other = data.draw(st.permutations(range(len(tasks))).map(lambda order: order[:2]))
    mates = [task for task in tasks if task.phase_index == tasks[one].phase_index]
    assume(len(mates) > 1)  # where it came from there is somebody to go back to
    at = mates.index(tasks[one])
    back = {"before": mates[at + 1].id} if at + 1 < len(mates) else {"after": mates[at - 1].id}
    where = {data.draw(st.sampled_from(["before", "after"])): tasks[other].id}
    there = moved(text, tasks[one].id, **where)
    assert Counter(line for line in split(there) if line.strip()) == Counter(
        line for line in split(text) if line.strip()
    )
    assert parse(there).tasks[0].title  # it is a plan still
    assert moved(there, tasks[one].id, **back) == text


PARTS = """- [ ] Task 1.1: one|- [ ] Task 1.2: two [depends:1.1]|- [x] Task 1.3: three|- [ ] plain|2. [ ] numbered
- [~] Task 2.1: b [parallel:A]|  - [ ] s|  - [ ] 1.2.1 child|  - Notes: n|  - Depends: 1.1-1.3|    text|- item
## Phase 1: A|## Phase 2: B ✅|### Phase 3|**Dependencies**: Phase 1|**Status**: In Progress|para
## Progress Log|- 2025-01-01 10:00: Completed Task 1.3|## Success Criteria|1. [ ] c|text|||---|```|<!-- x -->|> q|~~~
### Task 4: head|- [ ] T001 [P] x|- [X] T002 [P] y [depends:T001]|    code|\t- [ ] tab|- [ ] d [depends:Phase 1, 2.1]
10. [x] z|- - [ ] two in one|* [ ] star|  - [ ] 1.1.1 kid|<div>|</div>|<!--|-->"""
PLANS = st.lists(
    st.tuples(st.sampled_from(PARTS.replace("\n", "|").split("|")), st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])),
    min_size=2,
    max_size=18,
).map(lambda lines: "".join(text + end for text, end in lines))


def states(plan):
    return Counter((task.title, task.status, task.id if task.explicit else "") for task in plan.tasks)


def untouched(plan, edits):
    """The lines that no edit touches."""
    touched = set()
    for edit in edits:
        last = edit.end_line if edit.end or edit.end_line == edit.start_line else edit.end_line - 1
        if edit.expect:
            touched.update(range(edit.start_line, last + 1))
        elif edit.start or not edit.text.endswith(("\n", "\r")):
            touched.add(edit.start_line)
    return [line for number, line in enumerate(plan.document, 1) if number not in touched]


def judge(plan, edits):
    """The same tasks, phases, criteria, log; lines that are not touched stand in their order."""
    result = apply(plan.data, edits)
    after = parse(result)
    assert states(after) == states(plan)
    assert [phase.name for phase in after.phases] == [phase.name for phase in plan.phases]
    assert [line.text for line in after.log] == [line.text for line in plan.log]
    assert Counter(item.text for item in after.criteria) == Counter(item.text for item in plan.criteria)
    rest = iter(split(result.decode("utf-8", "surrogateescape").removeprefix("\ufeff")))
    assert all(any(line == other for other in rest) for line in untouched(plan, edits))
    return after


def try_all(plan, few):
    done = 0
    tasks = plan.tasks[:few]
    for task in tasks:
        wishes = [{"before": other} for other in tasks] + [{"after": other} for other in tasks]
        for where in [*wishes, *({"phase": phase} for phase in plan.phases[:3])]:
            try:
                edits = place(plan, task, **where)
            except (UsageError, StaleEdit) as problem:
                assert problem.message
                continue
            after = judge(plan, edits)
            done += bool(edits)
            if edits:  # it stands there now
                name = next(iter(where))
                again = find_phase(after, where["phase"].id) if name == "phase" else _again(after, where[name])
                here = _again(after, task)
                unique = len({phase.id for phase in after.phases}) == len(after.phases)
                if again is not None and here is not None and (name != "phase" or unique):
                    assert place(after, here, **{name: again}) == ()
        for on in ([], [tasks[0].id], ["1.1", "2.1"], ["Phase 1"]):
            try:
                edits = depend(plan, task, on)
            except DevloopError as problem:
                assert problem.message
                continue
            judge(plan, edits)
            done += bool(edits)
    return done


def _again(plan, task):
    found = [other for other in plan.tasks if other.key == task.key]
    return found[0] if len(found) == 1 else None


@settings(max_examples=often(150), deadline=None)
@given(PLANS, st.booleans(), st.booleans())
def test_whatever_the_plan_only_the_task_moves(text, cut, bom):
    try_all(parse(("\ufeff" if bom else "") + (text.rstrip("\r\n") if cut else text)), 5)


@pytest.mark.skipif(not FILES, reason="no corpus of plans here")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_real_plans(path):
    plan = parse(path.read_bytes())
    if len(plan.top_level) > 2 and plan.document.count < 400:
        try_all(plan, 2)


# What a task waits for

WAITS = {
    ("1.2", "1.1"): {},
    ("1.2",): {"two [depends:1.1]": "two"},
    ("1.2", "2.1"): {"two [depends:1.1]": "two [depends:2.1]"},
    ("1.2", "2.1", "Task 1.1"): {"two [depends:1.1]": "two [depends:1.1, 2.1]"},
    ("1.1", "Phase 3"): {"1.1: one": "1.1: one [depends:Phase 3]"},
    ("1.3", "1.2"): {"Depends: 1.1 and 1.2": "Depends: 1.2"},
    ("1.3", "1.1", "1.2", "2.1"): {"Depends: 1.1 and 1.2": "Depends: 1.1 and 1.2, 2.1"},
    ("1.3",): {"  - Depends: 1.1 and 1.2\n": ""},
    ("2.2", "1.1", "1.2", "1.3", "Phase 3"): {},
    ("2.2", "1.1", "1.3"): {"[depends: 1.1-1.3, Phase 3]": "[depends: 1.1, 1.3]"},
    ("2.2", "1.1-1.3"): {"[depends: 1.1-1.3, Phase 3]": "[depends: 1.1-1.3]"},
    ("2.2", "phase 3"): {"[depends: 1.1-1.3, Phase 3]": "[depends: Phase 3]"},
    ("2.2", "four"): {"[depends: 1.1-1.3, Phase 3]": "[depends: 2.1]"},
}


@pytest.mark.parametrize("wish", WAITS, ids=[" ".join(wish) for wish in WAITS])
def test_what_a_task_waits_for(wish):
    wanted = PLAN
    for old, new in WAITS[wish].items():
        wanted = wanted.replace(old, new)
    after = waiting(PLAN, *wish)
    assert after == wanted
    assert waiting(after, *wish) == after


def test_a_tag_that_is_empty_goes_with_its_blank():
    text = "- [ ] T1 a\n- [ ] T2 b [depends:T1] [agent:x]\n- [ ] [depends:T1] T3 c\n"
    assert waiting(text, "T2") == text.replace("b [depends:T1] [agent", "b [agent")


def test_an_unknown_reference_that_is_there_may_stay_or_go():
    text = "- [ ] T1 a [depends:T9]\n- [ ] T2 b\n"
    assert waiting(text, "T1", "T9", "T2") == text.replace("T9", "T9, T2")
    assert waiting(text, "T1", "T2") == text.replace("T9", "T2")
    with pytest.raises(NotFound, match="no task 'T8'"):
        waiting(text, "T1", "T8")


def test_a_cycle_is_refused_by_its_name():
    with pytest.raises(Refused, match=r"Then tasks would wait for each other: 1\.1 → 1\.2 → 1\.1"):
        waiting(PLAN, "1.1", "1.2")
    with pytest.raises(Refused, match="can't wait for itself"):
        waiting(PLAN, "1.1", "1.1")
    with pytest.raises(Refused, match=r"wait for each other: 1\.1 → 2\.2 → 1\.1"):
        waiting(PLAN, "1.1", "Phase 2")


def test_one_way_out_of_a_cycle_may_be_taken():
    text = "- [ ] T1 a [depends:T2]\n- [ ] T2 b [depends:T1]\n"
    assert waiting(text, "T1") == text.replace(" [depends:T2]", "")


@pytest.mark.parametrize(
    ("text", "task", "on", "message"),
    [
        ("- [ ] T1 a\n  - [ ] s\n", "s", [], "step of task T1"),
        ("- [ ] a\n- [ ] b\n", "b", ["a"], "no id that others could name"),
        ("- [ ] T1 a\n- [ ] T1 b\n- [ ] T2 c\n", "T2", ["line:1"], "several tasks T1"),
    ],
)
def test_what_nobody_can_name_is_said(text, task, on, message):
    with pytest.raises(UsageError, match=message):
        waiting(text, task, *on)


# Ticking by hand


def test_a_tick_by_hand_says_so():
    plan = parse("# P\n\n**Status**: In Progress\n\n- [ ] Task 1.1: one\n")
    after = parse(apply(plan.data, complete(plan, plan.tasks[0], "", NOW)))
    assert after.tasks[0].status == "complete"
    assert [line.text for line in after.log] == ["Completed Task 1.1 - by hand", "All tasks complete"]
    after = parse(apply(plan.data, complete(plan, plan.tasks[0], "seen\nit work", NOW)))
    assert after.log[0].text == "Completed Task 1.1 - by hand: seen it work"


def test_a_tick_by_hand_needs_an_open_task_without_open_ones():
    plan = parse("- [ ] 1.1 a\n  - [ ] 1.1.1 b\n- [x] 1.2 c\n")
    with pytest.raises(UsageError, match=r"holds tasks that are not done: 1\.1\.1"):
        complete(plan, plan.tasks[0], "", NOW)
    with pytest.raises(UsageError, match="done already"):
        complete(plan, plan.tasks[2], "", NOW)


@pytest.mark.parametrize("to", ["todo", "skip", "block", "done"])
def test_a_mark_made_again_changes_nothing(to):
    text = "# P\n\n**Status**: Review\n\n- [~] Task 1.1: one\n- [ ] Task 1.2: two\n"
    plan = parse(text)
    event = mark(plan, plan.tasks[0], to, "why", NOW)
    after = parse(apply(plan.data, marked(plan, event)))
    assert after.text != text
    assert marked(after, event) == ()
