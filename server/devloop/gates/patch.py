"""A unified diff as git writes it → files, hunks, lines. Total: text that is no diff gives nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)", re.DOTALL)
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_NAMED = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b'"': 34, b"\\": 92}


@dataclass(frozen=True)
class Line:
    """`number` is 0-based: in the new file for ` ` and `+`, in the old file for `-`."""

    sign: str
    number: int
    text: str


@dataclass
class Hunk:
    """`heading`: the definition that it stands in, where git knows one."""

    new_start: int
    lines: list[Line] = field(default_factory=list)
    heading: str = ""


@dataclass
class FileDiff:
    """`old` is "" for a new file, `new` is "" for a deleted one. `link`: it is one now, or another repository."""

    old: str = ""
    new: str = ""
    binary: bool = False
    link: bool = False
    hunks: list[Hunk] = field(default_factory=list)

    @cached_property
    def added(self) -> list[Line]:
        return [line for hunk in self.hunks for line in hunk.lines if line.sign == "+"]

    @cached_property
    def removed(self) -> list[Line]:
        return [line for hunk in self.hunks for line in hunk.lines if line.sign == "-"]


def parse(diff: str) -> list[FileDiff]:
    """Files in the order of the diff. Hunk lines are counted, so a removed line `-- x` is no header."""
    files: list[FileDiff] = []
    old_left = new_left = old_line = new_line = 0
    for text in diff.split("\n"):
        if files and files[-1].hunks and (old_left > 0 or new_left > 0) and text[:1] in (" ", "+", "-", ""):
            sign = text[:1] or " "
            number = old_line if sign == "-" else new_line
            files[-1].hunks[-1].lines.append(Line(sign, number, text[1:].removesuffix("\r")))
            if sign != "+":
                old_line, old_left = old_line + 1, old_left - 1
            if sign != "-":
                new_line, new_left = new_line + 1, new_left - 1
        elif text.startswith("diff --git "):
            files.append(_named(text))
            old_left = new_left = 0
        elif files and (match := _HUNK.match(text)):
            old_line, new_line = max(0, int(match[1]) - 1), max(0, int(match[3]) - 1)
            old_left, new_left = int(match[2] or 1), int(match[4] or 1)
            files[-1].hunks.append(Hunk(new_line, heading=match[5]))
        elif files:
            _header(files[-1], text)
    return files


def _header(file: FileDiff, text: str) -> None:
    if text.startswith(("new file mode 12", "new file mode 16")):
        file.link = True
    if text.startswith("new file"):
        file.old = ""
    elif text.startswith("deleted file"):
        file.new = ""
    elif text.startswith("rename from "):
        file.old = _unquote(text.removeprefix("rename from "))
    elif text.startswith("rename to "):
        file.new = _unquote(text.removeprefix("rename to "))
    elif text.startswith("--- "):
        file.old = _path(text[4:], "a/")
    elif text.startswith("+++ "):
        file.new = _path(text[4:], "b/")
    elif text.startswith(("Binary files", "GIT binary patch")):
        file.binary = True


def _named(text: str) -> FileDiff:
    """`diff --git a/X b/Y`: enough when neither `---` nor `rename` follows (mode changes, empty and binary files)."""
    rest = text.removeprefix("diff --git ")
    if rest.startswith('"'):
        end = rest.find('" ', 1)
        old, new = rest[: end + 1], rest[end + 2 :]
    else:
        # With equal names both halves have one length: `a/x y b/x y`.
        half = (len(rest) - 1) // 2
        if rest[2:half] == rest[half + 3 :]:
            old, new = rest[:half], rest[half + 1 :]
        else:
            old, _, new = rest.partition(" b/")
            new = f"b/{new}"
    return FileDiff(_path(old, "a/"), _path(new, "b/"))


def _path(text: str, prefix: str) -> str:
    name = _unquote(text.removesuffix("\r").removesuffix("\t"))
    return "" if name == "/dev/null" else name.removeprefix(prefix)


def _unquote(text: str) -> str:
    """git's C-style quoting (core.quotePath)."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    raw = text[1:-1].encode("utf-8", "surrogateescape")
    plain = _ESCAPE.sub(lambda m: bytes([_NAMED[m[1]] if m[1] in _NAMED else int(m[1], 8) & 255]), raw)
    return plain.decode("utf-8", "replace")
