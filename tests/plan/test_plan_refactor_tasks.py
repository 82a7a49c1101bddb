"""Refactorings of a task: start, block, skip, reopen, split, move, dependencies written out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devloop.errors import StaleEdit, UsageError
from devloop.plan import apply, find_task, parse
from devloop.plan.refactor import block, from_order, from_phases, move, reopen, skip, split, start

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
PLAN = """# P

**Status**: Planning

## Phase 1: A

- [ ] Task 1.1: one and two [depends:1.2] [parallel:A] [budget:2]
  - Acceptance: works

    more
  - [ ] step
- [ ] Task 1.2: `a and b` (x and y)

## Phase 2: B

**Dependencies**: Phase 1

- [ ] Task 2.1: three [depends:1.1]
- [ ] Task 2.2: four [depends: 1.1-1.2]

## Phase 3: C

Text.

## Notes
"""


def lines_of(text: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went and lines that came (as sets, in order)."""
    old, new = text.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


# What a person says about a task


def test_start() -> None:
    plan = parse(PLAN)
    after = apply(PLAN.encode(), start(plan, find_task(plan, "1.2"), NOW)).decode()
    gone, came = lines_of(PLAN, after)
    assert gone == ["**Status**: Planning", "- [ ] Task 1.2: `a and b` (x and y)"]
    assert came[:2] == ["**Status**: In Progress", "- [~] Task 1.2: `a and b` (x and y)"]
    assert came[-1] == "- 2026-01-31 12:30: Started Task 1.2"


def test_block_and_skip_say_why() -> None:
    plan = parse(PLAN)
    after = parse(apply(PLAN.encode(), block(plan, find_task(plan, "1.2"), " no  key\n", NOW)))
    assert (find_task(after, "1.2").status, find_task(after, "1.2").notes) == ("blocked", "no key")
    assert after.log[-1].text == "Task 1.2 blocked - no key"
    after = parse(apply(PLAN.encode(), skip(plan, find_task(plan, "1.2"), "not needed", NOW)))
    assert find_task(after, "1.2").status == "skipped"
    assert after.log[-1].text == "Skipped Task 1.2 - not needed"


def test_reopen_makes_a_finished_plan_go_on() -> None:
    text = "# P\n**Status**: Review\n\n- [x] T1 a\n- [!] T2 b\n"
    plan = parse(text)
    after = apply(text.encode(), reopen(plan, plan.tasks[0], NOW)).decode()
    assert after == "# P\n**Status**: In Progress\n\n- [ ] T1 a\n- [!] T2 b\n"
    after = apply(b"- [!] T2 b", reopen(parse("- [!] T2 b"), parse("- [!] T2 b").tasks[0], NOW)).decode()
    assert after == "- [ ] T2 b"


@pytest.mark.parametrize("marker", ["x", "X", "-"])
def test_what_is_done_is_reopened_first(marker: str) -> None:
    plan = parse(f"- [{marker}] T1 a and b\n")
    for action in (
        lambda: start(plan, plan.tasks[0], NOW),
        lambda: block(plan, plan.tasks[0], "why", NOW),
        lambda: skip(plan, plan.tasks[0], "why", NOW),
        lambda: split(plan, plan.tasks[0]),
        lambda: from_order(plan, plan.tasks[0]),
    ):
        with pytest.raises(UsageError):
            action()


def test_refusals() -> None:
    plan = parse(PLAN)
    step = next(task for task in plan.tasks if task.title == "step")
    for text in ("", "  \n"):
        with pytest.raises(UsageError, match="why"):
            block(plan, plan.tasks[0], text, NOW)
        with pytest.raises(UsageError, match="why"):
            skip(plan, plan.tasks[0], text, NOW)
    with pytest.raises(UsageError, match="step"):
        start(plan, step, NOW)
    with pytest.raises(UsageError, match="open already"):
        reopen(plan, plan.tasks[0], NOW)
    with pytest.raises(UsageError, match="in progress"):
        start(parse("- [~] a\n"), parse("- [~] a\n").tasks[0], NOW)
    with pytest.raises(UsageError, match="blocked"):
        start(parse("- [!] a\n"), parse("- [!] a\n").tasks[0], NOW)
    with pytest.raises(StaleEdit):
        start(parse("- [ ] other\n"), plan.tasks[0], NOW)


