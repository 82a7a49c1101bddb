"""Formatting changes how a plan looks, never what it means: on real plans, made-up ones and any text."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop.plan import Document, Edit, Plan, parse
from devloop.plan.blocks import BLANK, HEADING, ITEM, TEXT
from devloop.plan.edits import apply_text
from devloop.plan.format import FormatOptions, format_lines, format_plan
from devloop.plan.format.pieces import spelled
from devloop.plan.lines import body, ending
from support.turns import often

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []

PLAIN = FormatOptions()


def meaning(plan: Plan) -> dict[str, Any]:
    """Everything a plan says, apart from where it says it and how tags are spelled."""
    lines = {task.line: index for index, task in enumerate(plan.tasks)}
    tasks = []
    for index, task in enumerate(plan.tasks):
        values = dataclasses.asdict(task)
        del values["line"], values["marker"]
        box = plan.tree.tasks[index].box
        assert box is not None
        values["tags"] = [spelled(tag) for tag in box.tags]
        values["parent_line"] = lines[task.parent_line] if task.parent_line is not None else None
        tasks.append(values)
    return {
        "name": plan.name,
        "status": (plan.status, plan.status_text),
        "fields": [(field.key, field.value) for field in plan.fields],
        "phases": [_without(phase, "line", "end_line") for phase in plan.phases],
        "tasks": tasks,
        "criteria": [
            {**_without(criterion, "line"), "section": _untagged(criterion.section)} for criterion in plan.criteria
        ],
        "log": [_without(line, "line") for line in plan.log],
        "sections": [(s.level, _untagged(s.text), s.kind) for s in plan.sections],
        "needs": [[(need.members, need.unknown) for need in needs] for needs in plan.graph.needs],
    }


def _untagged(heading: str) -> str:
    return re.sub(r"\[parallel:.*?\]", "", heading, flags=re.IGNORECASE)


def _without(value: Any, *names: str) -> dict[str, Any]:
    return {key: found for key, found in dataclasses.asdict(value).items() if key not in names}


def changed(plan: Plan, edits: Sequence[Edit]) -> Plan:
    return parse(Document.of(apply_text(plan.document, edits)), name=plan.name)


def _is_ours(plan: Plan, number: int, log: bool) -> bool:
    """Whether a line of text is a field, goes on with an item, or is a row of a table."""
    text = plan.document.line(number - 1).lstrip()
    if text.startswith("|") and any(first <= number for first, _ in plan.tree.tables):
        return True
    return not log and (bool(plan.document.step(number - 1).state.stack) or text.startswith("**"))


def untouchable(plan: Plan) -> list[str]:
    """The lines that formatting has to leave as they are, with their ends: all but items, headings, fields, tables."""
    heads = [*plan.sections, None]
    in_log = [
        (head.line, following.line - 1 if following is not None else plan.document.count)
        for head, following in itertools.pairwise(heads)
        if head is not None and head.kind == "log"
    ]
    found = []
    for number, (line, step) in enumerate(zip(plan.document, plan.document.steps(), strict=True), 1):
        node = plan.tree.nodes.get(number)
        log = any(first < number <= last for first, last in in_log)
        if step.kind == ITEM and not step.quoted:
            top = node
            while top is not None and top.kind == "detail" and top.parent is not None:
                top = top.parent
            if not log and top is not None and top.kind not in ("log", "detail"):
                continue
        elif step.kind in (BLANK, HEADING) or (step.kind == TEXT and not step.quoted and _is_ours(plan, number, log)):
            continue
        found.append(line)
    return found


def check(text: str, options: FormatOptions = PLAIN) -> Plan:
    plan = parse(text)
    edits = format_plan(plan, options)
    after = changed(plan, edits)
    assert meaning(after) == meaning(plan)
    assert format_plan(after, options) == (), "formatting twice is formatting once"
    assert untouchable(after) == untouchable(plan)
    assert after.document.bom == plan.document.bom
    assert ending(plan.text) == ending(after.text) or not body(plan.document.line(plan.document.count - 1)).strip()
    for edit in edits:
        assert edit.text != edit.expect
        assert edit.start_line == edit.end_line
    return after


@pytest.mark.skipif(not FILES, reason="no corpus of plans here")
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_real_plan_keeps_its_meaning(path: Path) -> None:
    check(path.read_bytes().decode("utf-8", "surrogateescape"))


WORDS = """- [ ] |-  [x]  |* [~] |- [!]|- [/] |  - [ ]  |    - [ ] |1.  [ ] |10. [ ] |- |-   |  - |   * |+ |- []
Task 1.1|Task  1.2 :|Task 1.3:x|T001 |2.1  |P0-1 |**|:|[Depends: 1.1,1.2]|[depends:1.1 ,, Task 1.2]|[PARALLEL: a]
[p]|[us1]|(P)|[agent: a : b]|{#x}|# |## |### Phase 1: A|###   Phase 2 - B ✅  |## Phase 3: C [Parallel: full]|# Plan: |
## Progress Log
## Success Criteria|**Status**: |**Updated**:   2025-12-29|**Goal**:x|**Dependencies**: Phase 2
- Group A: Tasks 1.1, 1.2
  |    |\t|\n|\n|\n|\n|\r\n|\r|\n\n|  - Acceptance:   |    - Files: `a.py`|  - **Notes**:  b
- Depends: 1.1|```|    ```|<!--|-->
> |---|===|2025-12-24 03:25: |Completed Task 1.1|`|| |  text|     deep text|word|<div>|<details>|\ufeff
| a | b |\n|---|---|\n
| a | bb |\n|---|----|\n| c | d  |\n|e|f|\n|\u2028|  \n|   \n|\t- x"""
fragments = st.lists(
    st.sampled_from(list(WORDS.replace("\\n", "\n").replace("\\t", "\t").replace("\n", "|\n|").split("|"))),
    max_size=60,
).map("".join)
ROWS = st.sampled_from(
    [
        "- [ ] Task 1.{n}: a [depends:1.1,1.2]",
        "-  [/] Task 1.{n}: a   [P]  ",
        " - [x]  b",
        "  - [ ] step",
        "    - [ ] Task 2.{n}:b",
        "1.  [ ] c",
        "2. [ ] Task 3.{n}: d",
        "   - Notes:   d  ",
        "  - Acceptance:",
        "    -   Files: `a b.py`, c.py:3",
        "      - nested",
        "        text that goes on",
        "  text below  ",
        "    paragraph",
        "      code?",
        "",
        "  ",
        "    ```",
        "  ```",
        "```",
        "> quoted",
        "  > quoted",
        "<!-- x",
        "-->",
        "### Phase {n}: A",
        "###  Phase {n} [parallel: Full]",
        "## Progress Log",
        "- 2025-01-01:   x  ",
        "## Acceptance",
        "**Goal**:   x",
        "**Complexity**: M",
        "| a   | b |",
        "|-----|---|",
        "| cc  | d |",
        "| e | f |",
        "\t- tab",
        "- \ttab",
        "-     code in an item",
        "- - [ ] twice",
        "-",
        "- prose",
        "  * prose",
        "prose",
        "---",
    ]
)
plans = st.lists(ROWS, max_size=25).map(
    lambda rows: "\n".join(row.replace("{n}", str(at % 5)) for at, row in enumerate(rows)) + "\n"
)


@settings(max_examples=often(400), deadline=None)
@given(plans)
def test_lines_in_any_order_keep_their_meaning(text: str) -> None:
    check(text)


@settings(max_examples=often(400), deadline=None)
@given(fragments)
def test_any_mixture_of_words_keeps_its_meaning(text: str) -> None:
    check(text)


@settings(max_examples=often(150), deadline=None)
@given(st.text(max_size=120))
def test_any_text_can_be_formatted(text: str) -> None:
    check(text)


@settings(max_examples=often(300), deadline=None)
@given(plans, st.integers(-2, 30), st.integers(-2, 30))
@example("-  [ ] a\n   - b\n", 1, 1)
def test_a_range_changes_no_other_line_and_no_meaning(text: str, first: int, last: int) -> None:
    plan = parse(text)
    edits = format_lines(plan, first, last)
    for edit in edits:
        assert first <= edit.start_line <= last + 1
        assert edit.start_line <= last or not edit.expect, "behind the range there is at most an empty line more"
    assert meaning(changed(plan, edits)) == meaning(plan)
