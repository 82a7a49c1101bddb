"""Between the editor's positions and the plan's (LSP 3.18, Position).

An editor counts lines from 0 and columns in the units that were negotiated: UTF-8 bytes, UTF-16 code units or code
points. The plan counts lines from 1 and columns in code points. A column beyond a line is the end of its text; one
inside of a character is that character's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lsprotocol import types as t

from devloop import plan as plans

Encoding = Literal["utf-8", "utf-16", "utf-32"]
BOM: Final = "\ufeff"
CHUNK: Final = 2_000
"""Characters of a long line that are measured at once: one by one, a line of megabytes would stop everybody."""


def width(text: str, encoding: Encoding) -> int:
    """The length of `text` in units of the encoding."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def code_points(text: str, units: int, encoding: Encoding) -> int:
    """How many characters of `text` lie wholly before `units`."""
    if units <= 0:
        return 0
    if encoding == "utf-32" or text.isascii():
        return min(units, len(text))
    size = _bytes if encoding == "utf-8" else _words
    reached = at = 0
    while at + CHUNK < len(text) and (more := reached + width(text[at : at + CHUNK], encoding)) <= units:
        reached, at = more, at + CHUNK
    for index, char in enumerate(text[at : at + CHUNK] if len(text) > CHUNK else text, at):
        reached += size(char)
        if reached > units:
            return index
    return len(text)


def _bytes(char: str) -> int:
    return 1 if char < "\x80" else 2 if char < "\u0800" else 3 if char < "\U00010000" else 4


def _words(char: str) -> int:
    return 2 if char > "\uffff" else 1


def body(line: str) -> str:
    return line.rstrip("\r\n")


@dataclass(frozen=True)
class Positions:
    """The conversion for one editor."""

    encoding: Encoding = "utf-16"

    def point(self, document: plans.Document, position: t.Position) -> tuple[int, int]:
        """(line from 0, column in code points), as `Document.replace` takes them."""
        line = max(position.line, 0)  # `uinteger` is not checked on the way in, and -1 would be the last line
        units = position.character - self._before(document, line)
        return line, code_points(body(document.line(line)), units, self.encoding)

    def in_bom(self, document: plans.Document, position: t.Position) -> bool:
        """Whether the position lies before the end of the document's BOM."""
        return position.line == 0 and position.character < self._before(document, 0)

    def position(self, document: plans.Document, line: int, column: int) -> t.Position:
        """Of a line counted from 1."""
        before = self._before(document, line - 1)
        return t.Position(line - 1, before + width(document.line(line - 1)[:column], self.encoding))

    def _before(self, document: plans.Document, line: int) -> int:
        """Units of the BOM, which the editor counts as a character of line 0 and the plan doesn't."""
        return width(BOM, self.encoding) if line == 0 and document.bom else 0

    def range(self, document: plans.Document, line: int, start: int = 0, end: int | None = None) -> t.Range:
        """A piece of one line; without `end` up to the end of its text."""
        size = len(body(document.line(line - 1)))
        stop = size if end is None else min(end, size)
        return t.Range(self.position(document, line, min(start, size)), self.position(document, line, stop))

    def lines(self, document: plans.Document, first: int, last: int) -> t.Range:
        """Whole lines, counted from 1, without the end of the last one."""
        return t.Range(t.Position(first - 1, 0), self.range(document, last).end)

    def edit(self, document: plans.Document, edit: plans.Edit) -> t.TextEdit:
        return t.TextEdit(
            t.Range(
                self.position(document, edit.start_line, edit.start), self.position(document, edit.end_line, edit.end)
            ),
            edit.text,
        )
