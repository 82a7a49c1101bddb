"""The same where there are no descriptors of folders (Windows): by name, as narrowly as that can be done."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from devloop.beneath_walk import MOST_DEPTH, NEW, TEMPORARY, NoFile, Outside, parts_of


def inside(root: Path, parts: tuple[str, ...], relative: str, *, links: bool) -> Path:
    """Where the path leads, without a link that could be followed. What is missing is taken as it is written."""
    base = os.path.realpath(root)
    real = _real(root.joinpath(*parts), relative)
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise Outside(relative)
    if _real(real, relative) != real:  # behind a link to itself nothing was looked at
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
    if not links and os.path.normcase(real) != os.path.normcase(os.path.join(base, *parts)):  # noqa: PTH118
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
    return Path(real)


def _real(path: str | Path, relative: str) -> str:
    try:
        return os.path.realpath(path)
    except RecursionError:  # before Python 3.13 each link that leads to a link is one call deeper
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative) from None


def place(root: Path, relative: str, *, links: bool) -> Path:
    """The path in the folder that it lies in, which itself is not followed."""
    parts = parts_of(relative)
    if not parts:
        raise NoFile(relative)
    return inside(root, parts[:-1], relative, links=links) / parts[-1]


def opened(root: Path, relative: str, flags: int, *, links: bool) -> int:
    path = inside(root, parts_of(relative), relative, links=links)
    if not stat.S_ISREG(path.stat().st_mode):
        raise NoFile(relative)
    return os.open(path, flags)


def write(root: Path, relative: str, data: bytes, mode: int | None, *, links: bool, new: bool) -> None:
    if new:
        path = place(root, relative, links=links)
    else:
        path = inside(root, parts_of(relative), relative, links=links)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise NoFile(relative)
    _make_folders(Path(os.path.realpath(root)), path.parent, relative)
    if new:
        with os.fdopen(os.open(path, NEW, mode or 0o644), "wb") as stream:
            stream.write(data)
        return
    temporary = path.with_name(TEMPORARY + secrets.token_hex(8))
    try:
        with os.fdopen(os.open(temporary, NEW, mode or 0o644), "wb") as stream:
            stream.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _make_folders(base: Path, folder: Path, relative: str) -> None:
    names = folder.relative_to(base).parts
    if len(names) > MOST_DEPTH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
    for name in names:
        base /= name
        with contextlib.suppress(FileExistsError):
            base.mkdir()
