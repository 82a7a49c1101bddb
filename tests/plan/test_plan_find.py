"""Finding the task a person means."""

from __future__ import annotations

import pytest

from devloop.errors import NotFound, StaleEdit, UsageError
from devloop.plan import TaskRef, find_task, locate, parse

PLAN = parse(
    "# P\n## Phase 1: A\n- [ ] Task 1.1: Add login\n  - Notes: deep\n    and deeper\n\n- [ ] T002 Add logout\n"
    "  - [ ] a step\n- [x] Write docs\n- [ ] Task 2: twice\n- [ ] Task 2: two times\n\ntext\n"
)


@pytest.mark.parametrize(
    ("ref", "line"),
    [
        ("1.1", 3),
        ("Task 1.1", 3),
        ("t002", 7),
        ("line:7", 7),
        ("line 7", 7),
        ("L7", 7),
        ("7:", 7),
        ("L4", 3),
        ("L5", 3),
        ("L8", 8),
        ("Write docs", 9),
        ("write", 9),
        ("add  LOGIN", 3),
        ("2@11", 11),
        ("p1.1", 9),
        (PLAN.tasks[3].key, 9),
        (PLAN.tasks[3].key[:8], 9),
    ],
)
def test_names_of_tasks(ref: str, line: int) -> None:
    assert find_task(PLAN, ref).line == line


@pytest.mark.parametrize("ref", ["2", "add", "task 2"])
def test_ambiguous_names_tell_the_lines(ref: str) -> None:
    with pytest.raises(UsageError) as raised:
        find_task(PLAN, ref)
    assert not isinstance(raised.value, NotFound)
    assert len(raised.value.details["lines"]) == 2
    assert "line:" in raised.value.hint


@pytest.mark.parametrize("ref", ["1.9", "L1", "L99", "nothing like it", "", "2@3", "abcdef0123"])
def test_unknown_names_tell_what_is_near(ref: str) -> None:
    with pytest.raises(NotFound) as raised:
        find_task(PLAN, ref)
    assert raised.value.hint
    if ref == "1.9":
        assert "1.1" in raised.value.hint


def test_empty_plan() -> None:
    with pytest.raises(NotFound, match="no task"):
        find_task(parse(""), "1")


def test_references_come_back_from_json() -> None:
    ref = TaskRef.of(PLAN.tasks[0])
    assert TaskRef.from_json(ref.to_json()) == ref
    assert locate(PLAN, ref) == PLAN.tasks[0]
    assert locate(PLAN, TaskRef(title="Add login")) == PLAN.tasks[0]
    assert locate(PLAN, TaskRef.from_json({"id": "1.1", "key": None, "line": None})) == PLAN.tasks[0]
    assert locate(PLAN, TaskRef(line=9)) == PLAN.tasks[3]


@pytest.mark.parametrize(
    "ref", [TaskRef(), TaskRef("9.9"), TaskRef("2"), TaskRef("1.1", title="other"), TaskRef(line=1)]
)
def test_references_to_nothing_are_stale(ref: TaskRef) -> None:
    with pytest.raises(StaleEdit):
        locate(PLAN, ref)


def test_renumbered_tasks_are_known_by_their_title() -> None:
    assert locate(PLAN, TaskRef("7.7", title="add login")).id == "1.1"
