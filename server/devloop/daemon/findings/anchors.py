"""Where a finding is in a text that was changed since. Pure.

A finding belongs to a line's words. They may move, also by a new indentation; when they are gone or other ones, the
finding is no longer true of what stands there and is withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

MAX_LINE: Final = 500
"""Characters of a line that is kept as it is."""
AROUND: Final = 3
"""Lines above and below that tell equal lines apart."""


class Anchor(BaseModel):
    """`line` counted from 1; 0: the finding is about the whole file. `above`: the nearest line first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: int = 0
    text: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


def lines_of(text: str) -> list[str]:
    """As editors count them (LSP 3.17: \\n, \\r\\n and \\r end a line)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def anchor_of(lines: Sequence[str], line: int) -> Anchor:
    """What a finding in that line holds on to; of a line that is not there, the whole file."""
    if not 0 < line <= len(lines):
        return Anchor()
    at = line - 1
    return Anchor(
        line=line,
        text=_plain(lines[at]),
        above=tuple(_plain(each) for each in reversed(lines[max(0, at - AROUND) : at])),
        below=tuple(_plain(each) for each in lines[at + 1 : at + 1 + AROUND]),
    )


def find_again(anchor: Anchor, lines: Sequence[str]) -> int | None:
    """The line (from 1) where the anchor is now; 0 for the whole file; None: it is gone.

    Of equal lines the one with most of the same neighbours, then the nearest. A line that says little by itself
    (empty, a bracket) has to have a neighbour that is the same.
    """
    if anchor.line == 0:
        return 0
    best: tuple[int, int, int] | None = None
    for number, line in enumerate(lines, 1):
        if _plain(line) != anchor.text:
            continue
        alike = _alike(lines, number - 1, anchor)
        if alike or _says_something(anchor.text):
            rank = (-alike, abs(number - anchor.line), number)
            best = rank if best is None or rank < best else best
    return best[2] if best is not None else None


def _alike(lines: Sequence[str], at: int, anchor: Anchor) -> int:
    above = [_plain(each) for each in reversed(lines[max(0, at - AROUND) : at])]
    below = [_plain(each) for each in lines[at + 1 : at + 1 + AROUND]]
    pairs = (*zip(above, anchor.above, strict=False), *zip(below, anchor.below, strict=False))
    return sum(one == other and _says_something(one) for one, other in pairs)


def _says_something(text: str) -> bool:
    return sum(char.isalnum() for char in text) >= 3


def _plain(line: str) -> str:
    """A line to know it again by. One that is too long to be kept whole is kept by its hash."""
    text = line.strip()
    if len(text) <= MAX_LINE:
        return text
    return f"({len(text)} characters, sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]})"
