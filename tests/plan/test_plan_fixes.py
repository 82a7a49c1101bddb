"""Fixes: what is certain, what is a choice; all certain ones together come to rest and do what they say (§17)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop.plan import Plan, apply, parse
from devloop.plan.fixes import certain_fix, fix_all, fixes_of
from devloop.plan.lines import body
from devloop.plan.problems_external import stale_plan, unknown_names
from support.effort import readings
from support.turns import often

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []
P = "# P\n"
A = "# P\n## Phase 1: A\n"


def fixed(text: str) -> str:
    """All certain fixes, until there are none; a few rounds are enough."""
    for _ in range(5):
        edits = fix_all(parse(text))
        if not edits:
            return text
        text = apply(text.encode(), edits).decode()
    raise AssertionError("the fixes don't come to an end")


CERTAIN = {
    "alias": (P + "- [/] a\n", P + "- [~] a\n"),
    "alias with tabs and CRLF": ("\ufeff# P\r\n\t\r\n-\t[/]\ta\t\r\n", "\ufeff# P\r\n\t\r\n-\t[~]\ta\t\r\n"),
    "range": (
        P + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c [depends: 1.2 .. 1.1, 1.1]",
        P + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c [depends: 1.1 .. 1.2, 1.1]",
    ),
    "range in a bullet": (
        P + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n  - Depends: Tasks 1.2-1.1\n",
        P + "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 1.3 c\n  - Depends: Tasks 1.1-1.2\n",
    ),
    "sequential": (A + "- [ ] a [parallel:none] b\n", A + "- [ ] a [sequential] b\n"),
    "empty box": (P + "- [] a\n* [  ]  b\n-   []", P + "- [ ] a\n* [ ]  b\n-   [ ]"),
    "box with blanks": (P + "- [x ] a\n- [ ~] b\n1. [ x]  c\n", P + "- [x] a\n- [~] b\n1. [x]  c\n"),
    "box without blank": (P + "- [x]a\n-[ ] b\n", P + "- [x] a\n- [ ] b\n"),
    "optional box": (P + "- []* a\n", P + "- [ ]* a\n"),
    "nested box": (P + "- [ ] a\n  - [x ] b\n", P + "- [ ] a\n  - [x] b\n"),
    "field": ("# P\nStatus: Draft  \n\n- [ ] a\n", "# P\n**Status**: Draft  \n\n- [ ] a\n"),
    "phase done": (P + "## Phase 1: A 🚧\n- [x] a\n", P + "## Phase 1: A ✅\n- [x] a\n"),
    "phase done, closed heading": (P + "## Phase 1: A ⏳ ##\n- [x] a\n", P + "## Phase 1: A ✅ ##\n- [x] a\n"),
    "phase done, with tag": (
        P + "## Phase 1: A 🚧 [parallel:full]\n- [x] a\n- [-] b\n",
        P + "## Phase 1: A ✅ [parallel:full]\n- [x] a\n- [-] b\n",
    ),
    "current phase": (
        P + "**Current Phase**: Phase 1\n## Phase 1: A\n- [x] a\n## Phase 2: B\n- [ ] b\n",
        P + "**Current Phase**: Phase 2\n## Phase 1: A\n- [x] a\n## Phase 2: B\n- [ ] b\n",
    ),
    "what follows from a new box comes later": (
        P + "**Current Phase**: Phase 1\n## Phase 1: A 🚧\n- [x] a\n- [] b\n## Phase 2: B\n- [ ] b\n",
        P + "**Current Phase**: Phase 1\n## Phase 1: A 🚧\n- [x] a\n- [ ] b\n## Phase 2: B\n- [ ] b\n",
    ),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_certain_fixes(name: str) -> None:
    before, after = CERTAIN[name]
    assert fixed(before) == after


CHOICES = {
    "another id": P + "- [ ] Task 1.1: a\n- [ ] Task 1.1: b\n",
    "deferred is not blocked": P + "- [>] a\n",
    "a marker nobody knows": P + "- [?] a\n",
    "a guess at an id": P + "- [ ] T12 a\n- [ ] b [depends:T13]\n",
    "a guess at a tag": P + "- [ ] T1 x\n- [ ] a [depend:T1]\n",
    "what a task waits for": P + "- [ ] T1 a [depends:T1]\n- [ ] T2 b [depends:T3]\n- [ ] T3 c [depends:T2]\n",
    "the plan's status": P + "**Status**: Planning\n\n- [x] a\n- [ ] b\n",
    "an unknown status": P + "**Status**: Somewhere\n\n- [ ] a\n",
    "a plan that is done": P + "**Status**: Paused\n\n- [x] a\n",
    "a phase called done": P + "## Phase 1: A ✅\n- [ ] a\n",
    "words about the phase": P
    + "**Current Phase**: Phase 1 (polishing)\n## Phase 1: A\n- [x] a\n## Phase 2: B\n- [ ] b\n",
    "a word that begins with brackets": P + "- []byte is a slice\n",
    "a footnote": P + "-[1] a\n",
    "a bullet that says a field": P + "- **Status**: Draft\n- b\n\n- [ ] a\n",
    "a box that would get children": P + "- [] a\n  - [ ] b\n",
    "another group behind none": A + "- [ ] a [parallel:none] [parallel:A]\n",
    "a field with emphasis": P + "Status: see *x*\n\n- [ ] a\n",
    "a title that looks like a field": "Status: Draft\n===\n\n- [ ] a\n",
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_left_to_people(name: str) -> None:
    assert fix_all(parse(CHOICES[name])) == ()


def one(text: str, code: str) -> tuple[Plan, list[tuple[str, str]]]:
    """The titles of the first problem's fixes and the text after each."""
    plan = parse(text)
    problem = next(problem for problem in plan.problems if problem.code == code)
    return plan, [(fix.title, apply(text.encode(), fix.edits).decode()) for fix in fixes_of(plan, problem)]


