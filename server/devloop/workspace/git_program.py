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
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry and Path(entry).is_absolute() and not _is_foreign(entry))


def _is_foreign(entry: str) -> bool:
    """Whether it is such a folder or lies below one, by name or really. Compared as text: all entries are looked at
    in each call of git, and with path objects that takes three times as long."""
    places = [os.path.join(place, "") for place in (os.path.normpath(entry), os.path.realpath(entry))]  # noqa: PTH118
    return any(place.startswith(os.path.join(folder, "")) for folder in _foreign for place in places)  # noqa: PTH118


def executable(path: str) -> str:
    """The git of a search path."""
    found = _which(path)
    if found is None:
        raise RepositoryUnfit(
            "git is not installed.",
            hint="Install git 2.38 or newer, outside of this project, and try again.",
        )
    return found
