"""From a name to the thing and back, and giving a task another id everywhere it is named."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devloop.errors import NotFound, UsageError
from devloop.plan import (
    Phase,
    Plan,
    Span,
    Task,
    apply_to,
    definition,
    find_task,
    named_at,
    parse,
    references,
    renamable,
    rename,
    span_at,
)
from support.turns import often

TEXT = """# Plan: P
**Current Phase**: Phase 2

## Phase 1: A
- Group A: Tasks 1.1, 1.2-1.3 (why)

- [ ] Task 1.1: one [parallel:B]
- [ ] Task 1.2: two [depends:1.1]
- [ ] Task 1.3: three [depends:1.1-1.2, Phase 2]
  - Depends: `1.1` and 1.2
- [ ] no id [depends:p1.1]

## Phase 2: B
**Dependencies**: Phase 1, 1.2

- [ ] Task 2.1: last `[depends:1.1]` of 1.1

## Progress Log
- 2025-01-01: Completed Task 1.1 - as 1.1
- Started Task "no id"
- Phase 1 complete
"""


def at(plan: Plan, line: int, word: str, nth: int = 0) -> tuple[int, int]:
    text, column = plan.document.line(line - 1), -1
    for _ in range(nth + 1):
        column = text.index(word, column + 1)
    return line, column


def words(plan: Plan, found: tuple[Span, ...]) -> list[tuple[int, str]]:
    return [(span.line, plan.document.line(span.line - 1)[span.start : span.end]) for span in found]


def renamed(text: str, ref: str, new_id: str, **options: frozenset[str]) -> str:
    plan = parse(text, **options)
    return apply_to(plan.document, rename(plan, find_task(plan, ref), new_id)).text


def test_all_places_that_name_a_task_are_its_references() -> None:
    plan = parse(TEXT)
    found = references(plan, find_task(plan, "1.1"))
    assert [(span.line, span.kind) for span in found] == [
        (5, "task-reference"),
        (8, "dependency"),
        (9, "dependency"),
        (10, "dependency"),
        (19, "log-task"),
    ]
    assert {word for _, word in words(plan, found)} == {"1.1"}
    assert words(plan, references(plan, find_task(plan, "1.3"))) == [(5, "1.3")]


def test_a_task_without_id_is_named_by_its_synthetic_id_and_in_the_log_by_its_title() -> None:
    plan = parse(TEXT)
    assert words(plan, references(plan, find_task(plan, "p1.1"))) == [(11, "p1.1"), (20, '"no id"')]
    assert [thing.line for thing in named_at(plan, *at(plan, 20, "no id"))] == [11]


def test_all_places_that_name_a_phase_are_its_references() -> None:
    plan = parse(TEXT)
    assert words(plan, references(plan, plan.phases[0])) == [(14, "1"), (21, "1")]
    assert words(plan, references(plan, plan.phases[1])) == [(2, "2"), (9, "2")]


@pytest.mark.parametrize(
    ("line", "word", "lines"),
    [
        (8, "1.1", [7]),
        (9, "1.1-1.2", [7, 8]),
        (9, "Phase 2", [13]),
        (14, "Phase 1", [4]),
        (2, "Phase 2", [13]),
        (11, "p1.1", [11]),
        (19, "1.1", [7]),
        (4, "A", [4]),
        (8, "1.2", [8]),
        (8, "depends", []),
        (16, "[depends", []),
    ],
)
def test_a_name_leads_to_its_definition(line: int, word: str, lines: list[int]) -> None:
    plan = parse(TEXT)
    span = span_at(plan, *at(plan, line, word))
    assert span is not None
    assert [found.line for found in definition(plan, span)] == lines


def test_an_end_of_a_range_leads_to_that_task_alone() -> None:
    plan = parse(TEXT)
    line, column = at(plan, 9, "1.2")
    span = span_at(plan, line, column)
    assert span is not None
    assert [found.line for found in definition(plan, span, column)] == [8]
    assert [thing.line for thing in named_at(plan, line, column)] == [8]


def test_renaming_changes_every_reference_and_leaves_the_log() -> None:
    text = renamed(TEXT, "1.1", "1.9")
    assert text == (
        TEXT.replace("Tasks 1.1", "Tasks 1.9")
        .replace("Task 1.1: one", "Task 1.9: one")
        .replace("two [depends:1.1]", "two [depends:1.9]")
        .replace("1.1-1.2, Phase", "1.9-1.2, Phase")
        .replace("`1.1` and", "`1.9` and")
    )


def test_a_range_that_would_cover_something_else_becomes_a_list() -> None:
    text = "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] Task 1.3: c\n- [ ] Task 2.1: d [depends:1.1-1.3]\n"
    assert "[depends:1.1, 7, 1.3]" in renamed(text, "1.2", "7")
    assert "[depends:1.1, 1.2, 1.3.1]" in renamed(text, "1.3", "1.3.1")
    assert "[depends:1.1-5.5]" in renamed(text, "1.3", "5.5")
    assert "[depends:1.1, 1.2, 1.3]" in renamed(text.replace("Task 1.2", "Task 1.2.1"), "1.2.1", "1.2") or (
        "[depends:1.1, 1.3]" in renamed(text.replace("Task 1.2", "Task 1.2.1"), "1.2.1", "1.2")
    )


def test_one_of_two_tasks_with_the_same_id_can_be_told_apart() -> None:
    text = "- [ ] Task 1.1: a\n- [ ] Task 1.1: b\n- [ ] Task 1.2: c [depends:1.1]\n"
    assert renamed(text, "line:2", "1.3").endswith(
        "Task 1.1: a\n- [ ] Task 1.3: b\n- [ ] Task 1.2: c [depends:1.1, 1.3]\n"
    )


@pytest.mark.parametrize(
    ("new_id", "line"),
    [
        ("2.1", "- [ ] Task 2.1: write it [P]"),
        ("T001", "- [ ] T001 write it [P]"),
        ("P0-1", "- [ ] P0-1: write it [P]"),
        ("PR-1-2", "- [ ] [PR-1-2] write it [P]"),
        ("login", "- [ ] write it [P] {#login}"),
    ],
)
def test_a_task_without_id_gets_one(new_id: str, line: str) -> None:
    text = renamed("- [ ] write it [P]\n- [ ] other [depends:s1]\n", "s1", new_id)
    assert text == f"{line}\n- [ ] other [depends:{new_id}]\n".replace("- [ ] other", "- [ ] other")


@pytest.mark.parametrize(
    ("text", "ref", "new_id"),
    [
        (TEXT, "1.1", "1.2"),  # taken
        (TEXT, "1.1", "login"),  # Task takes numbers only
        (TEXT, "1.1", "1.1 x"),
        (TEXT, "1.1", "1.1\n- [ ] Task 9: x"),
        (TEXT, "1.1", ""),
        ("- [ ] T001 a\n", "T001", "x"),
        ("- [ ] **Step 3: a**\n", "step-3", "4"),
        ("- [ ] 1.1 a\n", "1.1", "2"),  # `2 a` has no id
        ("- [ ] Task 1.1: a\n- [ ] Task 1.2: b [depends:1.3]\n", "1.1", "1.3"),  # would be captured
        ("- [ ]\n", "s1", "1.1"),
        ("- [ ] a\n- [ ] b\n- [ ] c [depends:s2]\n", "s1", "s2"),
    ],
)
def test_a_rename_that_would_break_something_is_refused(text: str, ref: str, new_id: str) -> None:
    with pytest.raises(UsageError) as caught:
        renamed(text, ref, new_id)
    assert caught.value.message
    assert "\n" not in caught.value.message


def test_ids_of_archived_phases_are_not_given_again() -> None:
    with pytest.raises(UsageError, match="archived"):
        renamed(TEXT, "1.1", "0.1", archived_ids=frozenset(("0.1",)))
    with pytest.raises(UsageError, match="archived"):
        renamed(TEXT, "1.1", "0.2", archived_ids=frozenset(("1.1",)))


def test_a_task_of_another_plan_is_not_found() -> None:
    with pytest.raises(NotFound):
        rename(parse("- [ ] a\n"), find_task(parse(TEXT), "1.1"), "2.2")


def test_what_can_be_renamed_at_a_place() -> None:
    plan = parse(TEXT)

    def offered(line: int, word: str, nth: int = 0) -> tuple[str, int] | None:
        found = renamable(plan, *at(plan, line, word, nth))
        return found and (found.placeholder, found.line)

    assert offered(7, "1.1") == ("1.1", 7)
    assert offered(9, "1.2") == ("1.2", 8)
    assert offered(11, "no id") == ("1.4", 11)
    assert offered(7, "one") is None
    assert offered(9, "Phase 2") is None
    assert offered(19, "1.1") is None
    assert offered(5, "1.3") == ("1.3", 9)


FORMS = ["Task {}: ", "**Task {}**: ", "**{}** ", "{}. ", "T00{} ", "KEY-{}: "]


@st.composite
def plans(draw: st.DrawFn) -> tuple[str, list[str]]:
    count = draw(st.integers(2, 7))
    ids, leads = [], []
    for number in range(1, count + 1):
        form = draw(st.sampled_from(FORMS[:3] * 3 + [*FORMS, "", "{#a}"]))
        if form == "":
            ids.append(f"p1.{sum(lead == '' for lead in leads) + 1}")
        elif form == "{#a}":
            ids.append(f"word{number}")
        elif form.startswith("T00"):
            ids.append(f"T00{number}")
        elif form.startswith("KEY"):
            ids.append(f"KEY-{number}")
        else:
            ids.append(f"1.{number}")
        leads.append(form.format(ids[-1].removeprefix("T00").removeprefix("KEY-")) if form != "{#a}" else form)
    name = st.sampled_from([*ids, "9.9", "Phase 1"])
    token = st.one_of(name, st.tuples(st.sampled_from(ids), st.sampled_from("-–"), st.sampled_from(ids)).map("".join))
    lines = ["## Phase 1: A", "- Group X: Tasks " + ", ".join(draw(st.lists(token, max_size=2))), ""]
    for number, (lead, name_) in enumerate(zip(leads, ids, strict=True)):
        anchor = f" {{#{name_}}}" if lead == "{#a}" else ""
        tags = ", ".join(draw(st.lists(token, max_size=2)))
        lines.append(f"- [ ] {'' if anchor else lead}title {number}{anchor}" + (f" [depends:{tags}]" if tags else ""))
        if draw(st.integers(0, 3)) == 0:
            lines.append("  - Depends: " + " and ".join(draw(st.lists(token, min_size=1, max_size=2))))
    lines += ["", "## Progress Log", f"- Completed Task {ids[0]} - done", ""]
    return "\n".join(lines), ids


def edges(plan: Plan) -> list[tuple[set[int], set[str]]]:
    return [
        ({at for need in needs for at in need.members}, {id_ for need in needs if need.unknown for id_ in need.ids})
        for needs in plan.graph.needs
    ]


@settings(max_examples=often(150), deadline=None)
@given(plans(), st.integers(0, 6), st.sampled_from(["7.7", "1.1", "1.5.2", "T900", "ZED-9", "word", "3", "1-2", "1.2"]))
def test_after_a_rename_the_graph_is_the_same(drawn: tuple[str, list[str]], which: int, new_id: str) -> None:
    text, ids = drawn
    plan = parse(text)
    assume(which < len(ids))
    task = plan.tasks[which]
    try:
        changed = parse(apply_to(plan.document, rename(plan, task, new_id)))
    except UsageError:
        return
    assert edges(changed) == edges(plan)
    assert changed.tasks[which].id == new_id
    assert [other.title for other in changed.tasks] == [other.title for other in plan.tasks]
    assert [other.group for other in changed.tasks] == [other.group for other in plan.tasks]
    assert [other.id for other in changed.tasks if other.explicit and other.line != task.line] == [
        other.id for other in plan.tasks if other.explicit and other.line != task.line
    ]
    assert changed.log == plan.log
    if task.explicit:
        back = parse(apply_to(changed.document, rename(changed, changed.tasks[which], task.id)))
        assert edges(back) == edges(plan)


def test_things_are_tasks_or_phases() -> None:
    plan = parse(TEXT)
    assert isinstance(named_at(plan, *at(plan, 8, "1.1"))[0], Task)
    assert isinstance(named_at(plan, *at(plan, 9, "Phase 2"))[0], Phase)
    assert named_at(plan, 3, 0) == ()
