"""The way to a file below a folder, one component after the other by descriptors: no link is followed unseen.

A link is read, and its target walked below the same root. What can't lie inside is `Outside`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from collections.abc import Iterator
from pathlib import Path

from devloop.openat2 import CLOEXEC, FOLDER, NOFOLLOW

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | NOFOLLOW | CLOEXEC
MOST_LINKS = 40
MOST_DEPTH = 256
"""Folders that are held open at once on the way to a file behind a link."""
TEMPORARY = ".devloop-tmp-"


class Outside(OSError):
    """The path, or a link on its way, leads out of the folder."""

    def __init__(self, relative: str) -> None:
        super().__init__(errno.EXDEV, "it leads outside", relative)


class NoFile(OSError):
    """What is there is no regular file: a folder, a FIFO, a socket, a device."""

    def __init__(self, relative: str) -> None:
        super().__init__(errno.ENXIO, "it is no file", relative)


class TooLarge(OSError):
    def __init__(self, relative: str) -> None:
        super().__init__(errno.EFBIG, "it is too large", relative)


def parts_of(relative: str) -> tuple[str, ...]:
    """The components of a path below a folder; `..` is taken literally. Raises `OSError` for what can't lie inside."""
    try:
        fits = "\0" not in relative and not relative.startswith("/") and os.fsencode(relative) is not None
    except UnicodeEncodeError:
        fits = False
    plain = posixpath.normpath(relative or ".") if fits else ".."
    if plain == ".." or plain.startswith("../") or (os.sep != "/" and (os.sep in plain or ":" in plain)):
        raise Outside(relative)
    return () if plain == "." else tuple(plain.split("/"))


@contextlib.contextmanager
def place(
    root: Path, relative: str, *, links: bool, make: bool = False, last: bool = True
) -> Iterator[tuple[int, str]]:
    """The folder that a path lies in, by a descriptor that lives as long as the block, and the name there, which was no
    link when it was looked at, or is not followed (`last`). `make`: folders that are missing are made."""
    held = [os.open(root, FOLDER)]
    try:
        waiting = list(reversed(parts_of(relative)))
        if make and len(waiting) > MOST_DEPTH + 1:  # before the first of them is made
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
        left = MOST_LINKS if links else 0
        name = "."
        while waiting:
            name = waiting.pop()
            if name == "..":
                if len(held) == 1:
                    raise Outside(relative)
                os.close(held.pop())
                name = "."
                continue
            if not waiting and not last:
                break
            target = _link_target(name, held[-1])
            if target is not None:
                if not left:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
                left -= 1
                if target.startswith("/"):
                    target = _below(root, target, relative)
                    while len(held) > 1:
                        os.close(held.pop())
                waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
                name = "."
            elif waiting:
                if len(held) > MOST_DEPTH:
                    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
                held.append(_folder(name, held[-1], make=make))
        yield held[-1], name
    finally:
        for fd in held:
            os.close(fd)


def _link_target(name: str, folder: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as problem:
        if problem.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _folder(name: str, folder: int, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o777, dir_fd=folder)
    return os.open(name, FOLDER | NOFOLLOW, dir_fd=folder)


def _below(root: Path, target: str, relative: str) -> str:
    """What an absolute link says, from the root."""
    plain = posixpath.normpath(target)
    for base in (os.path.abspath(root), os.path.realpath(root)):  # noqa: PTH100 - links stay
        if plain == base or plain.startswith(base.rstrip("/") + "/"):
            return plain[len(base) :].lstrip("/")
    raise Outside(relative)
