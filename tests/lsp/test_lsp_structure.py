"""What an editor's outline and folds show of a plan, through the wire."""

from __future__ import annotations

import copy

import pytest

from support.editor import EVERYTHING

PLAN = """---
title: x
---
# Plan: Demo

**Status**: In Progress

## Phase 1: Begin
**Goal**: get going

- [x] Task 1.1: First 😀 thing
- [-] Task 1.2: Second thing [depends:1.1]
  - **Acceptance**:
    - [x] it works
  - [ ] a step
    ```
    code
    ```

### Blockers
- [!] Task 1.3: Third

<!-- a
comment -->

## Success Criteria
1. [ ] all green

## Progress Log
- 2026-01-02 03:04: Completed Task 1.1
- 2026-01-02 03:05: Skipped Task 1.2 - no need
"""


def without(*path: str) -> dict:
    """What a client says that can't do the thing at the end of a path."""
    found = copy.deepcopy(EVERYTHING)
    at = found
    for key in path[:-1]:
        at = at[key]
    at.pop(path[-1], None)
    return found


def tagged() -> dict:
    found = copy.deepcopy(EVERYTHING)
    found["textDocument"]["documentSymbol"]["tagSupport"] = {"valueSet": [1]}
    return found


async def ask(editor, method: str, uri: str):
    return await editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}})


def shape(symbols, depth=0):
    """(depth, name, detail, kind, first line, last line) of every symbol."""
    for each in symbols:
        lines = each["range"]["start"]["line"], each["range"]["end"]["line"]
        yield (depth, each["name"], each.get("detail", ""), each["kind"], *lines)
        yield from shape(each.get("children", ()), depth + 1)


def check(symbols, inside=None):
    """Every selection lies in its range, and every range in that of its parent."""

    def place(position):
        return position["line"], position["character"]

    for each in symbols:
        start, end = place(each["range"]["start"]), place(each["range"]["end"])
        assert start <= place(each["selectionRange"]["start"]) <= place(each["selectionRange"]["end"]) <= end
        if inside is not None:
            assert place(inside["start"]) <= start <= end <= place(inside["end"])
        check(each.get("children", ()), each["range"])


async def test_symbols_are_phases_tasks_steps_criteria_and_the_log(editor):
    uri = editor.open(text=PLAN)
    found = await ask(editor, "documentSymbol", uri)
    assert list(shape(found)) == [
        (0, "Phase 1: Begin", "2 of 3 done · get going", 3, 7, 23),
        (1, "1.1 First 😀 thing", "done", 12, 10, 10),
        (1, "1.2 Second thing", "skipped", 12, 11, 17),
        (2, "it works", "met", 17, 13, 13),
        (2, "a step", "", 8, 14, 17),
        (1, "Blockers", "", 15, 19, 23),
        (2, "1.3 Third", "blocked", 12, 20, 20),
        (0, "Success Criteria", "", 15, 25, 26),
        (1, "all green", "", 17, 26, 26),
        (0, "Progress Log", "2 lines", 18, 28, 30),
    ]
    check(found)
    first, second = found[0]["children"][:2]
    assert first["range"]["end"] == {"line": 10, "character": 30}, "an astral character is two units wide"
    assert first["selectionRange"]["start"] == {"line": 10, "character": 6}
    assert second["deprecated"] is True
    assert "deprecated" not in first


async def test_symbols_of_a_client_that_knows_tags_are_tagged_instead(editors):
    editor = await editors()
    await editor.initialize(tagged())
    found = await ask(editor, "documentSymbol", editor.open(text=PLAN))
    assert found[0]["children"][1]["tags"] == [1]
    assert "deprecated" not in found[0]["children"][1]


async def test_symbols_are_flat_for_a_client_without_hierarchy(editors):
    editor = await editors()
    await editor.initialize(without("textDocument", "documentSymbol", "hierarchicalDocumentSymbolSupport"))
    uri = editor.open(text=PLAN)
    found = await ask(editor, "documentSymbol", uri)
    assert [(each["name"], each.get("containerName")) for each in found][:5] == [
        ("Phase 1: Begin", None),
        ("1.1 First 😀 thing", "Phase 1: Begin"),
        ("1.2 Second thing", "Phase 1: Begin"),
        ("it works", "1.2 Second thing"),
        ("a step", "1.2 Second thing"),
    ]
    assert all(set(each) <= {"name", "kind", "location", "containerName", "deprecated"} for each in found)
    assert {each["location"]["uri"] for each in found} == {uri}


