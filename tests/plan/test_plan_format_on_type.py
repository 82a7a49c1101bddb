"""What happens while typing: lists of tasks go on, empty items end, `[]` becomes a box; code and prose stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import Document, parse
from devloop.plan.edits import apply_text
from devloop.plan.format import on_type
from support.turns import often

HEAD = "## Phase 1: A\n\n"


def typed(text: str, char: str = "\n") -> str:
    """The text after a character was typed at the place of `‸`; the result shows where the cursor is put.

    `‸` stands where the cursor is after the character and after what the editor put there on its own.
    """
    before, after = text.split("‸")
    plan = parse(before + after)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    result = on_type(plan, line, column, char)
    if result.cursor is None:
        assert result.edits == ()
        return text
    new = Document.of(apply_text(plan.document, result.edits))
    row, place = result.cursor
    lines = new.lines()
    lines += [""] * (row - len(lines))
    at = lines[row - 1]
    assert place <= len(at.rstrip("\r\n"))
    lines[row - 1] = f"{at[:place]}‸{at[place:]}"
    return "".join(lines)


GOES_ON = {
    "task with a number": ("- [ ] Task 1.1: a\n‸\n", "- [ ] Task 1.1: a\n- [ ] Task 1.2: ‸\n"),
    "at the end of the file": ("- [x] Task 1.1: a\n‸", "- [x] Task 1.1: a\n- [ ] Task 1.2: ‸"),
    "the next free number": (
        "- [ ] Task 1.1: a\n‸\n- [ ] Task 1.2: b\n",
        "- [ ] Task 1.1: a\n- [ ] Task 1.3: ‸\n- [ ] Task 1.2: b\n",
    ),
    "a gap": ("- [ ] Task 1.1: a\n‸\n- [ ] Task 1.3: b\n", "- [ ] Task 1.1: a\n- [ ] Task 1.2: ‸\n- [ ] Task 1.3: b\n"),
    "nine and ten": ("- [ ] Task 1.9: a\n‸\n", "- [ ] Task 1.9: a\n- [ ] Task 1.10: ‸\n"),
    "bare number": ("- [ ] 1.1 a\n‸\n", "- [ ] 1.1 a\n- [ ] 1.2 ‸\n"),
    "bare number with a dot": ("- [ ] 3. a\n‸\n", "- [ ] 3. a\n- [ ] 4. ‸\n"),
    "bold number": ("- [ ] **1.1** a\n‸\n", "- [ ] **1.1** a\n- [ ] **1.2** ‸\n"),
    "bold task": ("- [ ] **Task 1.1**: a\n‸\n", "- [ ] **Task 1.1**: a\n- [ ] **Task 1.2**: ‸\n"),
    "bold to the end": ("- [ ] **Task 1.1: a**\n‸\n", "- [ ] **Task 1.1: a**\n- [ ] Task 1.2: ‸\n"),
    "spec-kit": ("- [ ] T009 [P] a\n‸\n", "- [ ] T009 [P] a\n- [ ] T010 ‸\n"),
    "no number": ("* [ ] a\n‸\n", "* [ ] a\n* [ ] ‸\n"),
    "names are no numbers": ("- [ ] P0-1: a\n‸\n", "- [ ] P0-1: a\n- [ ] ‸\n"),
    "one without a number among numbered": (
        "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] c\n‸\n",
        "- [ ] Task 1.1: a\n- [ ] Task 1.2: b\n- [ ] c\n- [ ] Task 1.3: ‸\n",
    ),
    "step": ("- [ ] Task 1.1: a\n  - [ ] b\n  ‸\n", "- [ ] Task 1.1: a\n  - [ ] b\n  - [ ] ‸\n"),
    "step with a number": ("- [ ] 1.1 a\n  - [ ] 1.1.1 b\n‸\n", "- [ ] 1.1 a\n  - [ ] 1.1.1 b\n  - [ ] 1.1.2 ‸\n"),
    "criterion": ("1. [ ] a\n‸\n", "1. [ ] a\n2. [ ] ‸\n"),
    "metadata": ("- [ ] a\n  - Notes: b\n  ‸\n", "- [ ] a\n  - Notes: b\n  - ‸\n"),
    "list of a value": ("- [ ] a\n  - Files:\n    - b.py\n‸\n", "- [ ] a\n  - Files:\n    - b.py\n    - ‸\n"),
    "above metadata": ("- [ ] Task 1.1: a\n‸\n  - Notes: b\n", "- [ ] Task 1.1: a\n  - ‸\n  - Notes: b\n"),
    "the editor's bullet": ("- [ ] Task 1.1: a\n- ‸\n", "- [ ] Task 1.1: a\n- [ ] Task 1.2: ‸\n"),
    "the editor's box": ("- [x] Task 1.1: a\n- [ ] ‸\n", "- [x] Task 1.1: a\n- [ ] Task 1.2: ‸\n"),
    "the editor's indentation": ("- [ ] Task 1.1: a\n      ‸\n", "- [ ] Task 1.1: a\n- [ ] Task 1.2: ‸\n"),
    "in the middle of a title": ("- [ ] Task 1.1: a \n‸b\n", "- [ ] Task 1.1: a \n- [ ] Task 1.2: ‸b\n"),
    "tabs": ("- [ ] a\n\t- Notes: b\n\t‸\n", "- [ ] a\n\t- Notes: b\n\t- ‸\n"),
    "other line ends": ("- [ ] Task 1.1: a\r\n‸\r\n", "- [ ] Task 1.1: a\r\n- [ ] Task 1.2: ‸\r\n"),
}


@pytest.mark.parametrize("name", GOES_ON)
def test_a_list_goes_on(name: str) -> None:
    before, after = GOES_ON[name]
    assert typed(HEAD + before) == HEAD + after


ENDS = {
    "task": ("- [ ] Task 1.1: a\n- [ ] Task 1.2: \n‸\n", "- [ ] Task 1.1: a\n‸\n"),
    "task without a number": ("- [ ] a\n- [ ] \n‸", "- [ ] a\n‸"),
    "the editor goes on": ("- [ ] a\n- [ ] \n- [ ] ‸\n", "- [ ] a\n‸\n"),
    "metadata": ("- [ ] a\n  - Notes: b\n  - \n  ‸\n", "- [ ] a\n  - Notes: b\n‸\n"),
    "criterion": ("1. [ ] a\n2. [ ] \n‸\n", "1. [ ] a\n‸\n"),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_item_without_text_ends_the_list(name: str) -> None:
    before, after = ENDS[name]
    assert typed(HEAD + before) == HEAD + after


QUIET = {
    "prose": "word\n‸\n",
    "prose list": "- word\n‸\n",
    "empty bullet of a prose list": "- word\n- \n‸\n",
    "code": "```\n- [ ] Task 1.1: a\n‸\n```\n",
    "indented code": "x\n\n    - [ ] Task 1.1: a\n    ‸\n",
    "comment": "<!--\n- [ ] Task 1.1: a\n‸\n-->\n",
    "quote": "> - [ ] Task 1.1: a\n‸\n",
    "log": "## Progress Log\n- 2025-01-01: Started Task 1.1\n‸\n",
    "box in the log": "## Progress Log\n- [x] a\n‸\n",
    "heading": "### Phase 2: B\n‸\n",
    "text that goes on": "- [ ] a\n  more\n  ‸\n",
    "before the id": "- [ ] \n‸Task 1.1: a\n",
    "before another task": "- [ ] a\n‸- [ ] b\n",
    "above the text of a task": "- [ ] a\n‸\n  more\n",
    "first line": "‸",
}


@pytest.mark.parametrize("name", QUIET)
def test_elsewhere_a_new_line_is_just_that(name: str) -> None:
    text = QUIET[name] if name == "first line" else HEAD + QUIET[name]
    assert typed(text) == text


BOXES = {
    "at the end": ("- []‸\n", "- [ ] ‸\n"),
    "before text": ("- []‸ a\n", "- [ ] ‸a\n"),
    "before text without a space": ("  1. []‸a\n", "  1. [ ] ‸a\n"),
    "link": ("- []‸(x)\n", "- []‸(x)\n"),
    "a box": ("- [ ]‸\n", "- [ ]‸\n"),
    "later in a line": ("- a []‸\n", "- a []‸\n"),
    "code": ("```\n- []‸\n```\n", "```\n- []‸\n```\n"),
    "quote": ("> - []‸\n", "> - []‸\n"),
    "log": ("## Progress Log\n- []‸\n", "## Progress Log\n- []‸\n"),
}


@pytest.mark.parametrize("name", BOXES)
def test_brackets_become_a_box(name: str) -> None:
    before, after = BOXES[name]
    assert typed(HEAD + before, "]") == HEAD + after


@pytest.mark.parametrize("char", ["x", " ", "a", ""])
def test_other_characters_change_nothing(char: str) -> None:
    assert typed("- [x‸] a\n", char) == "- [x‸] a\n"


@settings(max_examples=often(200), deadline=None)
@given(
    st.lists(
        st.sampled_from(["- [ ] Task 1.1: a", "  - Notes: b", "- ", "- []", "\t- [ ] ", "```", "> ", "x", ""]),
        max_size=12,
    ),
    st.integers(-1, 14),
    st.integers(-1, 20),
    st.sampled_from("\n]x"),
)
def test_every_place_has_an_answer(rows: list[str], line: int, column: int, char: str) -> None:
    plan = parse("\n".join(rows))
    result = on_type(plan, line, column, char)
    apply_text(plan.document, result.edits)
    for edit in result.edits:
        assert edit.start_line in (line - 1, line)


def test_typing_in_ten_thousand_lines_takes_no_time() -> None:
    text = "".join(
        f"## Phase {p}: A\n\n" + "".join(f"- [ ] Task {p}.{n}: a\n  - Notes: b\n" for n in range(40))
        for p in range(125)
    )
    plan = parse(text.replace("- [ ] Task 60.39: a\n  - Notes: b\n", "- [ ] Task 60.39: a\n\n"))
    line = next(task.line for task in plan.tasks if task.id == "60.39") + 1
    best = 1.0
    for _ in range(3):
        begin = time.process_time()
        result = on_type(plan, line, 0, "\n")
        best = min(best, time.process_time() - begin)
    assert result.edits[0].text == "- [ ] Task 60.40: "
    begin = time.process_time()
    parse("\n".join(plan.document.lines(1)))
    assert best < (time.process_time() - begin) / 20
