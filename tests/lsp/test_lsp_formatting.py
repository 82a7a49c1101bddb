"""Formatting: whole, in part, while typing; what the editor asks for counts, and what is no plan is left alone."""

from __future__ import annotations

import asyncio

import pytest

from devloop import plan as plans
from devloop.lsp.failures import MODIFIED
from support.editor import Failed, apply_edits

MESSY = """# Plan: Demo

**Status**: In Progress
## Phase 1: Begin
-   [ ]  Task 1.1:  First 😀 thing  [depends: 1.2 ]\x20\x20
    - **Notes**:   as it is
*  [/] Task 1.2: Second

Prose   keeps   its   blanks.\x20\x20

```
-  [ ]  code
```
"""
CLEAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First 😀 thing [depends:1.2]
  - **Notes**: as it is
* [~] Task 1.2: Second

Prose   keeps   its   blanks.\x20\x20

```
-  [ ]  code
```
"""
TABS = {"tabSize": 4, "insertSpaces": True}


@pytest.fixture
def desk(editor):
    class Desk:
        uri = None

        async def ask(self, method, text, **params):
            if self.uri is None:
                self.uri = editor.open(text=text)
            else:
                editor.replace(self.uri, text)
            where = {"textDocument": {"uri": self.uri}, "options": TABS, **params}
            self.edits = await editor.request(f"textDocument/{method}", where)
            return apply_edits(text, self.edits)

        async def format(self, text, **options):
            return await self.ask("formatting", text, options={**TABS, **options})

        async def typed(self, text, ch):
            """`¦` is the place behind the typed character."""
            before, after = text.split("¦")
            start = before.rpartition("\n")[2]
            position = {"line": before.count("\n"), "character": len(start)}
            return await self.ask("onTypeFormatting", before + after, position=position, ch=ch)

    return Desk()


async def test_a_plan_is_formatted_and_prose_and_code_stay(desk):
    assert await desk.format(MESSY) == CLEAN
    assert await desk.format(CLEAN) == CLEAN
    assert desk.edits == []


async def test_line_ends_and_a_bom_stay(desk):
    assert await desk.format("\ufeff" + MESSY.replace("\n", "\r\n")) == "\ufeff" + CLEAN.replace("\n", "\r\n")


async def test_blanks_at_line_ends_stay_where_the_editor_says_so(desk):
    text = "## Phase 1: A\n\n- [ ] Task 1.1: a \n"
    assert await desk.format(text) == "## Phase 1: A\n\n- [ ] Task 1.1: a\n"
    assert await desk.format(text, trimTrailingWhitespace=True) == "## Phase 1: A\n\n- [ ] Task 1.1: a\n"
    assert await desk.format(text, trimTrailingWhitespace=False) == text


async def test_the_end_of_the_text_changes_only_when_the_editor_asks(desk):
    text = "## Phase 1: A\n\n- [ ] Task 1.1: a"
    assert await desk.format(text) == text
    assert await desk.format(text, insertFinalNewline=True) == text + "\n"
    assert await desk.format(text + "  ", insertFinalNewline=True) == text + "\n"
    assert await desk.format(text + "\r\n\r\n", insertFinalNewline=True) == text + "\r\n\r\n"
    assert await desk.format(text + "\n\n \n\n") == text + "\n\n\n\n"
    assert await desk.format(text + "\n\n \n\n", trimFinalNewlines=True) == text + "\n"
    assert await desk.format(text + "\n\n  ", trimFinalNewlines=True) == text + "\n"
    assert await desk.format(text + "\n \n\n", trimFinalNewlines=True, trimTrailingWhitespace=False) == text + "\n \n"
    assert await desk.format(text + "\n\n", insertFinalNewline=False, trimFinalNewlines=False) == text + "\n\n"
    assert await desk.format("\n\n", trimFinalNewlines=True, insertFinalNewline=True) == "\n\n"


async def test_empty_lines_of_an_open_fence_are_code(desk):
    text = "- [ ] a\n\n```\ncode\n\n\n"
    assert await desk.format(text, trimFinalNewlines=True) == text


async def test_a_selection_changes_no_other_line(desk):
    wanted = {"start": {"line": 6, "character": 0}, "end": {"line": 7, "character": 0}}
    expected = MESSY.replace("*  [/] Task", "* [~] Task")
    assert await desk.ask("rangeFormatting", MESSY, range=wanted) == expected
    wanted = {"start": {"line": 6, "character": 3}, "end": {"line": 6, "character": 3}}
    assert await desk.ask("rangeFormatting", MESSY, range=wanted) == expected
    wanted = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}
    assert await desk.ask("rangeFormatting", MESSY, range=wanted) == CLEAN


PHASE = "## Phase 1: A\n\n- [ ] Task 1.1: one\n"


async def test_enter_goes_on_with_the_next_id_and_ends_an_empty_task(desk):
    assert await desk.typed(f"{PHASE}¦", "\n") == f"{PHASE}- [ ] Task 1.2: "
    assert await desk.typed(f"{PHASE}- [ ] Task 1.2: \n¦", "\n") == PHASE
    assert await desk.typed(f"{PHASE}  - Notes: x\n  ¦", "\n") == f"{PHASE}  - Notes: x\n  - "
    assert await desk.typed("prose\n¦", "\n") == "prose\n"
    assert desk.edits == []


async def test_a_closing_bracket_makes_a_box(desk):
    assert await desk.typed("- []¦", "]") == "- [ ] "
    assert await desk.typed("- []¦(link)", "]") == "- [](link)"
    assert await desk.typed("- [ ] a [x]¦", "]") == "- [ ] a [x]"


async def test_what_is_no_plan_gets_null(editor):
    uri = editor.open("README.md", "-   [ ]  a")
    place = {"line": 0, "character": 1}
    common = {"textDocument": {"uri": uri}, "options": TABS}
    assert await editor.request("textDocument/formatting", common) is None
    assert (
        await editor.request("textDocument/rangeFormatting", {**common, "range": {"start": place, "end": place}})
        is None
    )
    assert await editor.request("textDocument/onTypeFormatting", {**common, "position": place, "ch": "\n"}) is None


async def test_what_was_computed_for_an_older_text_is_not_answered(editor):
    text = PHASE + "".join(f"-  [ ] Task 1.{number}: a thing\n" for number in range(2, 4000))
    uri = editor.open(text=text)
    await editor.diagnostics(uri, 1)
    _, asked = editor.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": TABS})
    editor.type(uri, 2, len("- [ ] Task 1.1: one"), "!")
    with pytest.raises(Failed) as failed:
        async with asyncio.timeout(30):
            await asked
    assert failed.value.error["code"] == MODIFIED
    assert failed.value.error["message"] == "The text was changed meanwhile."
    edits = await editor.request("textDocument/formatting", {"textDocument": {"uri": uri}, "options": TABS}, 60)
    changed = apply_edits(editor.texts[uri][1], edits)
    assert changed == editor.texts[uri][1].replace("-  [ ]", "- [ ]")
    assert len(plans.parse(changed).tasks) == 3999
