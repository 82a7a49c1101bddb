"""Where the keys of a TOML file stand: `tomllib` does not tell, and a problem has to be said with its line."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from typing import Final

Place = tuple[str, ...]

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_TEXT: Final = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")


def lines(text: str) -> dict[Place, int]:
    """The line (from 1) of each key of a valid TOML text, of keys of inline tables too; of a table, the line of its
    header. Of what is no TOML, as much as was understood."""
    reader = _Reader(text.replace("\r\n", "\n"))
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        reader.document()
    return reader.found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Place, int] = {}
        self._starts = [match.end() for match in re.finditer("\n", text)]

    def document(self) -> None:
        table: Place = ()
        self._skip()
        while self.at < len(self.text):
            begin = self.at
            if self.text[self.at] == "[":
                many = 2 if self.text.startswith("[[", self.at) else 1
                self.at += many
                table = self._key()
                self._note(table, begin)
                self.at += many
            else:
                self._pair(table)
            self._skip()

    def _pair(self, table: Place) -> None:
        begin = self.at
        place = (*table, *self._key())
        self._note(place, begin)
        if self.text[self.at] != "=":
            raise ValueError
        self.at += 1
        self._blank()
        self._value(place)

    def _value(self, place: Place) -> None:
        first = self.text[self.at]
        if first in "\"'":
            match = _TEXT.match(self.text, self.at)
            if match is None:
                raise ValueError
            self.at = match.end()
        elif first in "[{":
            self.at += 1
            self._skip()
            while self.text[self.at] not in "]}":
                if first == "{":
                    self._pair(place)
                else:
                    self._value(place)
                self._skip()
                if self.text[self.at] == ",":
                    self.at += 1
                    self._skip()
            self.at += 1
        else:
            match = _SCALAR.match(self.text, self.at)
            self.at = match.end() if match and match.end() > self.at else len(self.text)

    def _key(self) -> Place:
        parts: list[str] = []
        while True:
            self._blank()
            quoted = _TEXT.match(self.text, self.at)
            match = quoted or _BARE.match(self.text, self.at)
            if match is None:
                raise ValueError
            parts.append(match[0][1:-1] if quoted else match[0])
            self.at = match.end()
            self._blank()
            if self.text[self.at : self.at + 1] != ".":
                return tuple(parts)
            self.at += 1

    def _note(self, place: Place, at: int) -> None:
        line = bisect_right(self._starts, at) + 1
        for depth in range(1, len(place) + 1):
            self.found.setdefault(place[:depth], line)

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
