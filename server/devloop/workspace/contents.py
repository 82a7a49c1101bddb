"""Files as a commit has them: one for people to look at, many for what compares them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from devloop.errors import UsageError
from devloop.workspace.names import checked_oid, checked_path, spelled
from devloop.workspace.objects import Entry, entries
from devloop.workspace.own import OwnGit
from devloop.workspace.records import Content

CONTENT_LIMIT = 4 << 20
"""Bytes of a file that is shown whole; an editor's comparison of larger ones helps nobody."""
_LOOKED_AT = 8000
"""git calls a file binary when a NUL stands among so many first bytes."""
_LINK, _SUBMODULE = "120000", "160000"


async def content(own: OwnGit, commit: str, path: str, *, limit: int = CONTENT_LIMIT) -> Content | None:
    """The file at `path` (relative, `/` between folders, as `Diff` spells it) in `commit`; None where there is none.

    The text is what the blob holds, byte for byte where that is UTF-8: byte order mark, line ends and control
    characters included. A symbolic link is its target, a submodule the line that git's diff shows for it.
    """
    found = await _entry(own, checked_oid(commit), checked_path(path))
    if found is None:
        return None
    if found.mode == _SUBMODULE:
        text = f"Subproject commit {found.oid}\n"
        return Content(text, binary=False, size=len(text))
    read = await own.git().run("cat-file", "blob", found.oid, limit=limit)
    data = read.out
    if read.truncated:
        size = int(await own.git().line("cat-file", "-s", found.oid))
        return Content(None, binary=_is_binary(data), size=size, too_large=True)
    if found.mode != _LINK and _is_binary(data):
        return Content(None, binary=True, size=len(data))
    return Content(data.decode("utf-8", "replace"), binary=False, size=len(data))


async def texts(own: OwnGit, commit: str, paths: Iterable[str], *, limit: int = CONTENT_LIMIT) -> dict[str, str | None]:
    """The texts of those of `paths` that `commit` has, asked for at once; None for what is no text, or larger than
    `limit` bytes. A symbolic link is its target."""
    wanted = {spelling: path for path in paths if _can_be(path) for spelling in (spelled(path), path)}
    found = {
        wanted[spelling]: entry.oid
        for spelling, entry in (await entries(own, checked_oid(commit), wanted)).items()
        if entry.mode != _SUBMODULE
    }
    told: dict[str, str | None] = dict.fromkeys(found)
    git = own.git()
    asked = list(dict.fromkeys(found.values()))
    if not asked:
        return told
    sizes = (await git.run("cat-file", "--batch-check=%(objectsize)", data=_lines(asked))).text.split("\n")
    small = [oid for oid, size in zip(asked, sizes, strict=True) if int(size) <= limit]
    blobs: dict[str, bytes] = {}
    if small:
        rest = (await git.run("cat-file", "--batch=%(objectsize)", data=_lines(small))).out
        at = 0
        for oid in small:
            begin = rest.index(b"\n", at) + 1
            at = begin + int(rest[at:begin])
            blobs[oid] = rest[begin:at]
            at += 1
    for path, oid in found.items():
        if oid in blobs and not _is_binary(blobs[oid]):
            told[path] = blobs[oid].decode("utf-8", "replace")
    return told


def _can_be(path: str) -> bool:
    try:
        return bool(checked_path(path))
    except UsageError:
        return False


def _lines(oids: Iterable[str]) -> bytes:
    return "".join(f"{oid}\n" for oid in oids).encode()


async def blob(own: OwnGit, commit: str, path: str, *, limit: int = CONTENT_LIMIT) -> bytes | None:
    """The first `limit` bytes of a file of `commit`, whatever they are; None where there is no file."""
    found = await _entry(own, checked_oid(commit), checked_path(path))
    if found is None or found.mode == _SUBMODULE:
        return None
    return (await own.git().run("cat-file", "blob", found.oid, limit=limit)).out


async def has(own: OwnGit, commit: str, path: str) -> bool:
    """Whether `commit` has a file or a folder of this name."""
    for spelling in dict.fromkeys((path, spelled(path))):
        named = os.fsencode(checked_path(spelling))
        found = await own.git().run("ls-tree", "-z", "--full-tree", checked_oid(commit), "--", named)
        if found.out:
            return True
    return False


async def _entry(own: OwnGit, commit: str, path: str) -> Entry | None:
    """As it is written, else as the bytes that `\\xNN` in a name stands for."""
    spellings = list(dict.fromkeys((path, spelled(path))))
    found = await entries(own, commit, spellings)
    return next((found[each] for each in spellings if each in found), None)


def _is_binary(data: bytes) -> bool:
    return b"\0" in data[:_LOOKED_AT]
