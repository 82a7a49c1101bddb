"""Columns of fields, metadata and tables: kept where the person made them, never introduced.

Fields of neighbouring lines are columns when most of their values begin below each other and some are padded to do
so; a table is aligned when most of its rows have their bars below each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from devloop.plan.format.pieces import Piece

_DELIMITER: Final = re.compile(r" *:?-+:? *$")
_ASCII_PRINTABLE: Final = re.compile(r"[ -~]*$")


class Row(NamedTuple):
    """A line `key: value`: where the key's colon ends and the value begins. `origin`: where the columns count from."""

    line: int
    text: str
    origin: int
    colon: int
    value: int


def field_pieces(rows: Sequence[Row]) -> dict[int, list[Piece]]:
    """One space between key and value, or the common column of a block of fields in neighbouring lines."""
    rows = [row for row in rows if row.value < len(row.text) and not row.text[row.colon : row.value].strip(" ")]
    column = _common(rows)
    found: dict[int, list[Piece]] = {}
    for row in rows:
        gap = row.value - row.colon
        wanted = column - width(row.text[row.origin : row.colon]) if column else 1
        if gap > wanted:
            found[row.line] = [(row.colon + wanted, row.value, "")]
        elif gap < wanted:
            found[row.line] = [(row.value, row.value, " " * (wanted - gap))]
    return found


def _common(rows: Sequence[Row]) -> int:
    """The column of the values, 0 when they are not in columns."""
    if len(rows) < 2:
        return 0
    columns = [width(row.text[row.origin : row.value]) for row in rows]
    column, count = Counter(columns).most_common(1)[0]
    padded = any(row.value - row.colon > 1 for row, at in zip(rows, columns, strict=True) if at == column)
    if count < 2 or count * 2 <= len(rows) or not padded:
        return 0
    return max(column, 1 + max(width(row.text[row.origin : row.colon]) for row in rows))


class _Table(NamedTuple):
    """Rows as cells with the blanks around them; `bars`: the screen columns of the bars of every row."""

    rows: list[list[str]]
    starts: list[list[int]]
    bars: list[tuple[int, ...]]


def table_pieces(first: int, texts: Sequence[str]) -> dict[int, list[Piece]]:
    """Bring rows that fell out of an otherwise aligned table back into line. `first`: line of `texts[0]`."""
    table = _read(texts)
    if table is None:
        return {}
    common, count = Counter(table.bars).most_common(1)[0]
    if count < 2 or count * 2 <= len(texts):
        return {}
    widths = [right - left - 1 for left, right in pairwise(common)]
    for at, row in enumerate(table.rows):
        if at != 1 and table.bars[at] != common:
            widths = [max(wide, width(cell.strip(" ")) + 2) for wide, cell in zip(widths, row, strict=True)]
    right = [cell.strip(" ").endswith(":") and not cell.strip(" ").startswith(":") for cell in table.rows[1]]
    found: dict[int, list[Piece]] = {}
    for at, row in enumerate(table.rows):
        pieces: list[Piece] = []
        for cell, start, wide, to_right in zip(row, table.starts[at], widths, right, strict=True):
            if width(cell) != wide:
                pieces += _cell(cell, start, wide, to_right, delimiter=at == 1, aligned=table.bars[at] == common)
        if pieces:
            found[first + at] = pieces
    return found


def _cell(cell: str, start: int, wide: int, to_right: bool, *, delimiter: bool, aligned: bool) -> list[Piece]:
    """Make a cell `wide` columns wide by changing the blanks (in a delimiter row: the dashes) in it."""
    missing = wide - width(cell)
    bare = cell.strip(" ")
    lead = len(cell) - len(cell.lstrip(" "))
    if delimiter:
        dash = start + cell.index("-")
        dashes = cell.count("-")
        if missing > 0:
            return [(dash, dash, "-" * missing)]
        return [(dash, dash - missing, "")] if dashes + missing >= 1 else []
    if aligned and missing > 0:
        at = start if to_right else start + len(cell)
        return [(at, at, " " * missing)]
    pad = wide - width(bare)
    left = (pad - 1 if to_right else 1) if bare else pad
    found: list[Piece] = []
    if lead != left:
        found.append((start, start + lead, " " * left))
    behind = len(cell) - lead - len(bare)
    if behind != pad - left:
        found.append((start + len(cell) - behind, start + len(cell), " " * (pad - left)))
    return found


def _read(texts: Sequence[str]) -> _Table | None:
    """The cells of a table of which every row has both outer bars and as many cells as the first (GFM tables)."""
    if len(texts) < 3:
        return None
    rows, starts, bars = [], [], []
    for text in texts:
        if "\t" in text or not text.rstrip(" ").endswith("|"):
            return None
        at = [place for place, char in enumerate(text) if char == "|" and not _escaped(text, place)]
        if len(at) < 2 or text[: at[0]].strip(" ") or text[at[-1] + 1 :].strip(" "):
            return None
        rows.append([text[left + 1 : right] for left, right in pairwise(at)])
        starts.append([left + 1 for left in at[:-1]])
        bars.append(tuple(width(text[:place]) for place in at))
    if any(len(row) != len(rows[0]) for row in rows) or not all(_DELIMITER.match(cell) for cell in rows[1]):
        return None
    return _Table(rows, starts, bars)


def _escaped(text: str, at: int) -> bool:
    before = at
    while before and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def width(text: str) -> int:
    """Screen columns of a text: wide characters take two, combining ones none (Unicode TR 11)."""
    if _ASCII_PRINTABLE.match(text):
        return len(text)
    total = 0
    for char in text:
        if unicodedata.combining(char) or char in "\u200b\u200d\ufe0e":
            continue
        if char == "\ufe0f":
            total += 1  # makes a narrow symbol an emoji
            continue
        total += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return total