OFFERED: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("self-dependency", "- [ ] T1 a [depends:T1] b\n", [("Remove the dependency on itself", "- [ ] T1 a b\n")]),
    ("self-dependency", "- [ ] T1 a [depends:T2, T1]\n- [ ] T2 b\n", [("", "- [ ] T1 a [depends:T2]\n- [ ] T2 b\n")]),
    ("self-dependency", "- [ ] T1 a [depends:T1 ,T2]\n- [ ] T2 b\n", [("", "- [ ] T1 a [depends:T2]\n- [ ] T2 b\n")]),
    (
        "dependency-cycle",
        "- [ ] T1 a [depends:T2]\n- [ ] T2 b\n  - Depends: T3, T1\n- [ ] T3 c\n",
        [("Don't wait for T2", "- [ ] T1 a\n- [ ] T2 b\n  - Depends: T3, T1\n- [ ] T3 c\n")],
    ),
    (
        "unknown-dependency",
        "- [ ] T12 a\n- [ ] b [depends: Task T13]\n",
        [("Replace by T12", "- [ ] T12 a\n- [ ] b [depends: Task T12]\n")],
    ),
    (
        "unknown-dependency",
        "- [ ] T12 a\n- [ ] b\n  - Depends: T13\n",
        [("Replace by T12", "- [ ] T12 a\n- [ ] b\n  - Depends: T12\n")],
    ),
    (
        "duplicate-id",
        "- [ ] Task 1.9: 1.9 a\n- [ ] **Task 1.9**: 1.9 b\n",
        [("Renumber to 1.10", "- [ ] Task 1.9: 1.9 a\n- [ ] **Task 1.10**: 1.9 b\n")],
    ),
    ("duplicate-id", "- [ ] a1 {#a1}\n- [ ] a1 {#a1}\n", [("Renumber to a2", "- [ ] a1 {#a1}\n- [ ] a1 {#a2}\n")]),
    (
        "duplicate-id",
        "- [ ] **Step 3: a**\n- [ ] **Step 3: b**\n",
        [("", "- [ ] **Step 3: a**\n- [ ] **Step 4: b**\n")],
    ),
    (
        "checkbox-not-a-task",
        "- [ ] a\n      - [ ] b\n",
        [("Indent it by 2 columns", "- [ ] a\n  - [ ] b\n")],
    ),
    ("checkbox-not-a-task", "\n    - [ ] b\n", [("Remove its indentation", "\n- [ ] b\n")]),
    ("checkbox-not-a-task", "<details>\r\n- [ ] b", [("", "<details>\r\n\r\n- [ ] b")]),
    ("checkbox-not-a-task", "text\n2. [ ] b\n", [("", "text\n\n2. [ ] b\n")]),
    ("unclosed-fence", "- [ ] a\n\n  ````\n  x", [("Close the fence at the end", "- [ ] a\n\n  ````\n  x\n  ````")]),
    ("unclosed-comment", "<!--\nx\n", [("Close the comment at the end", "<!--\nx\n-->\n")]),
    (
        "unlogged-completion",
        "- [x] T1 a\n## Progress Log\n\n- 2025-01-01: b\n",
        [
            (
                "Add “Completed Task T1” to the log",
                "- [x] T1 a\n## Progress Log\n\n- 2025-01-01: b\n- Completed Task T1\n",
            )
        ],
    ),
    (
        "parallel-file-conflict",
        "- [ ] a [parallel:A]\n  - Files: x.py\n- [ ] b [Parallel: a] c\n  - Files: x.py\n- [ ] [parallel:B]\n".replace(
            ": a]", ":A]"
        ),
        [
            (
                "Move it to group C",
                "- [ ] a [parallel:A]\n  - Files: x.py\n- [ ] b [parallel:C] c\n  - Files: x.py\n- [ ] [parallel:B]\n",
            )
        ],
    ),
    ("phase-status-drift", "## Phase 1: A ✅\n- [ ] a\n", [("Remove ✅", "## Phase 1: A\n- [ ] a\n")]),
    ("phase-status-drift", "## Phase 1 (COMPLETE)\n- [~] a\n", [("Write 🚧", "## Phase 1 🚧\n- [~] a\n")]),
    ("phase-status-drift", "## Phase 1: A COMPLETE\n- [ ] a\n", [("", "## Phase 1: A\n- [ ] a\n")]),
    ("marker-alias", "- [>] a\n", [("Write [!]", "- [!] a\n")]),
]


