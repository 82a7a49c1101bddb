r"""Text and its lines (plan-format §2).

A line ends at `\n`, `\r\n` or a lone `\r`, and nowhere else; every line keeps its own end. Bytes that are not UTF-8
become lone surrogates (PEP 383) and go back to the same bytes.
"""

from __future__ import annotations

import re

BOM = "\ufeff"
_OTHER_BREAKS = ("\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_ESCAPED = re.compile("[\udc80-\udcff]")


def decode(data: bytes) -> tuple[str, bool]:
    """Bytes as text, and whether they are valid UTF-8. A BOM stays in the text."""
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape"), False


def encode(text: str) -> bytes:
    """The bytes that `decode` came from. Lone surrogates that stand for no byte are written as they are."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"".join(
            char.encode("utf-8", "surrogateescape" if _ESCAPED.match(char) else "surrogatepass") for char in text
        )


def split(text: str) -> list[str]:
    r"""The lines of `text` with their ends; an empty text has none, a final end starts no further line."""
    if any(char in text for char in _OTHER_BREAKS):
        return _LINE.findall(text)
    return text.splitlines(keepends=True)


def body(line: str) -> str:
    """A line without its end."""
    return line.rstrip("\r\n")


def ending(line: str) -> str:
    """The end of a line: `\\n`, `\\r\\n`, `\\r` or nothing."""
    return line[len(line.rstrip("\r\n")) :]


def clean(text: str, limit: int = 500) -> str:
    """`text` as it may stand inside one line of a plan: one line, no control characters, at most `limit` characters."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