async def test_symbols_follow_every_kind_of_edit_as_if_read_anew(editors):
    """What is kept from one version to the next never shows: another editor that opens the text sees the same."""
    editor, fresh = await editors(), await editors()
    await editor.initialize()
    await fresh.initialize()
    uri = editor.open(text=PLAN)
    await ask(editor, "documentSymbol", uri)
    for line, column, text, remove in [
        (10, 20, "x😀", 0),  # a title, not the last line of its task
        (16, 5, "more code", 0),  # the end of a task moves to the right
        (17, 7, "x", 0),  # the fence is open now
        (17, 7, "", 1),
        (11, 3, "x", 1),  # a marker
        (8, 0, "", 10),
        (7, 3, "x", 0),  # no phase any more
        (12, 0, "- [ ] Task 1.9: new\n", 0),
    ]:
        editor.type(uri, line, column, text, remove=remove)
        found = await ask(editor, "documentSymbol", uri)
        check(found)
        other = fresh.open(text=editor.texts[uri][1])
        assert found == await ask(fresh, "documentSymbol", other)
        fresh.close_document(other)


@pytest.mark.parametrize("text", ["", "\n", "no heading", "# Only a title\n", "- [ ] \n", "\ufeff- [ ] x"])
async def test_a_plan_with_nothing_in_it_has_a_sensible_outline(editor, text):
    uri = editor.open(text=text)
    found = await ask(editor, "documentSymbol", uri)
    check(found)
    assert all(each["name"] for each in found)
    assert await ask(editor, "foldingRange", uri) == []


async def test_the_names_of_symbols_hold_no_control_characters(editor):
    uri = editor.open(text='- [ ] Task 1.1: a\x1b[31mb\u202ec "q" \\ d\n- [ ] Task 1.2\n')
    found = await ask(editor, "documentSymbol", uri)
    assert [each["name"] for each in found] == ['1.1 abc "q" \\ d', "1.2"]


@pytest.mark.parametrize("method", ["documentSymbol", "foldingRange"])
async def test_what_is_not_open_has_no_structure(editor, method):
    assert await ask(editor, method, editor.uri()) is None
    assert await ask(editor, method, "untitled:x") is None


async def test_folds_are_sections_tasks_blocks_and_front_matter(editor):
    uri = editor.open(text=PLAN)
    found = await ask(editor, "foldingRange", uri)
    assert [(e["startLine"], e["endLine"], e.get("kind"), e.get("collapsedText")) for e in found] == [
        (0, 2, "region", None),
        (7, 23, "region", "2 of 3 done"),
        (11, 17, "region", "6 more lines"),
        (14, 17, "region", "3 more lines"),
        (15, 17, None, None),
        (19, 23, "region", None),
        (22, 23, "comment", None),
        (25, 26, "region", None),
        (28, 30, "region", None),
    ]
    assert all("startCharacter" not in each and "endCharacter" not in each for each in found), "whole lines only"


async def test_folds_respect_what_the_client_declares(editors):
    editor = await editors()
    await editor.initialize({"textDocument": {"foldingRange": {"rangeLimit": 3, "lineFoldingOnly": True}}})
    found = await ask(editor, "foldingRange", editor.open(text=PLAN))
    assert [each["startLine"] for each in found] == [0, 7, 28], "phases and log come first, then other sections"
    assert all("collapsedText" not in each for each in found)
    other = await editors()
    await other.initialize({"textDocument": {"foldingRange": {"foldingRangeKind": {"valueSet": ["comment"]}}}})
    found = await ask(other, "foldingRange", other.open(text=PLAN))
    assert {each.get("kind") for each in found} == {None, "comment"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\na\n", [(0, 1)]),  # an open fence goes to the end
        ("- x\n  ```\n  a\n- y\n", [(1, 2)]),  # or ends with its item
        ("- ```\n  a\n  ```\n", [(0, 2)]),
        ("- x\n  ```\n  a\n<!-- b\nc -->\n", [(1, 2), (3, 4)]),
        ("<!-- a -->\n<!-- b -->\n", []),
        ("<!-- a\nb -->\n<!-- c\nd -->\n", [(0, 1), (2, 3)]),
        ("```\n```\n~~~\na\n~~~\n", [(0, 1), (2, 4)]),
        ("- [ ] a\n\n  b\n\n\nc\n", [(0, 2)]),
    ],
)
async def test_blocks_fold_from_their_first_to_their_last_line(editor, text, expected):
    found = await ask(editor, "foldingRange", editor.open(text=text))
    assert [(each["startLine"], each["endLine"]) for each in found] == expected