# Split


def test_split_at_and() -> None:
    plan = parse(PLAN)
    after = apply(PLAN.encode(), split(plan, plan.tasks[0])).decode()
    gone, came = lines_of(PLAN, after)
    assert gone == [
        "- [ ] Task 1.1: one and two [depends:1.2] [parallel:A] [budget:2]",
        "- [ ] Task 2.1: three [depends:1.1]",
    ]  # the range holds the new task as well
    assert (
        came
        == [
            "- [ ] Task 1.1: one [depends:1.2] [parallel:A] [budget:2]",
            "- [ ] Task 1.3: two [depends:1.2] [parallel:A]",
            "- [ ] Task 2.1: three [depends:1.1, 1.3]",
            "- [ ] Task 2.2: four [depends: 1.1-1.2]".replace("1.1-1.2", "1.1-1.2"),
        ][:3]
    )
    assert after.index("step") < after.index("Task 1.3") < after.index("Task 1.2:")


SPLITS = {
    "- [ ] a; b": "- [ ] a\n- [ ] b",
    "  * [~]\tT007 x, then y {#z}\r\n": "  * [~]\tT007 x\r\n  * [ ] T008 y {#z}\r\n",
    "- [ ]* 1.1 (P) x & y\n  - n": "- [ ]* 1.1 (P) x\n  - n\n- [ ]* 1.2 y [P]",
    "1. [ ] a\n2. [ ] Task 1.1: x + y z\n": None,
    "## Phase 1\n3. [ ] Task 1.1: x + y z\n": "## Phase 1\n3. [ ] Task 1.1: x\n4. [ ] Task 1.2: y z\n",
    "- [ ] **P0-1**: x [agent:b] and y [turns:4] q": "- [ ] **P0-1**: x [agent:b] [turns:4]\n"
    "- [ ] **P0-2**: y q [agent:b]",
    "- [ ] a and b {#login}\n": "- [ ] a {#login}\n- [ ] b {#login-2}\n",
    "- [ ] [PR-12-1] a and b\n": "- [ ] [PR-12-1] a\n- [ ] [PR-12-2] b\n",
    "- [ ] 3. a and b\n": "- [ ] 3. a\n- [ ] 4. b\n",
    "- [ ] a\n  - Depends: T1\n- [ ] T1 x": None,
    "- [ ] T2 a and b\n  - Depends: T1\n- [ ] T1 x": "- [ ] T2 a\n  - Depends: T1\n- [ ] T3 b [depends:T1]\n- [ ] T1 x",
}


@pytest.mark.parametrize("text", SPLITS)
def test_splits(text: str) -> None:
    wanted = SPLITS[text]
    plan = parse(text)
    if wanted is None or not plan.tasks:
        with pytest.raises((UsageError, IndexError)):
            split(plan, plan.tasks[0])
    else:
        assert apply(text.encode(), split(plan, plan.tasks[0])).decode() == wanted


@pytest.mark.parametrize(
    "title",
    ["one thing", "`a and b`", "(a and b)", "x **a and b** y", "**Task 1.1: a and b**", "and b", "a and", '"a and b"'],
)
def test_titles_that_are_one_thing(title: str) -> None:
    plan = parse(f"- [ ] {title}\n")
    with pytest.raises(UsageError, match="one thing"):
        split(plan, plan.tasks[0])
    after = parse(apply(plan.data, split(plan, plan.tasks[0], "the second")))
    assert [task.title for task in after.tasks] == [plan.tasks[0].title, "the second"]


def test_split_of_what_is_named_by_its_place() -> None:
    text = "- [ ] a and b\n- [ ] c [depends:s1]\n- [ ] d\n"
    plan = parse(text)
    with pytest.raises(UsageError, match="place"):
        split(plan, plan.tasks[0])
    with pytest.raises(UsageError):
        split(parse("- [ ] a and b\n- [ ] c\n- [ ] d [depends:s2]\n"), plan.tasks[0])


# Move


def moved(text: str, ref: str, phase: int) -> str:
    plan = parse(text)
    return apply(text.encode(), move(plan, find_task(plan, ref), plan.phases[phase])).decode()


