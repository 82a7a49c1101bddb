"""The bytes that trust is about: read once, bounded, without a link anywhere; shown so that nothing in them hides."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

MAX_ITEM = 512 * 1024
LINK = "it is a symbolic link; put the file itself there"


def walk(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    """(path, "") of every file below `folder`, and (path, why) of links and special files. No link is followed."""
    for parent in (folder.partition("/")[0], folder):
        if (root / parent).is_symlink():
            yield parent, LINK
            return
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(root / current) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = f"{current}/{entry.name}"
                if entry.is_symlink():
                    yield path, LINK
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path, ""
                else:
                    yield path, "it is no regular file"


def read_file(root: Path, relative: str) -> bytes:
    """The bytes of a regular file below `root`, opened once; no component below `root` may be a link. Raises `OSError`
    and `ValueError`."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    parts = relative.split("/")
    for depth in range(1, len(parts)):
        if root.joinpath(*parts[:depth]).is_symlink():
            raise OSError(errno.ELOOP, LINK)
    with os.fdopen(os.open(root / relative, flags), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if found.st_size > MAX_ITEM:
            raise ValueError(f"it is larger than {MAX_ITEM // 1024} KiB")
        return stream.read(MAX_ITEM + 1)


def reason_of(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return LINK if problem.errno == errno.ELOOP else f"it can't be read ({problem.strerror})"
    return str(problem)


def in_full(data: bytes) -> str:
    """The bytes as text in which nothing hides: control, format and undecodable characters are spelled out."""
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n\t" or not _hides(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _hides(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def framed(name: str, data: bytes) -> bytes:
    """One file so that no other set of files gives the same bytes."""
    return b"%s\0%d\0%s" % (os.fsencode(name), len(data), data)
