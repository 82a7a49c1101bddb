"""A plan read again after an edit is the plan read from scratch; and typing costs the same in a long plan."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import Plan, parse, reparse, show

LINES = """- [ ] Task 1.1: one|- [x] Task 1.2: two [depends:1.1]|- [ ] plain|- [!] blocked|  - [ ] step|  - Notes: n
  - Files: a.py, ../b
  - **Acceptance**: it works|    - nested|  - a detail|    goes on|  - Depends: 1.1|  - Agent: qa
text|more text||```|> q|1. [ ] c|# Plan: P|**Status**: Planning|Status: x|## Phase 1: A
### Phase 2|## Progress Log|- 2025-01-01 10:00: Completed Task 1.2|## Success Criteria|- [?] T5 odd [depnds:1]
- [/] T6 alias [depends:9.9] [parallel:A]|- [ ] T6 again [parallel:A] [depends:T6]|===|---|      - [ ] deep|| a | [x] |
<!-- c -->|    code|- [ ]|- [ ] Task 1.1|- [ ] Task 1.1: dup""".replace("| a | [x] |", "¦ a ¦ [x] ¦")
lines = st.sampled_from([line.replace("¦", "|") for line in LINES.replace("\n", "|").split("|")])
changes = st.lists(
    st.tuples(
        st.integers(0, 30), st.integers(0, 40), st.integers(0, 2), st.sampled_from(["", "x", " ", "z z", "[", "`", "#"])
    ),
    min_size=1,
    max_size=4,
)


def everything(plan: Plan) -> object:
    boxes = [(node.line, node.box) for node in plan.tree.tasks]
    return show(plan), plan.problems, plan.tasks, plan.phases, plan.sections, plan.stats, boxes, plan.text


@settings(max_examples=400, deadline=None)
@given(st.lists(lines, max_size=25), changes, st.booleans())
def test_equals_a_fresh_reading(text: list[str], edits: list[tuple[int, int, int, str]], asked: bool) -> None:
    plan = parse("\n".join(text) + "\n")
    for line, column, length, new in edits:
        if asked:
            show(plan)  # problems and statistics are cached and have to be carried on correctly
        plan = reparse(plan, plan.document.replace((line, column), (line, column + length), new))
        assert everything(plan) == everything(parse(plan.text))


@pytest.mark.parametrize(
    ("text", "position", "shared"),
    [
        ("# P\n\n- [ ] Task 1.1: a\n", (2, 17), True),
        ("# P\n## S\n\ntext\n\n- [ ] Task 1.1: a\n", (3, 2), True),
        ("# P\n\n- [ ] Task 1.1: a\n", (2, 13), False),
        ("# P\n\n- [ ] Task 1.1: a\n  - Notes: b\n", (3, 12), True),
        ("# P\n\n- [ ] Task 1.1: a\n  - some detail\n", (3, 7), True),
        ("# P\n\n- [ ] Task 1.1: a\n  - **Files**: `b.py`\n", (3, 16), True),
        ("# P\n\n- [!] Task 1.1: a\n  - Notes: b\n", (3, 12), False),  # a blocked task needs a reason
        ("# P\n\n- [ ] Task 1.1: a\n  - Depends: 1.2\n", (3, 15), False),
        ("# P\n\n- [ ] Task 1.1: a\n  - Notes: b\n", (3, 6), False),  # another key
    ],
)
def test_what_is_patched_and_what_is_read_anew(text: str, position: tuple[int, int], shared: bool) -> None:
    plan = parse(text)
    after = reparse(plan, plan.document.replace(position, position, "9"))
    assert (after.graph is plan.graph) == shared


def test_old_plan_stays_as_it_was() -> None:
    plan = parse("- [ ] Task 1.1: a\n- [x] Task 1.2: b [depends:9]\n")
    before = everything(plan)
    reparse(plan, plan.document.replace((1, 18), (1, 18), "zz"))
    assert everything(plan) == before


def test_typing_costs_about_the_same_in_a_short_and_in_a_long_plan() -> None:
    def cost(tasks: int) -> float:
        text = "# P\n" + "".join(f"- [ ] Task 1.{n}: widget [depends:x{n}]\n" for n in range(tasks))
        plan = parse(text)
        assert plan.problems
        best = 1.0
        for _ in range(20):
            begin = time.process_time()
            after = reparse(plan, plan.document.replace((tasks // 2, 22), (tasks // 2, 22), "z"))
            assert after.problems
            best = min(best, time.process_time() - begin)
        return best

    assert cost(20_000) < 10 * cost(1_000)