def test_move_renumbers_and_references_follow() -> None:
    text = PLAN.replace("**Dependencies**: Phase 1\n", "")
    after = moved(text, "1.1", 1)
    assert (
        after
        == """# P

**Status**: Planning

## Phase 1: A

- [ ] Task 1.2: `a and b` (x and y)

## Phase 2: B


- [ ] Task 2.1: three [depends:2.3]
- [ ] Task 2.2: four [depends: 1.2, 2.3]
- [ ] Task 2.3: one and two [depends:1.2] [parallel:A] [budget:2]
  - Acceptance: works

    more
  - [ ] step

## Phase 3: C

Text.

## Notes
"""
    )


def test_move_to_a_phase_without_tasks() -> None:
    after = moved(PLAN, "2.1", 2)
    assert after.endswith("## Phase 3: C\n\nText.\n\n- [ ] Task 3.1: three [depends:1.1]\n\n## Notes\n")


MOVES: list[tuple[str, str, int, str]] = [
    # without final newline, from the end
    ("## Phase 1\n- [ ] a\n## Phase 2\n- [ ] b", "b", 0, "## Phase 1\n- [ ] a\n- [ ] b\n## Phase 2"),
    # to the end
    ("## Phase 1\r\n- [ ] a\r\n## Phase 2\r\n- [ ] b", "a", 1, "## Phase 1\r\n## Phase 2\r\n- [ ] b\r\n- [ ] a"),
    # T-ids stay
    ("## Phase 1\n- [ ] T1 a\n## Phase 2\n- [ ] T2 b [depends:T1]\n", "T1", 1, None),  # type: ignore[list-item]
    # another id than its phase's stays
    ("## Phase 1\n- [ ] Task 7.1: a\n## Phase 2\n", "7.1", 1, "## Phase 1\n## Phase 2\n\n- [ ] Task 7.1: a\n"),
    # children
    (
        "## Phase 1\n- [ ] 1.1 a\n  - [ ] 1.1.1 b\n\n- [ ] 1.2 c [depends:1.1.1]\n## Phase 2\n- [ ] 2.4 d\n",
        "1.1",
        1,
        "## Phase 1\n\n- [ ] 1.2 c [depends:2.5.1]\n## Phase 2\n- [ ] 2.4 d\n- [ ] 2.5 a\n  - [ ] 2.5.1 b\n",
    ),
    # other indentation, empty lines between the tasks there and around it here
    (
        "## Phase 1\n\n- [ ] a\n  - n\n\n## Phase 2\n\n   - [ ] b\n\n   - [ ] c\n",
        "a",
        1,
        "## Phase 1\n\n## Phase 2\n\n   - [ ] b\n\n   - [ ] c\n\n   - [ ] a\n     - n\n",
    ),
    # a range that held it inside
    (
        "## Phase 1\n- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n## Phase 2\n- [ ] 2.1 d [depends:1.1-1.3]\n",
        "1.2",
        1,
        "## Phase 1\n- [ ] 1.1 a\n- [ ] 1.3 c\n## Phase 2\n- [ ] 2.1 d [depends:1.1, 1.3, 2.2]\n- [ ] 2.2 b\n",
    ),
    # a range that still holds it
    (
        "## Phase 1\n- [ ] 1.1 a\n- [ ] 1.2 b\n## Phase 2\n- [ ] 2.1 c\n## Phase 3\n- [ ] 3.1 d\n"
        "- [ ] 3.2 e\n  - Depends: Tasks 1.1 - 3.1\n",
        "1.2",
        1,
        "## Phase 1\n- [ ] 1.1 a\n## Phase 2\n- [ ] 2.1 c\n- [ ] 2.2 b\n## Phase 3\n- [ ] 3.1 d\n"
        "- [ ] 3.2 e\n  - Depends: Tasks 1.1 - 3.1\n",
    ),
    # a phase that names it
    (
        "## Phase 1\n- [ ] 1.1 a\n## Phase 2\n## Phase 3\n**Dependencies**: Task 1.1, Phase 2\n- [ ] 3.1 b\n",
        "1.1",
        1,
        "## Phase 1\n## Phase 2\n\n- [ ] 2.1 a\n\n## Phase 3\n**Dependencies**: Task 2.1, Phase 2\n- [ ] 3.1 b\n",
    ),
    # the same id twice
    (
        "## Phase 1\n- [ ] 1.1 a\n- [ ] 1.1 b\n## Phase 2\n- [ ] 2.1 c [depends:1.1]\n",
        "1.1@2",
        1,
        "## Phase 1\n- [ ] 1.1 b\n## Phase 2\n- [ ] 2.1 c [depends:1.1]\n- [ ] 1.1 a\n",
    ),
    # from outside all phases
    ("- [ ] a\n\n## Phase 1: A\n- [ ] b\n", "a", 0, "## Phase 1: A\n- [ ] b\n- [ ] a\n"),
]


