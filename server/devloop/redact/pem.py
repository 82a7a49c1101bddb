"""Private keys in PEM (RFC 7468), line by line: whole, cut off, indented, quoted, in a diff, behind line numbers, with
DOS line ends, or on one line with `\\n` written out.

A block is opened by its first line and goes on while lines look like its body. Text that only speaks of such a block,
as the source of a parser does, stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from devloop.redact.characters import printable

MARK: Final = "PRIVATE KEY"
MAX_BODY: Final = 64 * 1024
"""Characters of one block: what goes on for longer is no key, and must not hide a whole output."""
_BEGIN: Final = re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_END: Final = re.compile(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_AROUND: Final = r"(?:[\s\"'`,;+|>*#()\[\]{}\\.]|(?<=\\)[nrt])*+"  # one way to read a text: a line of \ has no end else
_ALONE: Final = re.compile(rf"{_AROUND}\Z")
_RUN: Final = re.compile(r"[A-Za-z0-9+/=]{16}")
_BODY: Final = re.compile(rf"(?:\S{{0,200}}[:\-\t])?[\s\d>|+*#\"'`,;(\[{{:-]{{0,40}}([A-Za-z0-9+/=]+){_AROUND}\Z")
_LONG_BODY: Final = re.compile(r"\s*([A-Za-z0-9+/=]+)\s*\Z")
_HEADER: Final = re.compile(r"[\W\d]{0,40}(?:Proc-Type|DEK-Info|Comment|Version|Charset|Hash|MessageID):")
_BLANK: Final = re.compile(r"[\W\d]*\Z")
_UNQUOTED: Final = re.compile(r"[^\"'`\r\n]*")
_LINE: Final = 400
_ENOUGH: Final = 16
"""Characters that a body's first line has at least; its last one may be short."""


class Pem:
    """`told` makes the replacement of a block's text. Feed whole lines; `end` says what is left at a text's end."""

    def __init__(self, told: Callable[[str], str]) -> None:
        self._told = told
        self._block: list[str] | None = None
        self._size = self._blank = 0
        self._body = False
        self._tail = ""

    @property
    def open(self) -> bool:
        return self._block is not None

    def lines(self, text: str) -> str:
        """`text`, which consists of whole lines (the last one may lack its end), with private keys replaced."""
        if not self.open and MARK not in text:
            return text
        return "".join(self._line(line) for line in _LINES.findall(text))

    def end(self) -> str:
        if self._block is None:
            return ""
        block, self._block = "".join(self._block), None
        return self._told(block) + self._tail

    def _line(self, line: str) -> str:
        said: list[str] = []
        if self._block is not None:
            closing = _END.search(line)
            if closing is None and self._goes_on(line):
                self._block.append(line)
                self._size += len(line)
                return ""
            if closing is not None:
                self._block.append(line[: closing.end()])
                self._tail = ""
                line = line[closing.end() :]
            said.append(self.end())
        while (opening := _BEGIN.search(line)) is not None:
            said.append(line[: opening.start()])
            rest = line[opening.end() :]
            if (closing := _END.search(rest)) is not None:
                said.append(self._told(opening[0] + rest[: closing.end()]))
                line = rest[closing.end() :]
            elif _ALONE.match(printable(rest)):
                self._block, self._size, self._blank, self._body = [opening[0]], 0, 0, False
                self._tail = rest
                line = ""
            else:
                hidden = _UNQUOTED.match(rest)
                assert hidden is not None
                cut_off = _RUN.search(hidden[0]) is not None  # on one line, without its end
                said.append(self._told(opening[0] + hidden[0]) if cut_off else opening[0])
                line = rest[hidden.end() :] if cut_off else rest
        return "".join((*said, line))

    def _goes_on(self, line: str) -> bool:
        bare = printable(line)
        if self._size > MAX_BODY:
            return False
        if "«redacted:" in bare or _HEADER.match(bare):
            return True
        if _BLANK.match(bare):
            self._blank += 1
            return self._blank <= 2
        found = (_BODY if len(bare) <= _LINE else _LONG_BODY).match(bare)
        if found is None or (len(found[1]) < _ENOUGH and not self._body):
            return False
        self._blank, self._body = 0, True
        return True
