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
    known = own.diffs.get((base, commit, limit))
    if known is not None:
        return known
    git = own.git()
    patch = await git.run("diff-tree", "-p", *MATCHED, *pair, limit=limit)
    text = patch.out.decode("utf-8", "replace")
    if patch.truncated:
        text = text[: text.rfind("\n") + 1]
    statuses = _statuses((await git.run("diff-tree", "--name-status", "-z", *MATCHED, *pair)).out)
    files = _figures((await git.run("diff-tree", "--numstat", "-z", *MATCHED, *pair)).out, statuses)
    made = Diff(text, files, sum(f.added for f in files), sum(f.deleted for f in files), patch.truncated)
    return own.diffs.keep((base, commit, limit), made)


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
