"""What formatting does to a plan, rule by rule, and what it leaves alone."""

from __future__ import annotations

import pytest

from devloop.plan import Document, parse
from devloop.plan.edits import apply_text
from devloop.plan.format import FormatOptions, format_lines, format_plan
from support.effort import cpu_s, readings

PLAIN = FormatOptions()


def formatted(text: str, options: FormatOptions = PLAIN) -> str:
    plan = parse(text)
    return apply_text(plan.document, format_plan(plan, options))


RULES = {
    "one space behind bullet and box": ("-  [ ]   a\n", "- [ ] a\n"),
    "optional mark": ("- [ ]*   a\n", "- [ ]* a\n"),
    "spaces of an id": ("- [ ] Task  1.1 :a\n", "- [ ] Task 1.1: a\n"),
    "alias of a marker": ("- [/] a\n", "- [~] a\n"),
    "capital X stays": ("- [X] a\n", "- [X] a\n"),
    "deferred stays": ("- [>] a\n", "- [>] a\n"),
    "list of dependencies": (
        "- [ ] Task 1.3: a [Depends: 1.1,1.2 ,,  Phase  2]\n",
        "- [ ] Task 1.3: a [depends:1.1, 1.2, Phase 2]\n",
    ),
    "small tags": ("- [ ] T001 a   [p]  [us1]\n", "- [ ] T001 a [P] [US1]\n"),
    "skills": ("- [ ] a [Skills: b,c d]\n", "- [ ] a [skills:b, c, d]\n"),
    "agent and mode": ("- [ ] a [Agent: engineer : git]\n", "- [ ] a [agent:engineer:git]\n"),
    "unknown tags stay": ("- [ ] a [Depend: 1.1,1.2]\n", "- [ ] a [Depend: 1.1,1.2]\n"),
    "tags in code stay": ("- [ ] a `[Depends: 1.1,1.2]`\n", "- [ ] a `[Depends: 1.1,1.2]`\n"),
    "spaces in a title stay": ("- [ ] a   b\n", "- [ ] a   b\n"),
    "children move to their parent's content": (
        "- [ ] a\n    - Notes: b\n      goes on\n    - [ ] c\n        - Files: d.py\n",
        "- [ ] a\n  - Notes: b\n    goes on\n  - [ ] c\n    - Files: d.py\n",
    ),
    "children of a numbered criterion": ("1. [ ] a\n    - b\n", "1. [ ] a\n   - b\n"),
    "top-level tasks begin at the edge": (" - [ ] a\n   - b\n - [ ] c\n", "- [ ] a\n  - b\n- [ ] c\n"),
    "code holds its item in place": (
        "- [ ] a\n    - b\n\n      ```\n      x\n      ```\n    - c\n",
        "- [ ] a\n    - b\n\n      ```\n      x\n      ```\n  - c\n",
    ),
    "a second paragraph moves along": ("-   [ ] a\n\n    more\n", "- [ ] a\n\n  more\n"),
    "tabs stay": ("- [ ] a\n\t- b\n", "- [ ] a\n\t- b\n"),
    "prose lists stay": ("*   a\n     - b\n", "*   a\n     - b\n"),
    "blanks at the end": ("- [ ] a \n  - Notes: b \n", "- [ ] a\n  - Notes: b\n"),
    "hard breaks stay": ("- [ ] a  \n  b\n", "- [ ] a  \n  b\n"),
    "no break at a paragraph's end": ("- [ ] a  \n", "- [ ] a\n"),
    "empty lines are empty": ("- [ ] a\n   \n- [ ] b\n", "- [ ] a\n\n- [ ] b\n"),
    "blank lines of code stay": ("a\n\n    x\n      \n    y\n", "a\n\n    x\n      \n    y\n"),
    "prose keeps its blanks": ("a \nb   c \n", "a \nb   c \n"),
    "log lines stay": ("## Progress Log\n-   2025-01-01:  a \n", "## Progress Log\n-   2025-01-01:  a \n"),
    "quotes stay": (">  -  [ ]  a \n", ">  -  [ ]  a \n"),
    "comments stay": ("<!--\n-  [ ]  a \n-->\n", "<!--\n-  [ ]  a \n-->\n"),
    "fences stay": ("```\n-  [ ]  a \n \n```\n", "```\n-  [ ]  a \n \n```\n"),
    "front matter stays": ("---\na:  b \n---\n-  [ ] a\n", "---\na:  b \n---\n- [ ] a\n"),
    "empty lines around phases": (
        "# P\n## Phase 1: A\n- [ ] a\n## Phase 2: B\n## Phase 3: C\n",
        "# P\n\n## Phase 1: A\n\n- [ ] a\n\n## Phase 2: B\n\n## Phase 3: C\n",
    ),
    "fields may stand below their phase": ("## Phase 1: A\n**Goal**: x\n", "## Phase 1: A\n**Goal**: x\n"),
    "underlined phases": ("x\n\nPhase 1: A\n---\ny\n", "x\n\nPhase 1: A\n---\n\ny\n"),
    "spaces and tag of a heading": (
        "# P\n\n##   Phase 1: A [Parallel: full] \n",
        "# P\n\n## Phase 1: A [parallel:full]\n",
    ),
    "line ends are those of the line before": (
        "# P\r\n## Phase 1: A\r\n- [ ] a\n## Phase 2: B",
        "# P\r\n\r\n## Phase 1: A\r\n\r\n- [ ] a\n\n## Phase 2: B",
    ),
    "a BOM stays": ("\ufeff-  [ ] a", "\ufeff- [ ] a"),
    "fields without columns": (
        "# P\n\n**Status**:   Planning\n**Created**:2025-01-01\n",
        "# P\n\n**Status**: Planning\n**Created**: 2025-01-01\n",
    ),
    "fields in columns": (
        "# P\n\n**Status**:  Planning\n**Created**: 2025-01-01\n**Updated**:   2025-01-02\n",
        "# P\n\n**Status**:  Planning\n**Created**: 2025-01-01\n**Updated**: 2025-01-02\n",
    ),
    "fields with hard breaks": (
        "# P\n\n**Status**: Planning  \n**PR**: 1 \n",
        "# P\n\n**Status**: Planning  \n**PR**: 1\n",
    ),
    "metadata in columns": (
        "- [ ] a\n  - Notes:      b\n  - Acceptance: c\n  - Files: `d.py`\n",
        "- [ ] a\n  - Notes:      b\n  - Acceptance: c\n  - Files:      `d.py`\n",
    ),
    "metadata without columns": ("- [ ] a\n  - Notes:   b\n", "- [ ] a\n  - Notes: b\n"),
    "a row that fell out of its table": (
        "| id | x   |\n|----|-----|\n| 1  | abc |\n| 2 | y |\n",
        "| id | x   |\n|----|-----|\n| 1  | abc |\n| 2  | y   |\n",
    ),
    "a row that grew": (
        "| id | x |\n|----|--:|\n| 1  | a |\n| 2 | longer |\n",
        "| id |      x |\n|----|-------:|\n| 1  |      a |\n| 2  | longer |\n",
    ),
    "wide characters in a table": (
        "| a    | b |\n|------|---|\n| 完了 | x |\n| ✅ | y |\n",
        "| a    | b |\n|------|---|\n| 完了 | x |\n| ✅   | y |\n",
    ),
    "tables without columns stay": (
        "| a | b |\n|---|---|\n| ccc | d |\n| ee|f |\n",
        "| a | b |\n|---|---|\n| ccc | d |\n| ee|f |\n",
    ),
    "text like a table stays": ("| a | b |\n| c | d |\n|  e |\n", "| a | b |\n| c | d |\n|  e |\n"),
}


