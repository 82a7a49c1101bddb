"""Documents: bytes come back, edits give what a fresh scan gives, and cost the same in long files."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.plan import Document
from devloop.plan import document as module
from devloop.plan.lines import body, clean, decode, encode, ending, split
from support.turns import often

PIECES = [
    "- [ ] a",
    "  - [x] b",
    "text",
    "",
    "```",
    "~~~",
    "<!--",
    "-->",
    "> q",
    "# h",
    "---",
    "...",
    "1. x",
    "    c",
    "<div>",
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\r", ""]
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(ENDS)), max_size=24).map(
    lambda parts: "".join(piece + end for piece, end in parts)
)
whole = st.builds(
    lambda head, text: head + text, st.sampled_from(["", "", "\ufeff", "---\n", "---\na: b\n---\n"]), texts
)


def content(document: Document) -> object:
    steps = [(s.state.key, s.kind, s.matched, s.opened, s.box, s.note, s.suspect) for s in document.steps()]
    return list(document), steps, document.bom, document.front


@pytest.fixture(autouse=True)
def small_chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short documents in several chunks, except where speed is measured."""
    if "flat" not in request.node.name:
        monkeypatch.setattr(module, "CHUNK", 3)


@given(st.binary(max_size=400))
def test_bytes_come_back(data: bytes) -> None:
    assert Document.of(data).data == data


@given(whole)
def test_text_comes_back(text: str) -> None:
    assert Document.of(text).text == text
    assert Document.of(text.encode()).data == text.encode()


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu", "Cc"]), max_size=30))
def test_lone_surrogates_are_survived(text: str) -> None:
    document = Document.of(text)
    assert document.text == text
    assert isinstance(document.data, bytes)


@given(st.text(max_size=200))
def test_lines_end_at_three_ends_only(text: str) -> None:
    lines = split(text)
    assert "".join(lines) == text
    assert all(lines)
    assert all(ending(line) in ("\n", "\r\n", "\r") for line in lines[:-1])
    assert not any(char in body(line) for line in lines for char in "\r\n")
    assert split("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n") == ["a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n"]


@given(st.binary(max_size=60))
def test_decoding_keeps_what_is_no_utf8(data: bytes) -> None:
    text, valid = decode(data)
    assert encode(text) == data
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not valid
    else:
        assert valid


@settings(max_examples=often(300), deadline=None)
@given(whole, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), texts), max_size=4))
def test_replacing_lines_equals_a_fresh_scan(text: str, changes: list[tuple[int, int, str]]) -> None:
    document = Document.of(text)
    for start, end, new in changes:
        lines = list(document)
        first = min(start, len(lines))
        last = min(max(end, first), len(lines))
        expected = ("\ufeff" if document.bom else "") + "".join(lines[:first]) + new + "".join(lines[last:])
        document = document.edit(start, end, split(new))
        assert document.text == expected
        assert content(document) == content(Document.of(expected))


@settings(max_examples=often(300), deadline=None)
@given(
    whole,
    st.lists(
        st.tuples(
            st.tuples(st.integers(-1, 26), st.integers(-1, 9)),
            st.tuples(st.integers(-1, 26), st.integers(-1, 9)),
            st.sampled_from(["", "x", "`", "\n", "\r", "\r\n", "- [ ] z\n", "```\n", "\ufeff", "---\n", "-->", " "]),
        ),
        max_size=4,
    ),
)
def test_replacing_characters_equals_a_fresh_scan(
    text: str, changes: list[tuple[tuple[int, int], tuple[int, int], str]]
) -> None:
    document = Document.of(text)
    for start, end, new in changes:
        lines = list(document)

        def offset(position: tuple[int, int], lines: list[str] = lines) -> int:
            line, column = position
            if line < 0:
                return 0
            if line >= len(lines):
                return sum(map(len, lines))
            return sum(map(len, lines[:line])) + min(max(column, 0), len(body(lines[line])))

        joined, first = "".join(lines), offset(start)
        last = max(first, offset(max(start, end)))
        expected = ("\ufeff" if document.bom else "") + joined[:first] + new + joined[last:]
        document = document.replace(start, end, new)
        assert document.text == expected
        assert content(document) == content(Document.of(expected))


def test_snapshots_do_not_change() -> None:
    first = Document.of("- [ ] a\n- [ ] b\n")
    second = first.replace((0, 3), (0, 4), "x")
    assert first.text == "- [ ] a\n- [ ] b\n"
    assert second.text == "- [x] a\n- [ ] b\n"
    assert first != second
    assert first == Document.of(first.text)


def test_untouched_chunks_are_shared() -> None:
    document = Document.of("".join(f"- [ ] {n}\n" for n in range(60)))
    edited = document.replace((30, 3), (30, 4), "x")
    assert sum(chunk not in document.chunks for chunk in edited.chunks) == 1


def test_reading_lines() -> None:
    document = Document.of("a\nb\r\nc")
    assert (len(document), document.line(1), document.line(3), document.line(-1)) == (3, "b\r\n", "", "")
    assert document.lines(1, 99) == ["b\r\n", "c"]
    assert Document.of("").lines() == []
    assert Document.of("").eol == "\n"
    assert Document.of("a\r\n").eol == "\r\n"


def test_opening_a_fence_rescans_to_the_next_fence_only() -> None:
    text = "".join(f"- [ ] {n}\n" for n in range(20)) + "```\nx\n```\n" + "".join(f"- [ ] {n}\n" for n in range(20))
    edited = Document.of(text).edit(5, 5, ["```\n"])
    assert content(edited) == content(Document.of(edited.text))


def test_text_for_one_line_is_one_line() -> None:
    assert clean("a\nb\x1b[31m\tc  d") == "a b [31m c d"
    assert len(clean("x" * 900)) == 500


def test_cost_of_an_edit_is_flat_in_the_size_of_the_file() -> None:
    def cost(lines: int) -> float:
        document = Document.of("".join(f"- [ ] Task 1.{n}: text\n" for n in range(lines)))
        best = 1.0
        for _ in range(60):
            begin = time.perf_counter()
            document.replace((lines // 2, 10), (lines // 2, 10), "z")
            best = min(best, time.perf_counter() - begin)
        return best

    assert cost(50_000) < 4 * cost(1_000) + 30e-6