@pytest.mark.parametrize(("text", "ref", "phase", "wanted"), MOVES)
def test_moves(text: str, ref: str, phase: int, wanted: str | None) -> None:
    plan = parse(text)
    task = next((t for t in plan.tasks if f"{t.id}@{t.line}" == ref), None) or find_task(plan, ref)
    after = apply(text.encode(), move(plan, task, plan.phases[phase])).decode()
    assert after == (wanted if wanted is not None else "## Phase 1\n## Phase 2\n- [ ] T2 b [depends:T1]\n- [ ] T1 a\n")


def test_moves_that_are_refused() -> None:
    plan = parse(PLAN)
    with pytest.raises(UsageError, match="already"):
        move(plan, plan.tasks[0], plan.phases[0])
    with pytest.raises(UsageError, match="belongs"):
        move(plan, next(task for task in plan.tasks if task.title == "step"), plan.phases[1])
    with pytest.raises(UsageError, match="wait for each other"):
        move(plan, find_task(plan, "1.2"), plan.phases[1])  # 1.1 waits for it, and phase 2 for 1.1


# Dependencies written out


def test_dependencies_of_phases() -> None:
    plan = parse(PLAN)
    after = apply(PLAN.encode(), from_phases(plan, plan.phases[1])).decode()
    assert "three [depends:1.1, Phase 1]" in after
    assert "four [depends: 1.1-1.2]\n" in after  # these are all of phase 1
    for place in (plan.phases[0], parse(after).tasks[-1]):
        with pytest.raises(UsageError, match="nothing to write"):
            from_phases(parse(after), place)


def test_dependencies_of_order() -> None:
    text = """## Phase 1
- [ ] T1 a
- [x] T2 b
- [ ] T3 c [parallel:A]
- [ ] T4 d [parallel:A] [depends: T1 ]
- [ ] T5 e
- [ ] T6 f [background]
- [ ] T7 g [background]
- [ ] T8 h [depends:T5]
## Phase 2
- [ ] T9 i \n"""
    plan = parse(text)
    first = apply(text.encode(), from_order(plan, plan.phases[0])).decode()
    assert first == (
        text.replace("T3 c [parallel:A]", "T3 c [parallel:A] [depends:T1]")
        .replace("T5 e", "T5 e [depends:T3, T4]")
        .replace("T7 g [background]", "T7 g [background] [depends:T6]")
    )
    second = apply(text.encode(), from_order(plan, plan.phases[1])).decode()
    assert second == text.replace("T9 i ", "T9 i [depends:Phase 1] ")
    with pytest.raises(UsageError, match="nothing to write"):
        from_order(plan, plan.tasks[0])


def test_order_makes_no_cycle() -> None:
    text = "- [ ] T1 a [depends:T2]\n- [ ] T2 b\n- [ ] T3 c\n"
    plan = parse(text)
    with pytest.raises(UsageError, match="nothing to write"):
        from_order(plan, plan.tasks[1])
    assert apply(text.encode(), from_order(plan, plan.tasks[2])).decode() == text.replace("c", "c [depends:T2]")


def test_order_needs_ids() -> None:
    plan = parse("- [ ] a\n- [ ] T2 b\n")
    with pytest.raises(UsageError, match="no id"):
        from_order(plan, plan.tasks[1])
    plan = parse("- [ ] T1 a\n- [ ] T1 b\n- [ ] T2 c\n")
    with pytest.raises(UsageError, match="several"):
        from_order(plan, plan.tasks[2])
