"""Who may start and who waits, for a whole plan at once: the same as the single questions say, and never quadratic."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import Outlook, Plan, blocked_by, may_run, parse, ready, reparse
from support.effort import cpu_s
from support.turns import often

MARKS = st.sampled_from(" x~!->?")
NEEDS = st.lists(st.sampled_from(["T0", "T3", "T5", "T8", "Phase 1", "Phase 2", "T1-T4", "T99"]), max_size=2)
LINE = st.tuples(MARKS, NEEDS, st.sampled_from(["", "", "  ", "    "]), st.booleans())


def written(lines: list[tuple[str, list[str], str, bool]]) -> Plan:
    text = ["# Plan", "", "## Phase 1: A", ""]
    for number, (mark, needs, indent, named) in enumerate(lines):
        if number == 5:
            text += ["", "## Phase 2: B", "", "**Dependencies**: Phase 1", ""]
        tags = "".join(f" [depends:{need}]" for need in needs)
        text.append(f"{indent}- [{mark}] {f'T{number} ' if named else ''}title{tags}")
    return parse("\n".join(text))


def slow_waiters(plan: Plan, index: int) -> set[int]:
    """Straight from the definition: who has a need with a waiter or this task in it, and who holds such a child."""
    found = {index}
    while True:
        more = {
            at
            for at in range(len(plan.tasks))
            if any(found & set(need.members) for need in plan.graph.all_needs(at))
            or found & set(plan.graph.children.get(at, ()))
        }
        if more <= found:
            return found - {index}
        found |= more


@settings(max_examples=often(200), deadline=None)
@given(st.lists(LINE, max_size=11))
def test_all_at_once_is_what_each_question_says(lines: list[tuple[str, list[str], str, bool]]) -> None:
    plan = written(lines)
    outlook = Outlook(plan)
    assert [at for at, task in enumerate(plan.tasks) if not may_run(plan, task)] == list(outlook.startable)
    assert {task.line for task in ready(plan)} == {plan.tasks[at].line for at in outlook.ready}
    for at, task in enumerate(plan.tasks):
        assert outlook.unmet(at) == blocked_by(plan, task)
        assert bool(outlook.unmet_names(at)) == bool(outlook.unmet(at))
        assert set(outlook.waiters(at)) == slow_waiters(plan, at)


def test_what_is_open_of_a_phase_is_named_as_the_phase() -> None:
    plan = parse(
        "# P\n\n## Phase 1: A\n\n- [ ] 1.1 a\n- [ ] 1.2 b\n\n## Phase 2: B\n\n- [ ] 2.1 c [depends:Phase 1, 9.9]\n"
    )
    outlook = Outlook(plan)
    assert outlook.unmet_names(2) == ("Phase 1", "9.9")
    assert (outlook.startable, outlook.ready_phases) == ((0, 1), {0})


def test_it_holds_as_long_as_only_titles_change() -> None:
    plan = parse("# P\n\n- [ ] 1.1 a\n- [ ] 1.2 b [depends:1.1]\n")
    outlook = Outlook(plan)
    assert outlook.fits(reparse(plan, plan.document.replace((2, 11), (2, 11), "bc")))
    assert not outlook.fits(reparse(plan, plan.document.replace((2, 3), (2, 4), "x")))


def test_a_phase_that_everybody_waits_for_costs_no_square() -> None:
    first = "".join(f"- [ ] 1.{n} a\n" for n in range(3000))
    second = "".join(f"- [ ] 2.{n} b [depends:Phase 1]\n" for n in range(3000))
    plan = parse(f"# P\n\n## Phase 1: A\n\n{first}\n## Phase 2: B\n\n{second}")
    began = time.process_time()
    outlook = Outlook(plan)
    assert not outlook.settled(waiters=False)
    outlook.settle(waiters=False)
    assert (outlook.settled(waiters=False), outlook.settled(waiters=True)) == (True, False)
    outlook.settle(waiters=True)
    assert outlook.settled(waiters=True)
    assert len(outlook.startable) == 3000
    assert all(outlook.unmet_names(at) == ("Phase 1",) for at in range(3000, 6000))
    assert len(outlook.waiters(0)) == 3000
    took = time.process_time() - began
    assert took < 20 * cpu_s(lambda: parse(plan.text).problems)  # about as long; asked one by one it would be minutes
