"""Characters that are not what they seem, before a person or a model sees a text (security §9.4).

*Escapes*: what a terminal obeys (ECMA-48): CSI, OSC (links and clipboard among them), DCS, PM, APC, SOS, 7 and 8 bit.
A string sequence ends with its line: one that is never closed must not hide the lines that follow it.

*Hidden*: C0 but `\\n` and `\\t`, DEL, C1; everything with the Unicode property Default_Ignorable_Code_Point
(DerivedCoreProperties.txt, UAX #44), which renderers show as nothing: soft hyphen, combining grapheme joiner, Hangul
fillers, Khmer inherent vowels, Mongolian selectors, zero width, word joiner and invisible operators, variation
selectors, shorthand and musical format controls, tags; everything with Bidi_Control (UAX #9), Arabic letter mark
included; interlinear annotations (U+FFF9–FFFB). One variation selector 15 or 16 behind a symbol stays: it says whether
that is drawn as text or as an emoji, and no word can be hidden in it. Lone surrogates stand for bytes that were no
UTF-8, such as an 8 bit CSI: a person sees U+FFFD for them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ESCAPES: Final = re.compile(
    r"(?:\x1b\]|\x9d)[^\n\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|(?:\x1b[P^_X]|[\x90\x98\x9e\x9f])[^\n\x1b\x9c]*(?:\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]?"
)
HIDDEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""As the inside of a regular expression's character class."""
_HIDDEN: Final = re.compile(f"[{HIDDEN}]")
MARK: Final = re.compile(r"\\u\{[0-9a-f]{1,6}\}")
_SEPARATORS: Final = re.compile("[\u2028\u2029]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NOTED: Final = re.compile(f"[{HIDDEN}\u2028\u2029\ud800-\udfff]")
_IN_NAMES: Final = re.compile(f"[{HIDDEN}\t\n\u2028\u2029\ud800-\udfff]")
_CONTROLS: Final = bytes([*range(9), *range(11, 32), 127])
_SYMBOLS: Final = frozenset(("So", "Sm", "Sk", "Po", "Pd", "Nd"))


def printable(text: str) -> str:
    """`text` without escape sequences, control, bidi and invisible characters; `\\r\\n` becomes `\\n`, a line or
    paragraph separator a space."""
    if not conceals(text):
        return text
    text = _HIDDEN.sub(_dropped, _ESCAPES.sub("", text.replace("\r\n", "\n")))
    return _SURROGATES.sub("\ufffd", _SEPARATORS.sub(" ", text))


def visible(text: str, *, code: bool = False) -> str:
    """Hidden characters as `\\u{…}`, so that an invisible instruction is seen as one. Of a terminal's output escape
    sequences and lone `\\r` go away; of `code` they are shown too, because a compiler reads what lies inside them."""
    if not conceals(text):
        return text
    if code:
        return _HIDDEN.sub(_shown, text.replace("\r\n", "\n"))
    return _HIDDEN.sub(lambda m: "" if m[0] == "\r" else _shown(m), _ESCAPES.sub("", text))


def shown_name(path: str) -> str:
    """A file's name on one line, what is not drawn as `\\u{…}`."""
    return path if path.isascii() and path.isprintable() else _IN_NAMES.sub(_shown, path)


def unescaped(text: str) -> str:
    """`text` with each `\\u{…}` that `visible` would write for a hidden character as that character again."""
    return MARK.sub(lambda m: chr(n) if (n := int(m[0][3:-1], 16)) < 0x110000 and _HIDDEN.match(chr(n)) else m[0], text)


def conceals(text: str) -> bool:
    """Whether something in `text` is not drawn, so that what is left may read otherwise."""
    if text.isascii():  # nearly all that there is, and fifty times as fast
        raw = text.encode("ascii")
        return len(raw.translate(None, _CONTROLS)) != len(raw)
    return _NOTED.search(text) is not None


def _stays(found: re.Match[str]) -> bool:
    """A selector of presentation, once, behind a symbol (emoji-variation-sequences.txt, UTS #51)."""
    if found[0] not in "\ufe0e\ufe0f" or found.start() == 0:
        return False
    before = found.string[found.start() - 1]
    return unicodedata.category(before) in _SYMBOLS and _HIDDEN.match(before) is None


def _dropped(found: re.Match[str]) -> str:
    return found[0] if _stays(found) else ""


def _shown(found: re.Match[str]) -> str:
    return found[0] if _stays(found) else f"\\u{{{ord(found[0]):x}}}"