@pytest.mark.parametrize(
    ("code", "text", "expected"), OFFERED, ids=[f"{n}-{case[0]}" for n, case in enumerate(OFFERED)]
)
def test_fixes_that_are_offered(code: str, text: str, expected: list[tuple[str, str]]) -> None:
    _, found = one(text, code)
    assert [after for _, after in found] == [after for _, after in expected]
    assert all(title == wanted for (title, _), (wanted, _) in zip(found, expected, strict=True) if wanted)
    for _, after in found:
        before = sum(problem.code == code for problem in parse(text).problems)
        assert sum(problem.code == code for problem in parse(after).problems) < before


def test_a_range_and_a_phase_are_not_cut_up() -> None:
    text = A + "- [ ] Task 1.1: a [depends:1.1-1.2]\n- [ ] Task 1.2: b [depends:Phase 1]\n"
    assert all(not fixes_of(parse(text), problem) for problem in parse(text).problems if "dep" in problem.code)


def test_fixes_of_what_the_text_alone_does_not_say() -> None:
    plan = parse("**Status**: In Progress\n**Updated**: 2026-01-01 11:00\n\n- [ ] a [agent: enginer ] b [model:haku]\n")
    found = stale_plan(plan, datetime(2026, 1, 3, 9, 5, tzinfo=UTC)) + unknown_names(plan, ["engineer"], ["haiku"])
    texts = [apply(plan.data, fix.edits).decode() for problem in found for fix in fixes_of(plan, problem)]
    assert texts == [
        plan.text.replace("2026-01-01 11:00", "2026-01-03 09:05"),
        plan.text.replace("enginer", "engineer"),
        plan.text.replace("haku", "haiku"),
    ]
    assert [plan.document.line(3)[problem.start : problem.end] for problem in found[1:]] == [
        "[agent: enginer ]",
        "[model:haku]",
    ]
    assert all(certain_fix(problem) is None for problem in found)
    other = parse("- [ ] a [agent:xyzxyzxyz]\n- [ ] b\n  - Agent: enginer\n")
    assert [problem.fixes for problem in unknown_names(other, ["engineer"])] == [(), ()]


MANY = {
    "slips": "# P\n" + "- [x ] a\n" * 5_000,
    "slips in slips": "".join("  " * n + "- [] a\n" for n in range(90)) * 20,
    "slips below a bullet": "-[ ] a\n" + "  - b\n" * 5_000,
    "reversed ranges": "- [ ] 1.1 a\n- [ ] 1.2 b\n" + "- [ ] c [depends:1.2-1.1]\n" * 5_000,
    "each waits for itself": "".join(f"- [ ] T{n} a [depends:T{n}]\n" for n in range(5_000)),
    "one long cycle": "".join(f"- [ ] T{n} a [depends:T{(n + 1) % 5_000}]\n" for n in range(5_000)),
}


@pytest.mark.parametrize("name", MANY)
def test_fixes_of_thousands_of_problems_are_found_in_time(name: str) -> None:
    plan = parse(MANY[name])
    assert readings(lambda: fix_all(plan)) < 20
    assert plan.problems


def test_fix_all_of_some_codes() -> None:
    text = P + "- [/] a\n- [x ] b\n"
    assert apply(text.encode(), fix_all(parse(text), {"marker-alias"})).decode() == P + "- [~] a\n- [x ] b\n"


