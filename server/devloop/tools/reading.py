"""read_file and list_files: looking, never changing."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from devloop import globs
from devloop.beneath import TEMPORARY
from devloop.redact.pem import MARK, Pem
from devloop.tools.confine import Confined, Parts
from devloop.tools.inputs import ListFiles, ReadFile
from devloop.tools.model import Answer, Problem

READ_CAP = 256 * 1024
LINE_CAP = 64 * 1024
"""A line is read in pieces of this size, so that one endless line does not fill the memory."""
LINE_SHOWN = 4_000
"""Characters of a line that are shown at once: a whole file may stand in one."""
WORD_REACH = 4096
"""A line that is too long to be read ends between words, or else so many characters earlier: not within a secret."""
COUNT_CAP = 16 * 1024 * 1024
LIST_CAP = 200
WALK_CAP = 50_000
LOOK_S = 3.0
"""So long a pattern is compared with what lies there: deep folders and a pattern of many `**` take their time."""
IGNORED = frozenset(
    (
        *(".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox", ".eggs"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".terraform", ".next"),
    )
)
"""Folders that are passed over unless they are asked for by name."""


def read_file(call: ReadFile, files: Confined) -> Answer:
    parts = files.split(call.path)
    name = "/".join(parts)
    with os.fdopen(files.open_file(parts), "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if b"\0" in stream.read(8192):
            raise Problem(f"{name} is a binary file of {size} bytes.")
        stream.seek(0)
        text, last, total = _numbered(stream, call.offset, call.limit, count=size <= COUNT_CAP)
    if not size:
        return Answer("(empty file)", f"read {name} (empty)")
    if not last:
        raise Problem(f"{name} has only {total} lines." if total else f"{name} ends before line {call.offset}.")
    if total is None or last < total:
        rest = "more" if total is None else f"{total - last} more"
        text += f"\n… {rest} lines; go on with offset {last + 1}"
    where = "" if call.offset == 1 and last == total else f":{call.offset}-{last}"
    return Answer(text, f"read {name}{where}", excerpt=partial(excerpts, column=call.column))


def excerpts(text: str, column: int) -> str:
    """Numbered lines with a part of each long one, and how to get the next. Of clean text: what cuts a secret in two
    would keep both halves from being known."""
    return "\n".join(_excerpt(line, column) for line in text.split("\n"))


def _excerpt(line: str, column: int) -> str:
    number, tab, rest = line.partition("\t")
    if not tab or not number.isdecimal() or (column == 1 and len(rest) <= LINE_SHOWN):
        return line
    end = column - 1 + LINE_SHOWN
    shown = rest[column - 1 : end] or f"(it has {len(rest)} characters)"
    left = len(rest) - end
    more = f" … {left} more characters; go on with offset {number}, limit 1, column {end + 1}" if left > 0 else ""
    return f"{number}\t{shown}{more}"


def _numbered(stream: BinaryIO, offset: int, limit: int, *, count: bool) -> tuple[str, int, int | None]:
    """The wanted lines with their numbers, the number of the last one (0: none), how many there are if counted. Where
    the first stands within a private key, lines from the key's first on: nobody knows the others for what they are."""
    key, key_at = Pem(lambda _: ""), 0
    shown: list[str] = []
    used, number, last, begun = 0, 0, 0, False
    full = foreign = within = False
    while piece := stream.readline(LINE_CAP):
        number += not begun
        if number < offset and (key.open or MARK.encode() in piece):
            key_at = key_at if key.open else number
            key.lines(piece.decode("utf-8", "replace"))
        elif number == offset and not begun and key.open:
            stream.seek(0)
            return _numbered(stream, key_at, limit + offset - key_at, count=count)
        if offset <= number < offset + limit and not full:
            raw = piece.rstrip(b"\r\n") if piece.endswith(b"\n") else piece
            if number == 1 and not begun:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            line = raw.decode("utf-8", "replace")
            foreign = foreign or ("\ufffd" in line and b"\xef\xbf\xbd" not in raw)
            shown.append(line if begun else f"\n{number}\t{line}")
            used += len(raw)
            last, full = number, used >= READ_CAP
            within = full and not piece.endswith(b"\n")
        elif not count and number >= offset:
            number = -1
            break
        begun = not piece.endswith(b"\n")
    text = "".join(shown).removeprefix("\n")
    if foreign:
        text = "(not UTF-8: bytes that could not be read are shown as �)\n" + text
    if within:
        between = max(text.rfind(blank, len(text) - WORD_REACH) for blank in " \t\n")
        text = text[: between if between >= 0 else -WORD_REACH]
    if full:
        text += f"\n… cut: more than {READ_CAP // 1024} KiB"
        text += f" in line {last}; search finds what stands behind" if within else ""
    return text, last, number if number >= 0 else None


def list_files(call: ListFiles, files: Confined) -> Answer:
    start, pattern = files.split(call.path), call.pattern
    if pattern.startswith("/"):
        start, pattern = (), "/".join(files.split(pattern)) or "*"
    if ".." in pattern.split("/"):
        raise Problem("The pattern may not contain `..`; use path for the folder to start in.")
    wanted = frozenset(part for segments in globs.expanded(pattern) for part in segments)
    walk = Walk(files, start, wanted)
    found = [
        "/".join(parts) + ("/" if stat.S_ISDIR(mode) else "@" if stat.S_ISLNK(mode) else "")
        for parts, mode in walk
        if globs.matches(pattern, parts[len(start) :])
    ]
    found.sort()
    text = "\n".join(found[:LIST_CAP]) or "(nothing matches)"
    if len(found) > LIST_CAP:
        text += f"\n… {len(found) - LIST_CAP} more; use a narrower pattern"
    if walk.stopped:
        text += f"\n… stopped after {walk.stopped}; start in a deeper folder"
    return Answer(text, f"list {call.pattern} ({len(found)})")


class Walk:
    """Every entry below the folder `start` with its mode, never through a symbolic link.

    The folders of `IGNORED` are passed over with what is in them, unless `named` has them. It ends after `WALK_CAP`
    entries or `LOOK_S` seconds, and then `stopped` says so: whoever looks at each entry takes time as well.
    """

    def __init__(self, files: Confined, start: Parts, named: frozenset[str] = frozenset()) -> None:
        self._files, self._start, self._ignored = files, start, IGNORED - named
        self.stopped = ""

    def __iter__(self) -> Iterator[tuple[Parts, int]]:
        left, end = WALK_CAP, time.monotonic() + LOOK_S
        waiting = [self._start]
        while waiting and not self.stopped:
            for found in self._inside(waiting.pop()):
                left -= 1
                if left < 0 or time.monotonic() > end:
                    self.stopped = f"{WALK_CAP} entries" if left < 0 else f"{LOOK_S:.0f} s"
                    break
                if stat.S_ISDIR(found[1]):
                    waiting.append(found[0])
                yield found

    def _inside(self, folder: Parts) -> Iterator[tuple[Parts, int]]:
        try:
            fd = self._files.open_folder(folder)
        except Problem:
            if folder == self._start:
                raise
            return
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    if entry.name in self._ignored or entry.name.startswith(TEMPORARY):
                        continue
                    try:
                        mode = entry.stat(follow_symlinks=False).st_mode
                    except OSError:
                        continue
                    yield (*folder, entry.name), mode
        finally:
            os.close(fd)
