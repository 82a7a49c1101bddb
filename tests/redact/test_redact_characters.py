"""What a terminal obeys and what nobody sees: gone for a person, visible for a model."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.redact import one_line, printable, unescaped, visible
from support.fuzz import examples

DRAWN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
"""Cf that is drawn: signs of Arabic, Syriac, Kaithi and Egyptian (Prepended_Concatenation_Mark and format controls)."""
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200f\u2060\u2064\u206a\u3164\ufeff\uffa0\U000e0041"
)


def test_everything_that_unicode_calls_a_control_or_format_goes_but_what_is_drawn() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cc", "Cf") and char not in "\n\t" and code not in DRAWN:
            assert char not in printable(f"a{char}b"), hex(code)
            if char not in "\r\x1b\x9b":
                assert f"\\u{{{code:x}}}" in visible(f"a{char}b") or 0x80 <= code <= 0x9F or char == "\x1b", hex(code)


@pytest.mark.parametrize("char", [*IGNORABLE, "\ufe0f", "\U000e0100", "\u202e", "\u2066", "\ufff9", "\x00", "\x7f"])
def test_what_is_never_drawn_goes_for_a_person_and_is_shown_to_a_model_from_which_it_comes_back(char: str) -> None:
    text = f"a{char}b"
    assert printable(text) == "ab"
    assert visible(text, code=True) == f"a\\u{{{ord(char):x}}}b" and unescaped(visible(text, code=True)) == text


@pytest.mark.parametrize("kept", ["⚠\ufe0f", "©\ufe0e", "1\ufe0f", "é", "漢字", "🎉", "ا", "한"])
def test_what_is_drawn_stays_and_so_does_one_selector_behind_a_symbol(kept: str) -> None:
    assert printable(f"a {kept} b") == visible(f"a {kept} b") == f"a {kept} b"


def test_selectors_in_a_row_carry_no_message() -> None:
    assert printable("⚠" + "\ufe0f\ufe0e" * 20) == "⚠\ufe0f"
    assert printable("a" + "\U000e0101\U000e0102" * 20) == "a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;command:x\x07link\x1b]8;;\x07", "link"),
        ("\x1b]52;c;cm0=\x1b\\copied", "copied"),
        ("\x1bPq#0;sixel\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("a\u2028b", "a b"),
        ("a\udc9b31m", "a\ufffd31m"),
    ],
)
def test_whole_sequences_go(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_sequence_that_is_never_closed_hides_no_line_behind_it() -> None:
    """A diff that is shown must not stop where a file holds the beginning of a title."""
    for begin in ("\x1b]0;", "\x1bP", "\x9d", "\x90", "\x1b_"):
        assert "evil()" in printable(f"+# {begin}\n+evil()\n+# \x07\n")
        assert "evil()" in visible(f"+# {begin}\n+evil()\n+# \x07\n")
        assert "evil()" in visible(f"+x = '{begin}evil()\x07'\n", code=True)


@settings(max_examples=examples(300, 100_000))
@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_is_harmless_afterwards_and_doing_it_twice_changes_nothing(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    assert not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in shown)
    assert "\n" not in one_line(text) and len(one_line(text)) <= 200
    assert unescaped(visible(text, code=True)).replace("\r\n", "\n") == unescaped(text).replace("\r\n", "\n")
