"""Which git is started: one of the machine, never one that lies in a checkout."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

from devloop.errors import RepositoryUnfit

_foreign: set[Path] = set()


@functools.cache
def _which(path: str) -> str | None:
    return shutil.which("git", path=path)


def distrust(folder: Path) -> None:
    """Take no program from below `folder`, a checkout, even where the person's PATH names a folder in it."""
    _foreign.update((folder, Path(os.path.realpath(folder))))


def search_path() -> str:
    """PATH without relative entries and checkouts: a `git` lying in the repository is never taken."""
    return _without(os.environ.get("PATH", os.defpath), frozenset(_foreign))


@functools.lru_cache(maxsize=8)
def _without(path: str, foreign: frozenset[Path]) -> str:
    """Where its entries lead is looked up once, as is git's place in them: a fifth of what a call of git costs here."""
    entries = path.split(os.pathsep)
    return os.pathsep.join(
        entry for entry in entries if entry and Path(entry).is_absolute() and not _lies_in(foreign, Path(entry))
    )


def _lies_in(foreign: frozenset[Path], entry: Path) -> bool:
    """Whether it is such a folder or lies below one, by name or really."""
    places = (Path(os.path.normpath(entry)), Path(os.path.realpath(entry)))
    return any(place.is_relative_to(folder) for folder in foreign for place in places)


def executable(path: str) -> str:
    """The git of a search path."""
    found = _which(path)
    if found is None:
        raise RepositoryUnfit(
            "git is not installed.",
            hint="Install git 2.38 or newer, outside of this project, and try again.",
        )
    return found
