"""What changed between two commits, by plumbing that runs no external program."""

from __future__ import annotations

import os

from devloop.workspace.names import checked_oid, shown
from devloop.workspace.own import OwnGit
from devloop.workspace.records import Diff, FileStat

PATCH_LIMIT = 1 << 20
MATCHED = ("--no-ext-diff", "--no-textconv", "--no-color", "-r", "-M", "--ignore-submodules=none")
"""How two trees are compared wherever a person sees it: with renames."""


async def diff(own: OwnGit, base: str, commit: str, *, limit: int = PATCH_LIMIT) -> Diff:
    """The patch (UTF-8, other bytes replaced; cut at `limit` bytes, at a line's end) and the figures of every file."""
    pair = ("--end-of-options", checked_oid(base), checked_oid(commit), "--")
    files = await _files(own, pair)
    patch, truncated = await _patch(own, pair, limit) if files else (b"", False)
    text = patch.decode("utf-8", "replace")
    if truncated:
        text = text[: text.rfind("\n") + 1]
    return Diff(text, files, sum(f.added for f in files), sum(f.deleted for f in files), truncated)


async def _files(own: OwnGit, pair: tuple[str, ...]) -> tuple[FileStat, ...]:
    known = own.figures.get(pair)
    if known is None:
        statuses = _statuses((await own.git().run("diff-tree", "--name-status", "-z", *MATCHED, *pair)).out)
        figures = (await own.git().run("diff-tree", "--numstat", "-z", *MATCHED, *pair)).out
        known = own.figures.keep(pair, _figures(figures, statuses))
    return known


async def _patch(own: OwnGit, pair: tuple[str, ...], limit: int) -> tuple[bytes, bool]:
    """The patch between commits that differ, up to `limit` bytes, and whether that is not all of it."""
    if limit == 0:
        return b"", True
    known = own.patches.get(pair)
    if known is not None:
        return known[:limit], len(known) > limit
    patch = await own.git().run("diff-tree", "-p", *MATCHED, *pair, limit=limit)
    if not patch.truncated and len(patch.out) <= PATCH_LIMIT:
        own.patches.keep(pair, patch.out)
    return patch.out, patch.truncated


def _statuses(raw: bytes) -> dict[bytes, str]:
    items = iter(raw.split(b"\0"))
    found = {}
    for status in items:
        if status:
            path = next(items)
            if status[:1] in b"RC":
                path = next(items)
            found[path] = status[:1].decode()
    return found


def _figures(raw: bytes, statuses: dict[bytes, str]) -> tuple[FileStat, ...]:
    """`added TAB deleted TAB path NUL`; for a rename the path is empty and old and new follow."""
    items = iter(raw.split(b"\0"))
    found = []
    for item in items:
        if not item:
            continue
        added, deleted, path = item.split(b"\t", 2)
        old = None
        if not path:
            old, path = next(items), next(items)
        binary = added == b"-"
        found.append(
            FileStat(
                shown(os.fsdecode(path)),
                statuses.get(path, "M"),
                0 if binary else int(added),
                0 if binary else int(deleted),
                binary,
                shown(os.fsdecode(old)) if old is not None else None,
            )
        )
    return tuple(found)
