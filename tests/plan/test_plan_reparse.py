"""A plan read again after an edit is the plan read from scratch; and typing costs the same in a long plan."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import Document, Plan, parse, reparse, show, spliced
from devloop.plan.tree import Node
from support.turns import often

LINES = """- [ ] Task 1.1: one|- [x] Task 1.2: two [depends:1.1]|- [ ] plain|- [!] blocked|  - [ ] step|  - Notes: n
  - Files: a.py, ../b
  - **Acceptance**: it works|    - nested|  - a detail|    goes on|  - Depends: 1.1|  - Agent: qa
text|more text||```|> q|1. [ ] c|# Plan: P|**Status**: Planning|Status: x|## Phase 1: A
### Phase 2|## Progress Log|- 2025-01-01 10:00: Completed Task 1.2|## Success Criteria|- [?] T5 odd [depnds:1]
- [/] T6 alias [depends:9.9] [parallel:A]|- [ ] T6 again [parallel:A] [depends:T6]|===|---|      - [ ] deep|| a | [x] |
<!-- c -->|    code|- [ ]|- [ ] Task 1.1|- [ ] Task 1.1: dup|  - Acceptance:|    - [ ] c1|    - [x] c2
### Phase 2 [depends:1]|-|- |  -|- [|- []|-[ ] x|lazy|  - Skills: a, b|- Group A: 1.1, 1.2|- x
- [ ] T9 forward [depends:T5]|- [ ] Task 3.1: f [parallel:A] [depends:1.1-1.2]""".replace("| a | [x] |", "¦ a ¦ [x] ¦")
lines = st.sampled_from([line.replace("¦", "|") for line in LINES.replace("\n", "|").split("|")])
changes = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(0, 40),
        st.integers(0, 2),
        st.sampled_from(["", "x", " ", "z z", "[", "`", "#", "\n", "\n- "]),
    ),
    min_size=1,
    max_size=4,
)


def everything(plan: Plan) -> object:
    boxes = [
        (node.line, node.box, [(meta, value.line, value.text) for meta, value in node.metas])
        for node in plan.tree.tasks
    ]
    return show(plan), plan.problems, plan.tasks, plan.phases, plan.sections, plan.stats, boxes, plan.text


def closely(plan: Plan) -> object:
    """With all that was found on the way."""
    tree, graph = plan.tree, plan.graph
    needs = [[(need.text, need.ids, need.members) for need in all_] for all_ in graph.needs]
    said = (tree.suspects, tree.malformed, tree.tables, tree.log, tree.sections, tree.header_end)
    phases = [(draft.line, draft.end_line, draft.fields, draft.groups) for draft in tree.phases]
    parents = [parent and parent.line for parent in tree.criterion_parents]
    nodes = {line: of_node(plan, node) for line, node in tree.nodes.items()}
    assert all(nodes[node.line] == of_node(plan, node) for node in tree.tasks)
    return everything(plan), plan.criteria, nodes, said, phases, parents, needs, graph.by_line


def of_node(plan: Plan, node: Node) -> object:
    assert plan.tree.nodes[node.line] is node
    assert node.parent is None or plan.tree.nodes[node.parent.line] is node.parent
    metas = [(meta, plan.tree.nodes[value.line] is value, value.line) for meta, value in node.metas]
    place = (node.line, node.index, node.section, node.phase, node.parent and node.parent.line)
    return place, node.kind, node.key, node.box, list(node.texts), list(node.nested), metas


@settings(max_examples=often(400), deadline=None)
@given(st.lists(lines, max_size=25), changes, st.booleans())
def test_equals_a_fresh_reading(text: list[str], edits: list[tuple[int, int, int, str]], asked: bool) -> None:
    plan = parse("\n".join(text) + "\n")
    for line, column, length, new in edits:
        if asked:
            show(plan)  # problems and statistics are cached and have to be carried on correctly
        plan = reparse(plan, plan.document.replace((line, column), (line, column + length), new))
        assert everything(plan) == everything(parse(plan.text))


headers = st.sampled_from(["", "# P\n\n**Status**: Planning\n\n## Phase 1: A\n\n", "text\n" * 70])
structural = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 60), st.lists(lines, min_size=1, max_size=3)),
        st.tuples(st.just("delete"), st.integers(0, 60), st.integers(1, 3)),
        st.tuples(st.just("replace"), st.integers(0, 60), lines),
        st.tuples(st.just("enter"), st.integers(0, 60), st.integers(0, 30)),
        st.tuples(st.just("join"), st.integers(0, 60), st.integers(0, 3)),
    ),
    min_size=1,
    max_size=8,
)


def edited(document: Document, kind: str, at: int, what: object) -> Document:
    at = min(at + (66 if document.line(0) == "text\n" else 0), document.count)
    if isinstance(what, list):
        return document.edit(at, at, [f"{line}\n" for line in what])
    if kind == "replace":
        return document.edit(at, at + 1, [f"{what}\n"])
    assert isinstance(what, int)
    if kind == "delete":
        return document.edit(at, at + what, [])
    end = (at, what) if kind == "enter" else (at + 1, what)
    return document.replace((at, what if kind == "enter" else 10_000), end, "\n" if kind == "enter" else "")


taken = Counter[bool]()


