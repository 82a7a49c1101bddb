"""Hiding secrets in what comes in pieces: a secret may be cut anywhere (security §9.3, layer 2).

What is not yet a whole line is carried over, at most `CARRY` characters of it; a private key may go over any number of
lines. So the pieces together are hidden as the whole would be. Where a line is longer than the carry, it is given
out up to a place where nothing that can be hidden is cut.
"""

from __future__ import annotations

import io
import re
from typing import Final, TextIO

from devloop.redact.redactor import Redactor

CARRY: Final = 64 * 1024
_MARGIN: Final = 4 * 1024
"""Characters at a long line's end that wait: a secret that goes on may have begun there."""
_BETWEEN: Final = re.compile(r"[\s,;\"'(){}<>&|]")
_TRIES: Final = 16
_WORD: Final = re.compile(r"(?<![!-~«»])[!-~«»]++\Z")
_GOES_ON: Final = re.compile(r"[A-Za-z0-9._~+/=%:-]+")
_HALF: Final = 4


class Stream:
    """One text in pieces. `feed` answers what can be told by now, `close` the rest."""

    def __init__(self, redactor: Redactor, carry: int = CARRY) -> None:
        self._redactor, self._limit = redactor, carry
        self._pem = redactor.pem()
        self._carried: list[str] = []
        self._size = 0
        self._swallows = False

    def feed(self, piece: str) -> str:
        if self._swallows:
            piece = self._swallowed(piece)
        end = piece.rfind("\n") + 1
        told = ""
        if end:
            whole = "".join((*self._carried, piece[:end]))
            self._carried, self._size = [], 0
            told = self._lines(whole)
        rest = piece[end:]
        if rest:
            self._carried.append(rest)
            self._size += len(rest)
        while self._size > self._limit:
            before = self._size
            told += self._flushed()
            if self._size >= before:
                break
        return told

    def close(self) -> str:
        rest = "".join(self._carried)
        self._carried, self._size, self._swallows = [], 0, False
        return self._lines(rest) + self._pem.end()

    def preview(self) -> str:
        """What of the carried line can be shown already, for somebody who watches. It is told again with its line.

        A word that is still being written waits, and so does what may be the beginning of a known value.
        """
        if self._pem.open or not self._size:
            return ""
        text = _WORD.sub("", "".join(self._carried))
        text = text[: _begun(text, self._redactor)]
        return self._redactor.text(text)

    def _lines(self, text: str) -> str:
        return self._pem.lines(self._redactor.in_lines(text))

    def _swallowed(self, piece: str) -> str:
        found = _GOES_ON.match(piece)
        rest = piece[found.end() :] if found else piece
        self._swallows = not rest
        return rest

    def _flushed(self) -> str:
        """A line that is too long to wait for."""
        text = "".join(self._carried)
        whole = self._redactor.text(text)
        for cut in _cuts(text):
            begin, rest = text[:cut], text[cut:]
            if self._redactor.text(begin) + self._redactor.text(rest) == whole:
                self._carried, self._size = [rest], len(rest)
                return self._pem.lines(self._redactor.in_lines(begin))
        self._carried, self._size = [], 0
        self._swallows = whole.endswith("»")
        return self._pem.lines(self._redactor.in_lines(text))


def _cuts(text: str) -> list[int]:
    """Places between words, the last ones that leave a margin first."""
    last = len(text) - _MARGIN
    found = [match.end() for match in _BETWEEN.finditer(text, max(0, last - 4 * _MARGIN), max(0, last))]
    return found[: -_TRIES - 1 : -1]


def _begun(text: str, redactor: Redactor) -> int:
    """Where a known value with white space, or beyond ASCII, may have begun that goes on behind `text`."""
    at = len(text)
    for form in redactor.known:
        if form.isascii() and " " not in form and "\t" not in form:
            continue
        for length in range(min(len(form) - 1, len(text)), _HALF - 1, -1):
            if text.endswith(form[:length]):
                at = min(at, len(text) - length)
                break
    return at


class RedactedOutput(io.TextIOBase):
    """A standard stream that leads to a log: whole lines, redacted. What no formatter sees, as the traceback of a crash
    and what a library prints, passes here."""

    def __init__(self, target: TextIO, redactor: Redactor) -> None:
        self._target = target
        self._stream = Stream(redactor)

    def write(self, text: str) -> int:
        told = self._stream.feed(text)
        if told:
            self._target.write(told)
            self._target.flush()
        return len(text)

    def flush(self) -> None:
        self._target.flush()

    def close(self) -> None:
        if not self.closed:
            self._target.write(self._stream.close())
            self._target.flush()
        super().close()

    def fileno(self) -> int:
        return self._target.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._target.encoding
