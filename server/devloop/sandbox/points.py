"""The empty folders and files on the host that mounts of running commands lie on.

Removing one on the host detaches the mount in *every* command that runs: so they are counted, and the last one out
removes them. Making and removing thirteen folders for each command takes milliseconds on some file systems, moving them
does not: those that never showed inside wait in a spare folder for the next command.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import threading
import uuid
from collections import Counter
from pathlib import Path

KEPT = 200
"""Folders that wait in one spare folder; more are removed."""

_lock = threading.Lock()
_in_use: Counter[Path] = Counter()
_spare: dict[Path, list[str]] = {}
_own = uuid.uuid4().hex  # several processes share a folder
_numbers = itertools.count()


def used(path: Path) -> bool:
    """Whether a command that runs now needed this place to be made: it must not be gone before this one ends."""
    with _lock:
        return path in _in_use


def make(path: Path, spare: Path | None) -> None:
    """An empty folder where nothing is. Raises `FileExistsError` and the like."""
    if spare is not None and (name := _take(spare)):
        try:
            os.rename(f"{spare}/{name}", path)  # noqa: PTH104 - speed
            return
        except OSError:  # another process took it
            pass
    path.mkdir()


def count(path: Path) -> None:
    with _lock:
        _in_use[path] += 1


def leave(path: Path, spare: Path | None, *, file: bool = False) -> None:
    """One command less needs it; without any it is removed, unless somebody filled it or put something else there."""
    with _lock:
        _in_use[path] -= 1
        if _in_use[path] <= 0:
            del _in_use[path]
            if spare is None or not _put_by(path, spare):
                _remove_empty(path, file=file)


def _take(spare: Path) -> str | None:
    """The name of a folder in `spare`; what an earlier process left there is found when this one asks first."""
    with _lock:
        if spare not in _spare:
            try:
                spare.mkdir(mode=0o700, exist_ok=True)
                names = os.listdir(spare)  # noqa: PTH208 - names
                # A crash may have come before what somebody filled was back in its place.
                _spare[spare] = [name for name in names if _is_empty_folder(f"{spare}/{name}")]
            except OSError:
                _spare[spare] = []
        return _spare[spare].pop() if _spare[spare] else None


def _put_by(path: Path, spare: Path) -> bool:
    """Move it to `spare`, where nobody can fill it any more. False: not moved, or moved back: somebody filled it."""
    names = _spare.get(spare, [])
    if len(names) >= KEPT or not _is_empty_folder(path):
        return False
    name = f"{_own}-{next(_numbers)}"
    place = f"{spare}/{name}"
    try:
        os.rename(path, place)  # noqa: PTH104 - speed
    except OSError:
        return False
    if _is_empty_folder(place):
        names.append(name)
        return True
    with contextlib.suppress(OSError):  # something is there again
        os.rename(place, path)  # noqa: PTH104
    return True


def is_empty(path: Path | str) -> bool:
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _is_empty_folder(path: Path | str) -> bool:
    """Not so for a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode) and is_empty(path)
    except OSError:
        return False


def _remove_empty(point: Path, *, file: bool) -> None:
    with contextlib.suppress(OSError):
        if not file:
            point.rmdir()
        elif stat.S_ISREG((found := point.lstat()).st_mode) and found.st_size == 0:
            point.unlink()
