"""Masks for backends that can't mount: what is masked is put back after the command, as it was before.

While the command runs it can change such a path, so nobody may act on it meanwhile; that is one of the reasons why such
a backend is degraded. When this looks again, no process of the command is alive.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.sandbox.command import MIB, Command
from devloop.sandbox.masks import MAX_LINKS, on_host

MAX_BYTES = 64 * MIB


@dataclass(frozen=True)
class _Item:
    """A protected path. `above`: the folders between its mount and it, which must stay (or become no link)."""

    path: Path
    above: tuple[tuple[Path, bool], ...]
    print: str
    copy: Path


@contextlib.contextmanager
def paths(command: Command) -> Iterator[None]:
    """Put everything back that `command` is not to change. Raises `SandboxMissing` when that is too much to keep."""
    with tempfile.TemporaryDirectory(prefix="devloop-kept-") as name:
        items: dict[Path, _Item] = {}
        for mask in command.masks:
            _remember(command, mask, Path(name), items)
        try:
            yield
        finally:
            for item in items.values():
                _restore(item)


def _remember(command: Command, mask: Path, folder: Path, items: dict[Path, _Item]) -> None:
    inside = Path(posixpath.normpath(mask))
    for _ in range(MAX_LINKS):
        found = on_host(command.mounts, inside)
        if found is None or not found[0].write:
            return
        mount, place = found
        path, at = mount.source, mount.target
        above: list[tuple[Path, bool]] = []
        parts = place.relative_to(mount.source).parts
        for number, part in enumerate(parts, start=1):
            path, at = path / part, at / part
            kind = _kind(path)
            link = kind is not None and stat.S_ISLNK(kind)
            if link or number == len(parts):
                if path not in items:
                    copy = folder / str(len(items))
                    _copy(path, copy)
                    items[path] = _Item(path, tuple(above), _print(path), copy)
                if not link:
                    return
                inside = Path(posixpath.normpath(at.parent / path.readlink())).joinpath(*parts[number:])
                break
            above.append((path, kind is not None))
        else:
            return
    raise SandboxMissing(f"{mask} can't be protected: its symbolic links lead in a circle.")


def _restore(item: _Item) -> None:
    """Nothing here follows a link: a folder above that became one is removed first."""
    for folder, was_there in item.above:
        kind = _kind(folder)
        if kind is not None and not stat.S_ISDIR(kind):
            folder.unlink()
            kind = None
        if kind is None:
            if not was_there and not item.print:
                return  # neither it nor its folder existed
            folder.mkdir()
    if _print(item.path) == item.print:
        return
    kind = _kind(item.path)
    if kind is not None and stat.S_ISDIR(kind):
        shutil.rmtree(item.path)
    elif kind is not None:
        item.path.unlink()
    if item.print:
        _copy(item.copy, item.path)


def _copy(path: Path, to: Path) -> None:
    kind = _kind(path)
    if kind is None:
        return
    if stat.S_ISDIR(kind):
        shutil.copytree(path, to, symlinks=True)
    else:
        shutil.copy2(path, to, follow_symlinks=False)


def _print(path: Path) -> str:
    """What tells one state of a path from another: kinds, modes, names, contents. Empty when it is absent."""
    if _kind(path) is None:
        return ""
    told, size = hashlib.sha256(), 0
    for each in [path, *sorted(_below(path))]:
        found = each.lstat()
        told.update(f"\0{each.relative_to(path)}\0{found.st_mode}\0".encode("utf-8", "surrogateescape"))
        if stat.S_ISLNK(found.st_mode):
            told.update(os.fsencode(each.readlink()))
        elif stat.S_ISREG(found.st_mode):
            size += found.st_size
            if size > MAX_BYTES:
                raise SandboxMissing(f"{path} is too large to be kept, and landlock can't protect it otherwise.")
            told.update(each.read_bytes())
    return told.hexdigest()


def _below(path: Path) -> Iterator[Path]:
    if not stat.S_ISDIR(path.lstat().st_mode):
        return
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def _kind(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
