"""The bytes that trust is about: read once, bounded, without a link anywhere; shown so that nothing in them hides."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from devloop import beneath
from devloop.redact.characters import HIDDEN

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
        try:
            found = beneath.entries(root, current, links=False)
        except OSError as problem:
            if problem.errno == errno.ELOOP:  # it became a link meanwhile
                yield current, LINK
            continue
        for name, mode in found:
            path = f"{current}/{name}"
            if stat.S_ISLNK(mode):
                yield path, LINK
            elif stat.S_ISDIR(mode):
                waiting.append(path)
            elif stat.S_ISREG(mode):
                yield path, ""
            else:
                yield path, "it is no regular file"


def read_file(root: Path, relative: str) -> bytes:
    """The bytes of a regular file below `root`, opened once; no component below `root` may be a link. Raises `OSError`
    and `ValueError`."""
    try:
        return beneath.read(root, relative, MAX_ITEM, links=False)
    except beneath.TooLarge:
        raise ValueError(f"it is larger than {MAX_ITEM // 1024} KiB") from None
    except beneath.NoFile:
        raise ValueError("it is no regular file") from None


def reason_of(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return LINK if problem.errno == errno.ELOOP else f"it can't be read ({problem.strerror})"
    return str(problem)


def in_full(data: bytes) -> str:
    """The bytes as text in which nothing hides: control, format and undecodable characters are spelled out."""
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return _UNUSUAL.sub(_spelled, text)


_UNUSUAL = re.compile("[^\n\t -~]")


def _spelled(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found[0]):x}}}" if _hides(found[0]) else found[0]


def _hides(character: str) -> bool:
    """Whether a reader would not see it: control and format characters, what nobody has assigned, and what Unicode
    calls ignorable or blank though it counts as a letter or a mark."""
    return unicodedata.category(character) in _HIDDEN or _UNSEEN.match(character) is not None


_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
_UNSEEN = re.compile(f"[{HIDDEN}\u2800\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""What no text shows, beyond the categories fillers and selectors; and spaces that are none."""


def framed(name: str, data: bytes) -> bytes:
    """One file so that no other set of files gives the same bytes."""
    return b"%s\0%d\0%s" % (os.fsencode(name), len(data), data)
