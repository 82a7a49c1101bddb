"""Semantic tokens: what they say, that deltas lead to the same, that they fit every client. Through the wire, and the
same functions on random edits."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.lsp.features import _token_results as results
from devloop.lsp.features._token_lines import MODIFIERS, TYPES, Scheme
from devloop.lsp.features.semantic_tokens_range import numbers
from devloop.lsp.positions import Positions
from devloop.plan import Document, parse, reparse
from support.editor import EVERYTHING
from support.turns import often

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [-] Task 1.1: 😀 First [agent:engineer:git] [P]
  - **Files**: `a.py`
- [ ] Task 1.2: Second [depends:1.1]

<!-- a
comment -->

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""


def shown(text: str, data: list[int], encoding: str = "utf-16") -> list[tuple[int, str, str, str]]:
    """(line, text, type, modifiers) of every token, as a client reads them."""
    unit = {"utf-8": 1, "utf-16": 2}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le"}[encoding]
    lines = [line.encode(codec) for line in text.split("\n")]
    found, line, column = [], 0, 0
    for at in range(0, len(data), 5):
        down, right, length, kind, modifiers = data[at : at + 5]
        line, column = line + down, right if down else column + right
        piece = lines[line][column * unit : (column + length) * unit]
        names = " ".join(name for bit, name in enumerate(MODIFIERS) if modifiers & 1 << bit)
        found.append((line, piece.decode(codec), TYPES[kind], names))
    return found


EXPECTED = [
    (2, "Status", "property", ""),
    (4, "Phase", "keyword", ""),
    (4, "1", "namespace", "declaration"),
    (6, "[-]", "enumMember", "deprecated"),
    (6, "Task", "keyword", ""),
    (6, "1.1", "variable", "declaration"),
    (6, "😀 First", "comment", "deprecated"),
    (6, "agent", "decorator", ""),
    (6, "engineer", "class", ""),
    (6, "git", "enumMember", ""),
    (6, "[P]", "decorator", ""),
    (7, "Files", "property", ""),
    (7, "a.py", "string", ""),
    (8, "[ ]", "enumMember", ""),
    (8, "Task", "keyword", ""),
    (8, "1.2", "variable", "declaration"),
    (8, "depends", "decorator", ""),
    (8, "1.1", "variable", ""),
    (10, "<!-- a", "comment", ""),
    (11, "comment -->", "comment", ""),
    (15, "2026-01-02 03:04", "number", ""),
    (15, "Completed Task", "event", ""),
    (15, "1.1", "variable", ""),
]


async def full(editor, uri):
    return await editor.request("textDocument/semanticTokens/full", {"textDocument": {"uri": uri}})


async def delta(editor, uri, previous):
    params = {"textDocument": {"uri": uri}, "previousResultId": previous}
    return await editor.request("textDocument/semanticTokens/full/delta", params)


def client(*encodings: str, **tokens) -> dict:
    found = copy.deepcopy(EVERYTHING)
    found["general"]["positionEncodings"] = list(encodings)
    if tokens:
        found["textDocument"]["semanticTokens"] = {
            "requests": {"full": {"delta": True}},
            "formats": ["relative"],
            **tokens,
        }
    return found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
async def test_tokens_name_ids_references_tags_and_states(editors, encoding):
    editor = await editors()
    made = await editor.initialize(client(encoding))
    provider = made["capabilities"]["semanticTokensProvider"]
    assert provider["legend"] == {"tokenTypes": list(TYPES), "tokenModifiers": list(MODIFIERS)}
    assert provider["full"] == {"delta": True}
    assert provider["range"] is True
    uri = editor.open(text=PLAN)
    found = await full(editor, uri)
    assert shown(PLAN, found["data"], encoding) == EXPECTED


async def test_only_types_and_modifiers_that_the_client_knows_are_sent(editors):
    editor = await editors()
    await editor.initialize(client("utf-16", tokenTypes=["keyword", "variable"], tokenModifiers=[]))
    found = shown(PLAN, (await full(editor, editor.open(text=PLAN)))["data"])
    assert {each[2] for each in found} == {"keyword", "variable"}
    assert {each[3] for each in found} == {""}
    assert (8, "depends", "keyword", "") in found, "a decorator is a keyword where decorators are not known"


async def test_a_range_is_the_part_of_the_full_answer_on_its_lines(editor):
    uri = editor.open(text=PLAN)
    everything = shown(PLAN, (await full(editor, uri))["data"])
    last = PLAN.count("\n")
    for first, stop in [(0, last), (6, 8), (7, 7), (9, 9), (8, 999), (500, 600), (last, last)]:
        wanted = {"start": {"line": first, "character": 0}, "end": {"line": stop, "character": 1}}
        params = {"textDocument": {"uri": uri}, "range": wanted}
        found = await editor.request("textDocument/semanticTokens/range", params)
        assert shown(PLAN, found["data"]) == [each for each in everything if first <= each[0] <= stop]


async def test_a_delta_is_the_difference_to_the_last_answer(editor):
    uri = editor.open(text=PLAN)
    first = await full(editor, uri)
    assert await delta(editor, uri, first["resultId"]) == {"resultId": first["resultId"], "edits": []}
    editor.type(uri, 8, 3, "x", remove=1)
    same = await delta(editor, uri, first["resultId"])
    assert same["edits"] == [], "a marker stands at the same place whatever it says"
    editor.type(uri, 8, 0, "- [ ] Task 1.3: more\n")
    found = await delta(editor, uri, same["resultId"])
    (edit,) = found["edits"]
    assert apply(first["data"], found["edits"]) == (await full(editor, uri))["data"]
    assert len(edit["data"]) - edit["deleteCount"] == 15
    assert edit["start"] % 5 == 0
    again = await delta(editor, uri, first["resultId"])
    assert "data" in again, "only the last result is kept; for an older one everything is sent"
    assert again["resultId"] == found["resultId"]


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r", "text", "\ufeff- [ ] Task 1: a", "---\na: b\n---\n"])
async def test_a_plan_with_little_in_it_has_few_tokens(editor, text):
    uri = editor.open(text=text)
    found = await full(editor, uri)
    if text.startswith("\ufeff"):
        assert found["data"][:5] == [0, 3, 3, TYPES.index("enumMember"), 0], "the BOM is a character of line 0"
    else:
        assert found["data"] == []


async def test_what_is_not_open_has_no_tokens(editor):
    assert await full(editor, editor.uri()) is None
    assert await delta(editor, editor.uri(), "1") is None
    here = {"line": 0, "character": 0}
    params = {"textDocument": {"uri": editor.uri()}, "range": {"start": here, "end": here}}
    assert await editor.request("textDocument/semanticTokens/range", params) is None


def apply(data: list[int], edits: list[dict]) -> list[int]:
    for edit in sorted(edits, key=lambda edit: -edit["start"]):
        at = edit["start"]
        data = data[:at] + edit["data"] + data[at + edit["deleteCount"] :]
    return data


# The same functions on plans of several chunks

_LINES = [
    "- [ ] Task 1.1: one 😀 [depends:1.2]",
    "- [-] **Task 1.2**: two `code` #12",
    "  - [x] step",
    "  - **Depends**: 1.1, Phase 2",
    "  - **Depends**: some prose",
    "  - **Files**: `a.py:3-9`, b.md (new)",
    "  more text",
    "## Phase 2: Name [parallel:full]",
    "**Goal**: x",
    "**Status**: Done",
    "## Progress Log",
    "- 2026-01-02 03:04: Completed Task 1.1",
    "- Group A: Tasks 1.1, 1.2",
    "Phase 3: set",
    "---",
    "```",
    "<!--",
    "-->",
    "",
    "> quote",
    "text https://example.org/a",
    "é # x",
]
_line = st.sampled_from(_LINES)
_edit = st.tuples(
    st.integers(0, 700), st.integers(0, 40), st.integers(0, 2), st.integers(0, 9),
    st.one_of(st.sampled_from(["x", "\n", "1", "]", "`", "😀", "\ufeff"]), _line.map(lambda text: text + "\n")),
)  # fmt: skip


@settings(max_examples=often(120), deadline=None)
@given(
    st.lists(_line, min_size=1, max_size=30),
    st.integers(1, 24),
    st.lists(_edit, min_size=1, max_size=6),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
)
def test_deltas_and_kept_chunks_equal_a_new_answer_after_any_edits(lines, times, edits, encoding):
    style = Scheme.of(Positions(encoding), None, None)
    plan = parse(Document.of("\n".join(lines * times)))
    before = results.Result.of("0", plan, results.computed(plan, style, None))
    held = before.numbers()
    for number, (line, column, more, right, text) in enumerate(edits):
        line %= plan.document.count + 1
        plan = reparse(plan, plan.document.replace((line, column), (line + more, column + right), text))
        after = results.Result.of(str(number), plan, results.computed(plan, style, before))
        edit = results.difference(before, after)
        if edit is not None:
            held = held[: edit.start] + list(edit.data) + held[edit.start + edit.removed :]
        fresh = parse(Document.of(plan.document.text))
        anew = results.Result.of("", fresh, results.computed(fresh, style, None)).numbers()
        assert held == anew == numbers(fresh, style, 1, fresh.document.count)
        assert json.loads(after.text()) == anew
        check(anew, fresh.document, encoding)
        before = after


def check(data: list[int], document: Document, encoding: str) -> None:
    """Tokens go from left to right, don't overlap, and end where their line ends at the latest."""
    line = end = start = 0
    for at in range(0, len(data), 5):
        down, right, length, kind, modifiers = data[at : at + 5]
        assert down >= 0 <= right
        assert length > 0 <= modifiers < 4
        assert kind < len(TYPES)
        if down:
            line, start, end = line + down, 0, 0
        start += right
        assert start >= end
        end = start + length
        text = ("\ufeff" if line == 0 and document.bom else "") + document.line(line).rstrip("\r\n")
        size = len(text.encode(encoding + "-le" if encoding != "utf-8" else encoding, "surrogatepass"))
        assert end <= size // {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]


def test_an_edit_in_a_long_plan_computes_only_its_own_line():
    tasks = "".join(f"- [ ] Task 1.{number}: thing\n" for number in range(1, 5001))
    plan = parse("# P\n## Phase 1: A\n" + tasks)
    asked: list[int] = []

    class Counting(Scheme):
        def line(self, plan, line):
            asked.append(line)
            return super().line(plan, line)

    style = Counting.of(Positions("utf-16"), None, None)
    first = results.Result.of("1", plan, results.computed(plan, style, None))
    assert len(asked) == plan.document.count
    asked.clear()
    edited = reparse(plan, plan.document.replace((2500, 20), (2500, 20), "xy"))
    second = results.Result.of("2", edited, results.computed(edited, style, first))
    assert asked == [2501]
    asked.clear()
    inserted = reparse(edited, edited.document.replace((2500, 0), (2500, 0), "- [ ] Task 2.1: new\n"))
    results.computed(inserted, style, second)
    assert 0 < len(asked) < 1200, "the chunk that was touched and the first one"