@settings(max_examples=often(600), deadline=None)
@given(headers, st.lists(lines, max_size=60), structural, st.booleans())
def test_lines_that_come_and_go_leave_what_a_fresh_reading_finds(
    header: str, text: list[str], edits: list[tuple[str, int, object]], asked: bool
) -> None:
    plan = parse(header + "\n".join(text) + "\n")
    for kind, at, what in edits:
        if asked:
            show(plan)
        before, old = closely(plan), plan
        document = edited(plan.document, kind, at, what)
        quick = spliced(plan, document)
        taken[quick is not None] += 1
        plan = parse(document)
        if quick is not None:
            assert closely(quick) == closely(parse(document.text))
            plan = quick
        assert closely(old) == before


def test_many_of_these_edits_were_spliced() -> None:
    """After the test above: it proves nothing when all of them are read anew."""
    if taken:
        assert taken[True] > 0.3 * taken.total()


@pytest.mark.parametrize(
    ("old", "new", "quick"),
    [
        ("- [ ] b\n", "\n- [ ] b\n", True),
        ("- [ ] b\n", "- \n- [ ] b\n", True),
        ("- [ ] b\n", "- [ ] b\n  - Files: x.py\n", True),
        ("  - Notes: n\n", "  - Notes: n\n    goes on\n", True),
        ("  - Notes: n\n", "", True),
        ("  - Notes: n\n", "  - Agent: qa\n", True),
        ("  - [x] c1\n", "  - [ ] c1\n  - [ ] c2\n", False),  # steps are tasks
        ("    - [ ] c3\n", "    - [x] c3\n    - [ ] c4\n", True),
        ("- [ ] b\n", "- [ ] new\n- [ ] b\n", False),
        ("- [ ] b\n", "- [x] b\n", False),
        ("- [ ] b\n", "- [ ] b [depends:1.1]\n", False),
        ("- [ ] b\n", "- [ ] b [agent:qa]\n", True),
        ("## Phase 2: B\n", "## Phase 2: B\n\n### Notes\n", False),
        ("**Goal**: g\n", "**Goal**: h\n", False),
        ("- 2026-01-01", "- 2026-01-02 10:00: Blocked\n- 2026-01-01", False),
    ],
)
def test_what_is_spliced_and_what_is_read_anew(old: str, new: str, quick: bool) -> None:
    text = (
        "# P\n\n**Goal**: x\n\n## Phase 1: A\n\n- [x] Task 1.1: a\n  - Notes: n\n  - [x] c1\n  - Acceptance:\n"
        "    - [ ] c3\n- [ ] b\n\n## Phase 2: B\n\n**Goal**: g\n\n- [ ] Task 2.1: c [depends:1.1]\n\n"
        "## Progress Log\n\n- 2026-01-01 10:00: x\n"
    )
    assert old in text
    plan = parse(text)
    show(plan)
    start = text.index(old)
    at = text.count("\n", 0, start)
    end = at + old.count("\n")
    document = plan.document.edit(at, end, [new]) if end > at else plan.document.replace((at, 0), (at, len(old)), new)
    found = spliced(plan, document)
    assert (found is not None) == quick
    assert closely(found or parse(document)) == closely(parse(document.text))


def test_a_new_line_costs_a_fraction_of_reading_the_plan() -> None:
    text = "# P\n## Phase 1: A\n" + "".join(f"- [ ] Task 1.{n}: widget [depends:1.{n - 1}]\n" for n in range(1_000))
    plan = parse(text)
    assert plan.problems
    document = plan.document.edit(100, 100, ["\n"])

    def cost(read: Callable[[], Plan | None]) -> float:
        best = 9.0
        for _ in range(5):
            begin = time.process_time()
            found = read()
            assert found is not None
            assert found.problems
            best = min(best, time.process_time() - begin)
        return best

    assert cost(lambda: spliced(plan, document)) < 0.5 * cost(lambda: parse(document))


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


@pytest.mark.parametrize(
    ("before", "line", "start", "end", "new"),
    [
        ("- [ ] a\n  - Updated: never (x)\n", 1, 13, 18, "now"),  # a detail that looks like a field of the header
        ("- [ ] a\n  - Since: never\n", 1, 4, 9, "Updated"),
        ("- [ ] a\ud800\n- [ ] b\n", 0, 7, 8, ""),  # no byte is wrong any more
        ("- [ ] a\n- [ ] b\n", 0, 7, 7, "\udc80"),
        # two tasks of a group that name the same file
        ("- [ ] a [parallel:A]\n  - Files: a.py\n- [ ] b [parallel:A]\n  - Files: a.py\n", 1, 11, 12, "b"),
        ("- [ ] a [parallel:A]\n  - Files: b.py\n- [ ] b [parallel:A]\n  - Files: a.py\n", 1, 11, 12, "a"),
        ("- [ ] a\n  -       - [ ] b\n", 1, 12, 15, ""),  # nearly a box, in the code of a bullet
    ],
)
def test_what_is_reported_of_a_line_follows_its_text(before: str, line: int, start: int, end: int, new: str) -> None:
    plan = parse(before)
    assert plan.problems is not None
    plan = reparse(plan, plan.document.replace((line, start), (line, end), new))
    assert everything(plan) == everything(parse(plan.text))
