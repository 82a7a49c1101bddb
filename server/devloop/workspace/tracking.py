"""What git does with files that are to be shared, and with files of one person."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devloop.workspace.repository import Repository


@dataclass(frozen=True)
class Tracking:
    """`hidden`: to be shared, but ignored. `exposed`: a person's own, but not ignored. `shared`: a person's own, but
    tracked already, so that ignoring it no longer helps."""

    hidden: tuple[str, ...]
    exposed: tuple[str, ...]
    shared: tuple[str, ...]


async def tracking(repository: Repository, root: Path, tracked: Sequence[str], ignored: Sequence[str]) -> Tracking:
    """How git sees these names, which are relative to `root`; one with a slash at its end is a folder, in the last part
    of one `*` stands for any characters.

    Names of files that do not exist count too: what matters is what would happen to them.
    """
    git = await repository.git()
    places = {os.fspath(root / _example(name)): name for name in (*tracked, *ignored)}
    data = b"".join(os.fsencode(place) + b"\0" for place in places)
    found = await git.run("check-ignore", "--no-index", "--stdin", "-z", data=data, ok=(0, 1), literal=False)
    hits = {places[os.fsdecode(raw)] for raw in found.out.split(b"\0") if os.fsdecode(raw) in places}
    folders = {os.fspath((root / name).parent) for name in ignored if "*" in name}
    named = (root / name.rstrip("/") for name in ignored if "*" not in name)
    listed = await git.run("ls-files", "-z", "--", *named, *folders)
    known = [os.fspath(repository.root / os.fsdecode(raw)) for raw in listed.out.split(b"\0") if raw]
    shared = [name for name in ignored if any(_is_of(each, root, name) for each in known)]
    return Tracking(
        tuple(name for name in tracked if name in hits),
        tuple(name for name in ignored if name not in hits and name not in shared),
        tuple(shared),
    )


def _example(name: str) -> str:
    return f"{name}any.md" if name.endswith("/") else name.replace("*", "any")


def _is_of(path: str, root: Path, name: str) -> bool:
    place = os.fspath(root / name)
    if "*" in name:  # as in .gitignore, it stands for no slash
        return os.path.dirname(path) == os.path.dirname(place) and fnmatch.fnmatchcase(path, place)  # noqa: PTH120
    return f"{path}/".startswith(f"{place}/")