@pytest.mark.parametrize("name", RULES)
def test_rule(name: str) -> None:
    before, after = RULES[name]
    assert formatted(before) == after
    assert formatted(after) == after


def test_without_trimming_blanks_at_the_end_stay() -> None:
    assert formatted("-  [ ] a \n  \n", FormatOptions(trim=False)) == "- [ ] a \n  \n"


def test_edits_replace_only_what_differs() -> None:
    plan = parse("# P\n\n-  [/] Task 1.1: a   [depends:1.2,1.3] \n")
    found = [(edit.start_line, edit.start, edit.expect, edit.text) for edit in format_plan(plan)]
    assert found == [
        (3, 2, " ", ""),
        (3, 4, "/", "~"),
        (3, 19, "  ", ""),
        (3, 21, "[depends:1.2,1.3]", "[depends:1.2, 1.3]"),
        (3, 38, " ", ""),
    ]


def test_an_item_of_a_range_moves_only_with_its_children() -> None:
    text = "-  [ ]  a\n   -  b\n-  [ ]  c\n"
    plan = parse(text)
    assert apply_text(plan.document, format_lines(plan, 1, 1)) == "-  [ ] a\n   -  b\n-  [ ]  c\n"
    assert apply_text(plan.document, format_lines(plan, 1, 2)) == "- [ ] a\n  - b\n-  [ ]  c\n"


