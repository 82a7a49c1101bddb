"""What an editor's outline and folds show of a plan, through the wire."""

from __future__ import annotations

import asyncio
import copy
import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.lsp.features import _token_results, document_link, document_symbol
from devloop.lsp.features._extents import LONG, full_range, item_ends
from devloop.lsp.positions import Positions
from devloop.plan import parse
from devloop.plan.blocks import QUOTE
from devloop.plan.extent import last_line
from support.editor import EVERYTHING
from support.turns import often

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


async def test_a_long_plan_is_answered_like_a_short_one_and_follows_edits(editors):
    """Beyond a length the work is done in a thread, and pieces of the answers are kept."""
    editor, fresh = await editors(), await editors()
    await editor.initialize()
    await fresh.initialize()
    tasks = "".join(f"- [ ] Task 1.{number}: thing {number}\n  - **Files**: `a.py`\n" for number in range(1, 1001))
    text = f"# P\n\n## Phase 1: A\n\n{tasks}\n## Progress Log\n- 2026-01-02 03:04: Started Task 1.5\n"
    assert text.count("\n") > LONG
    uri = editor.open(text=text)
    phase, log = await ask(editor, "documentSymbol", uri)
    assert len(phase["children"]) == 1000
    assert log["name"] == "Progress Log"
    assert len(await ask(editor, "foldingRange", uri)) == 1002
    for line, text, remove in [(1004, "x", 0), (1004, "x", 1), (1005, "\n- [ ] y\n", 0), (2, "", 1)]:
        editor.type(uri, line, 22 if line == 1004 else 0, text, remove=remove)
        found = [await ask(editor, method, uri) for method in ("documentSymbol", "foldingRange", "documentLink")]
        check(found[0])
        other = fresh.open(text=editor.texts[uri][1])
        methods = ("documentSymbol", "foldingRange", "documentLink")
        assert found == [await ask(fresh, method, other) for method in methods]
        fresh.close_document(other)


async def test_requests_for_several_versions_at_once_each_get_an_answer_of_their_own_or_a_newer_one(editor):
    tasks = "".join(f"- [ ] Task 1.{number}: thing\n" for number in range(1, 2001))
    uri = editor.open(text="## Phase 1: A\n" + tasks)
    waiting = []
    for number in range(8):
        waiting.append(editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})[1])
        editor.type(uri, 2, 0, f"- [ ] new {number}\n" if number % 2 else "x")
    for number, each in enumerate(waiting):
        (phase,) = await each
        check([phase])
        assert len(phase["children"]) >= 2000 - number
    assert (await ask(editor, "documentSymbol", uri))[0]["detail"].startswith("0 of ")


async def test_one_answer_is_kept_per_document_and_none_of_an_editor_that_left(editor, editors):
    gc.collect()  # of tests before this one
    kept = _token_results._last
    (connection,) = editors.server.connections
    uri = editor.open(text=PLAN)
    for number in range(20):
        for method in ("documentSymbol", "documentLink", "foldingRange", "semanticTokens/full"):
            await ask(editor, method, uri)
        editor.type(uri, 10, 20, str(number))
    assert len(kept) == 1, "one result per document, not per version"
    assert set(connection.buffers[uri].of_structure) == {document_symbol.METHOD, document_link.METHOD}
    del connection
    editor.close_document(uri)
    assert await ask(editor, "documentSymbol", uri) is None
    await editor.vanish()
    async with asyncio.timeout(10):
        while kept:
            await asyncio.sleep(0.01)
            gc.collect()


async def test_no_plan_stays_that_was_replaced_by_one_of_another_structure(editor, editors):
    uri = editor.open(text=PLAN)
    (connection,) = editors.server.connections
    old = []
    for number in range(3):
        for method in ("documentSymbol", "documentLink", "foldingRange", "semanticTokens/full", "codeLens"):
            await ask(editor, method, uri)
        await editor.diagnostics(uri, editor.texts[uri][0])
        old.append(weakref.ref(connection.buffers[uri].last_read))
        await editor.diagnostics(uri, editor.type(uri, 10, 0, f"- [ ] Task 9.{number}: One more\n"))
    async with asyncio.timeout(10):
        while any(each() is not None for each in old):
            await asyncio.sleep(0.01)
            gc.collect()


_LINES = [
    "- a",
    "- [ ] b",
    "  - c",
    "    d",
    "",
    "  ",
    "lazy",
    "> q",
    "> - r",
    "1. x",
    "- - y",
    "      code",
    "```",
    "# h",
    "-",
]


@settings(max_examples=often(300), deadline=None)
@given(st.lists(st.sampled_from(_LINES), max_size=25))
def test_where_items_end_is_found_in_one_walk_as_it_is_found_one_by_one(lines):
    plan = parse("\n".join(lines))
    document = plan.document
    ends = item_ends(plan)
    for line in range(1, document.count + 1):
        step = document.step(line - 1)
        if step.opened and step.state.stack[-1] != QUOTE:
            assert ends[line] == last_line(document, line), line


@pytest.mark.parametrize(
    ("text", "end"),
    [("", (0, 0)), ("\ufeff", (0, 1)), ("a", (0, 1)), ("a\n", (1, 0)), ("a\r\n\rb😀", (2, 3)), ("\ufeffa😀", (0, 4))],
)
def test_the_whole_document_ends_where_an_editor_says_it_does(text, end):
    found = full_range(Positions("utf-16"), parse(text).document)
    assert (found.start.line, found.start.character) == (0, 0)
    assert (found.end.line, found.end.character) == end
