"""The files of a repository for completion: tracked ones and new ones that are not ignored. No method of its own.

git lists them, which knows what is ignored; where there is no usable repository a bounded walk does, which leaves out
what is hidden and what tools make. A listing serves all editors of a workspace for a few seconds, and a new one is made
by one question at a time.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from devloop.errors import DevloopError
from devloop.redact import printable

if TYPE_CHECKING:
    from devloop.daemon.service import Service

FRESH_S: Final = 5.0
"""How old a listing may be, in seconds."""
GIT_S: Final = 5.0
MAX_BYTES: Final = 16 * 1024 * 1024
"""Of git's answer; what is beyond is not offered."""
MAX_WALKED: Final = 20_000
MAX_DEPTH: Final = 12
MADE_BY_TOOLS: Final = frozenset(
    ("__pycache__", "node_modules", "bower_components", "vendor", "venv", "env", "target", "build", "dist", "out")
)


@dataclass
class _Listing:
    paths: tuple[str, ...] = ()
    whole: bool = True
    made: float = -FRESH_S
    making: asyncio.Task[None] | None = field(default=None, repr=False)


_listings: Final[WeakKeyDictionary[Service, _Listing]] = WeakKeyDictionary()


async def listed(service: Service) -> tuple[tuple[str, ...], bool]:
    """(paths below the workspace's root with slashes, whether these are all)."""
    known = _listings.setdefault(service, _Listing())
    if time.monotonic() - known.made > FRESH_S:
        if known.making is None:
            known.making = asyncio.create_task(_make(known, service.root))
        await asyncio.shield(known.making)
    return known.paths, known.whole


async def _make(listing: _Listing, root: Path) -> None:
    try:
        try:
            paths, whole = await _of_git(root)
        except (DevloopError, OSError):
            paths, whole = await asyncio.to_thread(_walked, root)
        listing.paths, listing.whole, listing.made = paths, whole, time.monotonic()
    finally:
        listing.making = None


async def _of_git(root: Path) -> tuple[tuple[str, ...], bool]:
    from devloop.workspace import Repository  # only who completes a path needs it

    repository = await Repository.discover(root, born=False)
    git = replace(await repository.git(), cwd=root)
    wanted = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    answer = await git.run(*wanted, timeout=GIT_S, limit=MAX_BYTES)
    return await asyncio.to_thread(_read, answer.out, answer.truncated)


def _read(out: bytes, cut: bool) -> tuple[tuple[str, ...], bool]:
    names = out.split(b"\0")
    if cut:
        names.pop()  # the last one may be half a name
    decoded = (os.fsdecode(name) for name in names if name and not name.endswith(b"/"))
    return tuple(sorted(name for name in decoded if writable(name))), not cut


def writable(name: str) -> bool:
    """Whether a path can stand in a plan as it is: one that begins outside, holds control characters, back-ticks or
    bytes that are no text can't."""
    if name.startswith(("../", "/")) or "`" in name or "\n" in name or name != printable(name):
        return False
    return not any("\ud800" <= char <= "\udfff" for char in name) and ".git" not in name.split("/")


def _walked(root: Path) -> tuple[tuple[str, ...], bool]:
    found, whole = [], True
    for seen, (entry, relative) in enumerate(_entries(root)):
        if seen >= MAX_WALKED:
            whole = False
            break
        if entry.is_file(follow_symlinks=False) and writable(relative):
            found.append(relative)
    return tuple(sorted(found)), whole


def _entries(root: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Everything below the root, the nearest first; links are not followed."""
    folders = [("", 0)]
    for folder, depth in folders:
        try:
            with os.scandir(root / folder) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                hidden = entry.name.startswith(".") or entry.name in MADE_BY_TOOLS
                if not hidden and depth < MAX_DEPTH:
                    folders.append((relative, depth + 1))
            yield entry, relative


def matching(paths: tuple[str, ...], typed: str, most: int) -> tuple[list[str], bool]:
    """(the paths that fit what was typed, best first, whether there are more): those that begin with it, those whose
    name does, those that have it somewhere. Case does not count."""
    low = typed.lower().removeprefix("./")
    name = low.rpartition("/")[2]
    ranked: tuple[list[str], list[str], list[str]] = ([], [], [])
    for path in paths:
        lower = path.lower()
        if lower.startswith(low):
            ranked[0].append(path)
        elif "/" not in low and lower.rpartition("/")[2].startswith(name):
            ranked[1].append(path)
        elif low in lower:
            ranked[2].append(path)
    found = [path for rank in ranked for path in rank]
    return found[:most], len(found) > most


def there(root: Path, paths: list[str]) -> list[str]:
    """Those that exist: git also lists what was deleted and not committed yet. Blocks."""
    return [path for path in paths if os.path.lexists(root / path)]