PARTS = """- [ ] Task 1.1: one|- [/] Task 1.2: two [depends:1.3-1.1]|- [x ] Task 1.3: three|- []|- [ ] b [parallel:none]
-[ ] c|  - [x]d|  - Depends: 1.3-1.1, 1.1|## Phase 1: A 🚧|## Phase 2: B ✅|### Phase 3 ⏳|**Current Phase**: Phase 1
Status: Draft|Current Phase: Phase 2|## Progress Log|- 2025-01-01: Completed Task 1.1|## Success Criteria|1. [ x] e|text
|||---|===|```|<!--|- [>] f|- [ ] Task 1.1: again [depends:1.1]|      - [ ] g|> - [/] q|# Plan: P|    - [/] code|- []"""
plans = st.lists(
    st.tuples(st.sampled_from(PARTS.replace("\n", "|").split("|")), st.sampled_from(["\n", "\n", "\r\n", "\r"])),
    max_size=25,
).map(lambda lines: "".join(text + end for text, end in lines))


@settings(max_examples=often(500), deadline=None)
@given(plans, st.booleans())
@example("## Progress Log\n-[ ] c\n---\n- [ ] Task 1.1: one\n", False)  # what is underlined ends a section
@example("- [ ] 1.1 a\n- [ ] 1.3 c\n- [~] 1.2 b [depends:1.3-1.1]\n  - Depends: 1.3-1.1, 1.1\n", False)  # said twice
def test_fix_all_comes_to_rest_and_removes_what_it_claims(text: str, cut: bool) -> None:
    text = text.rstrip("\r\n") if cut else text
    for _ in range(len(parse(text).document) + 2):  # a box may be one only when that above it is
        plan = parse(text)
        edits = fix_all(plan)
        claimed = {
            (problem.code, problem.line)
            for problem in plan.problems
            if (fix := certain_fix(problem)) is not None and set(fix.edits) <= set(edits)
        }
        assert bool(claimed) == bool(edits)
        if not edits:
            return
        after = parse(apply(text.encode(), edits))
        assert claimed.isdisjoint((problem.code, problem.line) for problem in after.problems)
        assert after.document.count == plan.document.count
        touched = {edit.start_line for edit in edits}
        for number, (old, new) in enumerate(zip(plan.document, after.document, strict=True), 1):
            assert old == new or number in touched
            assert old[len(body(old)) :] == new[len(body(new)) :]
        same = {task.line: (task.title, task.status) for task in after.tasks}
        ids = {task.line: task.id for task in after.tasks}
        for task in plan.tasks:
            assert task.line in same
            assert same[task.line] == (task.title, task.status)
            assert ids[task.line] == task.id or not task.explicit
        text = after.text
    raise AssertionError("the fixes don't come to an end")


@settings(max_examples=often(300), deadline=None)
@given(plans)
def test_every_fix_can_be_applied(text: str) -> None:
    plan = parse(text)
    for problem in plan.problems:
        for fix in fixes_of(plan, problem):
            assert fix.title
            assert fix.edits
            apply(text.encode(), fix.edits)


@pytest.mark.skipif(not FILES, reason="no corpus of plans here")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_fix_all_leaves_the_tasks_of_real_plans(path: Path) -> None:
    data = path.read_bytes()
    before = [(task.id, task.title, task.status) for task in parse(data).tasks]
    after = parse(fixed(data.decode()).encode())
    assert [(task.id, task.title, task.status) for task in after.tasks] == before


@settings(max_examples=often(150))
@given(
    before=st.sampled_from(["", "- [ ] a\n", "text\n", "1. b\n\n", "> c\n"]),
    bullet=st.sampled_from(["- ", "* ", "1. ", "- - ", "> - ", "  - ", "     + "]),
    blanks=st.text("  \t", max_size=9),
    box=st.sampled_from(["[ ]", "[]", "[x]", "[x ]", "[ x]", "[  ]", "[ ]*", "[]x", "[x]y"]),
    rest=st.sampled_from([" a", "", "\ta", "b"]),
)
@example("", "- ", "    ", "[ ]", " x")
@example("", "- ", "\t\t", "[x ]", " x")
def test_every_fix_of_a_box_makes_a_box(before: str, bullet: str, blanks: str, box: str, rest: str) -> None:
    text = f"{P}{before}{bullet}{blanks}{box}{rest}\n"
    plan = parse(text)
    for problem in plan.problems:
        if problem.code != "malformed-checkbox" or "behind" not in problem.message:
            continue
        for fix in fixes_of(plan, problem):
            after = parse(apply(text.encode(), fix.edits))
            assert after.document.step(problem.line - 1).box, (text, fix)
            assert (problem.code, problem.line) not in {(each.code, each.line) for each in after.problems}


def test_a_box_far_behind_its_bullet_is_moved_by_a_person_alone() -> None:
    """It is code for Markdown, so it may be meant as code."""
    text = P + "-     [ ] x\n"
    plan = parse(text)
    [problem] = [each for each in plan.problems if each.code == "malformed-checkbox"]
    [fix] = fixes_of(plan, problem)
    assert fix.title == "Put one blank before the box" and not fix.certain
    assert apply(text.encode(), fix.edits).decode() == P + "- [ ] x\n"