def test_a_move_that_would_change_what_is_a_child_is_not_made() -> None:
    # Moved, the first item would have its content where the second one, held by its code, begins.
    text = "   -   [ ] a\n   - [ ] b\n\n     ```\n     ```\n"
    plan = parse(text)
    after = parse(Document.of(apply_text(plan.document, format_plan(plan))))
    assert [task.parent for task in after.tasks] == [None, None]
    assert formatted(formatted(text)) == formatted(text)


def test_numbers_and_spaces_at_once() -> None:
    text = "## Phase 1: A\n-  [ ] Task 1.1: a\n-  [ ] Task 1.4: b [depends:1.1]\n- [ ] Task 1.6: c [Depends:1.1,1.4]\n"
    assert formatted(text, FormatOptions(renumber=True)) == (
        "## Phase 1: A\n\n- [ ] Task 1.1: a\n- [ ] Task 1.2: b [depends:1.1]\n- [ ] Task 1.3: c [depends:1.1, 1.2]\n"
    )
    assert "1.6" in formatted(text)


@pytest.mark.parametrize("tidy", [True, False])
def test_ten_thousand_lines_are_formatted_in_about_the_time_that_reading_them_takes(tidy: bool) -> None:
    deep, gap = ("  ", "") if tidy else ("    ", " ")
    task = f"- [ ]{gap} Task {{p}}.{{n}}: do it [parallel:A]\n{deep}- Acceptance: works\n{deep}- Files: `a.py`\n"
    text = "# P\n" + "".join(
        f"\n## Phase {p}: A\n\n" + "".join(task.format(p=p, n=n) for n in range(1, 11)) for p in range(1, 302)
    )
    plan = parse(text)
    assert plan.document.count > 9_900
    best = min(cpu_s(lambda: format_plan(plan)) for _ in range(3))
    assert bool(format_plan(plan)) is not tidy
    assert best < 3 * min(cpu_s(lambda: parse(text)) for _ in range(3))  # it takes a third to the whole of reading


HOSTILE = {
    "deep items": "".join("  " * n + f"-  [ ] {n}\n" for n in range(300)),
    "bars": "|" * 20_000 + "\n" + "|-" * 10_000 + "|\n" + "|" * 20_000 + "\n",
    "backslashes": ("|" + "\\" * 20_000 + "|\n") * 3,
    "blank lines": "- [ ] a\n" + "  \n" * 20_000,
    "code and blank lines": "    a\n" + "      \n" * 5_000,
    "fields": "# P\n" + "**Status**:  x\n" * 5_000,
    "metadata of one task": "- [ ] a\n" + "  - Notes:   b\n" * 5_000,
    "tags": "- [ ] a" + " [depends:1,2]" * 3_000,
    "moves that can't be made": "   -   [ ] a\n   - [ ] b\n\n     ```\n     ```\n" * 300,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_formatted_in_time(name: str) -> None:
    plan = parse(HOSTILE[name])
    assert readings(lambda: format_plan(plan)) < 25
