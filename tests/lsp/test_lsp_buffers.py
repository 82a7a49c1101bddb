"""The open document: equal to a plain reference whatever an editor sends, in both encodings, to the last character."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Buffer
from devloop.lsp.positions import Positions
from support.turns import often

SEQUENCES = 20
"""Notifications per example; 250 examples in each of two encodings make 10,000 random edit sequences."""


async def no_editor(*_):
    raise AssertionError("nobody asked for an edit")


def opened(text, encoding="utf-16"):
    path = Path("/plan.md")
    buffer = Buffer(
        "file:///plan.md", 1, text, path=path, relative="plan.md", main=False, archived=frozenset(), apply=no_editor
    )
    return buffer, Positions(encoding)


# The reference: text as one string, lines by the protocol's definition, nothing clever.


def size(char, encoding):
    return len(char.encode("utf-16-le", "surrogatepass")) // 2 if encoding == "utf-16" else len(char.encode())


def offset(text, position, encoding):
    starts = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", text))]
    if position.line >= len(starts):
        return len(text)
    at, units = starts[position.line], 0
    while at < len(text) and text[at] not in "\r\n":
        units += size(text[at], encoding)
        if units > position.character:
            break
        at += 1
    return at


def expected(text, change, encoding):
    if isinstance(change, t.TextDocumentContentChangeWholeDocument):
        return change.text
    start = offset(text, change.range.start, encoding)
    end = max(start, offset(text, change.range.end, encoding))
    return text[:start] + change.text + text[end:]


def shape(document):
    """What the scanner says of each line."""
    return [(step.state, step.kind, step.matched, step.opened, step.box, step.note) for step in document.steps()]


PIECES = st.sampled_from(
    [
        "a",
        "é",
        "語",
        "😀",
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\x0c",
        "\x85",
        "\ufeff",
        " ",
        "- [ ] ",
        "```\n",
        "<!--",
        "---\n",
        "# ",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)
SHORT = st.lists(PIECES, max_size=4).map("".join)
POSITIONS = st.builds(t.Position, st.integers(0, 12), st.integers(0, 14))
RANGES = st.tuples(POSITIONS, POSITIONS).map(
    lambda pair: t.Range(*sorted(pair, key=lambda position: (position.line, position.character)))
)
CHANGES = st.one_of(
    *[st.builds(t.TextDocumentContentChangePartial, RANGES, SHORT)] * 8,
    st.builds(t.TextDocumentContentChangeWholeDocument, TEXTS),
)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_ten_thousand_random_edit_sequences_keep_the_text_of_a_plain_reference(encoding, request):
    examples = 250 * (40 if request.config.getoption("--long") else 1)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(TEXTS, st.lists(st.lists(CHANGES, min_size=1, max_size=3), min_size=SEQUENCES, max_size=SEQUENCES))
    def same(text, sequences):
        buffer, positions = opened(text, encoding)
        for number, changes in enumerate(sequences):
            for change in changes:
                text = expected(text, change, encoding)
            assert buffer.change(number + 2, changes, positions)
            assert buffer.document.text == text
        fresh = plans.Document.of(text)
        assert shape(buffer.document) == shape(fresh)
        assert buffer.document.bom == fresh.bom

    same()


@given(TEXTS, POSITIONS, st.sampled_from(["utf-8", "utf-16"]))
@settings(max_examples=often(300), deadline=None)
def test_positions_come_back_as_they_went(text, position, encoding):
    document, positions = plans.Document.of(text), Positions(encoding)
    line, column = positions.point(document, position)
    if line < document.count:
        there = positions.position(document, line + 1, column)
        assert positions.point(document, there) == (line, column)
        assert positions.in_bom(document, position) or there.character <= position.character


CLAMPED = [
    ("abc", (0, 10), "abcX"),
    ("abc\nd\n", (0, 99), "abcX\nd\n"),
    ("abc\r\nd\r\n", (0, 99), "abcX\r\nd\r\n"),
    ("abc\rd\r", (1, 0), "abc\rXd\r"),
    ("a\n", (1, 0), "a\nX"),
    ("a\n", (7, 3), "a\nX"),
    ("", (0, 0), "X"),
    ("a\u2028b\nsecond\n", (1, 0), "a\u2028b\nXsecond\n"),
    ("a\x0cb\nsecond\n", (1, 0), "a\x0cb\nXsecond\n"),
    ("a\x85b\nsecond\n", (1, 0), "a\x85b\nXsecond\n"),
    ("a😀b", (0, 3), "a😀Xb"),
    ("a😀b", (0, 2), "aX😀b"),
]


@pytest.mark.parametrize(("text", "at", "wanted"), CLAMPED)
def test_lines_end_where_the_protocol_says_and_positions_are_clamped(text, at, wanted):
    buffer, positions = opened(text)
    place = t.Position(*at)
    buffer.change(2, [t.TextDocumentContentChangePartial(t.Range(place, place), "X")], positions)
    assert buffer.document.text == wanted


def test_a_range_past_the_end_replaces_everything():
    buffer, positions = opened("abc\nd")
    change = t.TextDocumentContentChangePartial(t.Range(t.Position(0, 0), t.Position(99, 0)), "X")
    buffer.change(2, [change], positions)
    assert buffer.document.text == "X"


def test_a_version_that_goes_back_changes_nothing():
    buffer, positions = opened("abc")
    assert buffer.change(5, [t.TextDocumentContentChangeWholeDocument("new")], positions)
    assert not buffer.change(4, [t.TextDocumentContentChangeWholeDocument("old")], positions)
    assert (buffer.version, buffer.document.text) == (5, "new")


async def test_a_snapshot_is_of_the_newest_version_even_when_it_changes_while_a_long_plan_is_read():
    text = "".join(f"- [ ] Task {n // 100 + 1}.{n % 100 + 1}: t\n" for n in range(4_000))
    buffer, positions = opened(text)
    waiting = asyncio.create_task(buffer.snapshot())
    await asyncio.sleep(0)
    place = t.Position(0, 0)
    buffer.change(2, [t.TextDocumentContentChangePartial(t.Range(place, place), "- [ ] Task 99.1: new\n")], positions)
    snapshot = await waiting
    assert snapshot.version == 2
    assert snapshot.plan.tasks[0].id == "99.1" and len(snapshot.plan.tasks) == 4_001
