"""Numbering anew: gaps close, references follow, history stays; what waits for what is the same afterwards."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.errors import UsageError
from devloop.plan import parse
from devloop.plan.edits import apply_text
from devloop.plan.format import renumber
from support.turns import often


def renumbered(text: str, phase: str | None = None) -> str:
    plan = parse(text)
    return apply_text(plan.document, renumber(plan, phase))


P1, P2 = "## Phase 1: A\n", "## Phase 2: B\n"
CASES = {
    "gaps": (P1 + "- [ ] Task 1.2: a\n- [ ] Task 1.5: b\n", P1 + "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n"),
    "order": (P1 + "- [ ] Task 1.2: a\n- [ ] Task 1.1: b\n", P1 + "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n"),
    "from zero": (P1 + "- [ ] Task 1.0: a\n- [ ] Task 1.2: b\n", P1 + "- [ ] Task 1.0: a\n- [ ] Task 1.1: b\n"),
    "number of the phase": (P2 + "- [ ] Task 1.1: a\n", P2 + "- [ ] Task 2.1: a\n"),
    "duplicates": (P1 + "- [ ] Task 1.1: a\n- [ ] Task 1.1: b\n", P1 + "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n"),
    "tags": (
        P1 + "- [ ] Task 1.2: a\n- [ ] Task 1.4: b [depends:Task 1.2, Phase 2, 1.2]\n" + P2,
        P1 + "- [ ] Task 1.1: a\n- [ ] Task 1.2: b [depends:Task 1.1, Phase 2, 1.1]\n" + P2,
    ),
    "ranges": (
        P1 + "- [ ] 1.2 a\n- [ ] 1.4 b\n- [ ] 1.7 c [depends:1.2-1.4]\n- [ ] 1.9 d [depends: 1.2..1.7 ]\n",
        P1 + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c [depends:1.1-1.2]\n- [ ] 1.4 d [depends: 1.1..1.3 ]\n",
    ),
    "metadata": (
        P1 + "- [ ] 1.2 a\n- [ ] 1.4 b\n- [ ] 1.6 c\n  - Depends:\n"
        "    - 1.2\n    - Task 1.4\n- [ ] 1.8 d\n  - Depends on: 1.6\n",
        P1 + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n  - Depends:\n"
        "    - 1.1\n    - Task 1.2\n- [ ] 1.4 d\n  - Depends on: 1.3\n",
    ),
    "phases": (
        P1 + "- [ ] 1.3 a\n" + P2 + "**Dependencies**: 1.3\n\n- [ ] 2.1 b\n",
        P1 + "- [ ] 1.1 a\n" + P2 + "**Dependencies**: 1.1\n\n- [ ] 2.1 b\n",
    ),
    "groups": (
        P1 + "**Parallel Groups**:\n- Group A: Tasks 1.3, 1.5 (1.5 is small)\n\n- [ ] 1.3 a\n- [ ] 1.5 b\n",
        P1 + "**Parallel Groups**:\n- Group A: Tasks 1.1, 1.2 (1.5 is small)\n\n- [ ] 1.1 a\n- [ ] 1.2 b\n",
    ),
    "group as a range": (
        P1 + "- Group A: Tasks 1.3-1.5\n\n- [ ] 1.3 a\n- [ ] 1.5 b\n",
        P1 + "- Group A: Tasks 1.1-1.2\n\n- [ ] 1.1 a\n- [ ] 1.2 b\n",
    ),
    "children": (
        "- [ ] 2. a\n  - [ ] 2.2 b\n  - [ ] 2.5 c\n- [ ] 4. d\n  - [ ] 4.1 e [depends:2.5]\n",
        "- [ ] 1. a\n  - [ ] 1.1 b\n  - [ ] 1.2 c\n- [ ] 2. d\n  - [ ] 2.1 e [depends:1.2]\n",
    ),
    "steps follow their parent": (
        P1 + "- [ ] 1.3 a\n  - [ ] s\n- [ ] 1.4 b [depends:1.3/1]\n",
        P1 + "- [ ] 1.1 a\n  - [ ] s\n- [ ] 1.2 b [depends:1.1/1]\n",
    ),
    "spec-kit": (
        P1 + "- [ ] T001 a\n- [ ] T004 b\n" + P2 + "- [ ] T009 c [depends:T004]\n",
        P1 + "- [ ] T001 a\n- [ ] T002 b\n" + P2 + "- [ ] T003 c [depends:T002]\n",
    ),
    "numbers of the whole plan": (P1 + "- [ ] 1. a\n" + P2 + "- [ ] 3. b\n", P1 + "- [ ] 1. a\n" + P2 + "- [ ] 2. b\n"),
    "numbers of each phase": (
        P1 + "- [ ] 1. a\n- [ ] 3. b\n" + P2 + "- [ ] 1. c\n- [ ] 4. d\n",
        P1 + "- [ ] 1. a\n- [ ] 2. b\n" + P2 + "- [ ] 1. c\n- [ ] 2. d\n",
    ),
    "names stay": (P1 + "- [ ] P0-3: a\n- [ ] **Step 4: b**\n- [ ] c {#x9}\n", None),
    "phase without a number": ("## Phase A: x\n- [ ] 1.3 a\n", "## Phase A: x\n- [ ] 1.1 a\n"),
    "two phases with one beginning": (
        P2 + "- [ ] 2.2 a\n## Phase 2b: C\n- [ ] 2.5 b\n",
        P2 + "- [ ] 2.1 a\n## Phase 2b: C\n- [ ] 2.2 b\n",
    ),
    "log, code, prose": (
        P1 + "See 1.3.\n\n- [x] 1.3 a\n  - Notes: after 1.3\n\n```\n"
        "- [ ] 1.3 a\n```\n## Progress Log\n- Completed Task 1.3\n",
        P1 + "See 1.3.\n\n- [x] 1.1 a\n  - Notes: after 1.3\n\n```\n"
        "- [ ] 1.3 a\n```\n## Progress Log\n- Completed Task 1.3\n",
    ),
    "prose as a dependency": (
        P1 + "- [ ] 1.3 a\n- [ ] 1.4 b\n  - Depends: on what 1.3 finds\n",
        P1 + "- [ ] 1.1 a\n- [ ] 1.2 b\n  - Depends: on what 1.3 finds\n",
    ),
    "swapped ids": (
        P1 + "- [ ] 1.2 a [depends:1.1]\n- [ ] 1.1 b\n",
        P1 + "- [ ] 1.1 a [depends:1.2]\n- [ ] 1.2 b\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_renumber(name: str) -> None:
    before, after = CASES[name]
    assert renumbered(before) == (before if after is None else after)
    assert renumbered(renumbered(before)) == renumbered(before)


def test_one_phase_keeps_off_the_ids_of_others() -> None:
    text = P1 + "- [ ] 1.3 a\n" + P2 + "- [ ] 2.4 b [depends:1.3]\n- [ ] c {#2.1}\n"
    assert renumbered(text, "2") == text.replace("2.4", "2.2")
    assert renumbered(text, "1") == text.replace("1.3", "1.1")
    spec = P1 + "- [ ] T001 a\n- [ ] T003 b\n" + P2 + "- [ ] T007 c\n- [ ] T009 d\n"
    assert renumbered(spec, "2") == spec.replace("T007", "T004").replace("T009", "T005")


REFUSED = {
    "several tasks": (P1 + "- [ ] 1.1 a\n- [ ] 1.1 b\n- [ ] 1.3 c [depends:1.1]\n", "stands for several tasks"),
    "no such task yet": (P1 + "- [ ] 1.1 a [depends:1.2]\n- [ ] 1.3 b\n", "1.1 in line 2"),
    "range with a missing end": (P1 + "- [ ] 1.1 a\n- [ ] 1.3 b\n- [ ] 1.9 c [depends:1.1-1.3, 1.3-1.5]\n", "1.9"),
    "phase that waits": (P1 + "**Dependencies**: 2.1\n\n- [ ] 1.1 a\n" + P2 + "- [ ] 2.2 b\n", "phase 1 in line 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_change_references_is_refused(name: str) -> None:
    text, part = REFUSED[name]
    with pytest.raises(UsageError, match=part):
        renumber(parse(text))


def test_an_unknown_phase_is_named() -> None:
    with pytest.raises(UsageError, match="no phase 7") as caught:
        renumber(parse(P1), "7")
    assert "1" in (caught.value.hint or "")


@st.composite
def numbered_plans(draw: st.DrawFn) -> str:
    """Phases of tasks with ids out of order, with gaps, few of them twice, that wait for each other."""
    rows, ids = [], []
    for phase in range(1, draw(st.integers(1, 3)) + 1):
        rows.append(f"## Phase {phase}: A")
        for number in draw(st.lists(st.integers(0, 9), max_size=5)):
            form = draw(st.sampled_from(["Task {}:", "{}", "**{}**", "Task {}.1:"]))
            name = f"{draw(st.sampled_from([phase, phase, phase, 1]))}.{number}"
            ids.append(name + (".1" if form.endswith(".1:") else ""))
            rows.append("  " * draw(st.integers(0, 1)) + f"- [ ] {form.format(name)} t")
    wait = st.sampled_from([*ids, "Phase 1", "9.9", *(f"{a}-{b}" for a, b in itertools.pairwise(ids))])
    for at, row in enumerate(rows):
        if "- [ ]" in row and draw(st.booleans()):
            rows[at] += f" [depends:{', '.join(draw(st.lists(wait, min_size=1, max_size=3)))}]"
    return "\n".join(rows) + "\n"


@settings(max_examples=often(400), deadline=None)
@given(numbered_plans(), st.sampled_from([None, None, "1", "2"]))
def test_what_waits_for_what_is_the_same(text: str, phase: str | None) -> None:
    plan = parse(text)
    try:
        edits = renumber(plan, phase)
    except UsageError as error:
        assert str(error)
        return
    after = parse(apply_text(plan.document, edits))
    assert [task.title for task in after.tasks] == [task.title for task in plan.tasks]
    assert [[need.members for need in needs] for needs in after.graph.needs] == [
        [need.members for need in needs] for needs in plan.graph.needs
    ]
    if phase is None:
        assert renumber(after) == ()
        known = [task.id for task in after.tasks]
        assert len(known) == len(set(known))
