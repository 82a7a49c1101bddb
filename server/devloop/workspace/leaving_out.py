"""A run's commit without some of its files: these stand as in the base, everything else is as the agent left it."""

from __future__ import annotations

import os
from collections.abc import Collection

from devloop.errors import UsageError
from devloop.lists import some
from devloop.redact import one_line
from devloop.workspace.diffs import MATCHED
from devloop.workspace.names import checked_oid, shown, split_paths
from devloop.workspace.objects import entries, fold, read_commit, write_commit
from devloop.workspace.own import OwnGit
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Reduced

_NAMED = 5


async def leave_out(own: OwnGit, commit: str, paths: Collection[str], *, plan_path: str) -> Reduced:
    """`commit` with `paths` (as `Diff` spells them) at what its parent has; objects only, no ref and no file changes.

    Either side of a rename stands for both. The same call gives the same commit. Raises `UsageError` for a path that
    the commit does not change, and where nothing would be left.
    """
    source = await read_commit(own, checked_oid(commit))
    (base,) = source.parents
    pairs, changed = await _renames(own, base, commit), await _changed(own, base, commit)
    known = {shown(path): path for path in changed}
    if plan_path in paths:
        raise UsageError(f"{plan_path} is the plan: it can't be left out.", hint="Leave out other files.")
    unknown = [path for path in paths if path not in known]
    if unknown:
        named = some(unknown, _NAMED, lambda path: one_line(path, 100))
        raise UsageError(
            f"The run does not change {named}.", hint="Name files as `devloop diff` does; folders can't be left out."
        )
    left = {known[path] for path in paths}
    left |= {pairs[path] for path in left if path in pairs}
    if left == changed:
        raise UsageError("That would leave out everything.", hint="To accept nothing, use discard.")
    present = await entries(own, base, left)
    tree = await fold(own, source.tree, {path: present.get(path) for path in sorted(left)})
    if await _changed(own, base, tree) != changed - left:  # a file and a folder of one name: git keeps one of them
        named = some(sorted(map(shown, left)), _NAMED)
        raise UsageError(
            f"{named} can't be left out alone: a file takes the place of a folder there.",
            hint="Leave out what stands in that folder as well.",
        )
    new = await write_commit(
        own, RawCommit(tree, source.parents, source.author, source.committer, source.encoding, source.message)
    )
    return Reduced(new, tree, tuple(sorted(map(shown, left))))


async def _changed(own: OwnGit, base: str, tree: str) -> set[str]:
    output = await own.git().run("diff-tree", "-r", "--no-renames", "--name-only", "-z", base, tree)
    return set(split_paths(output.out))


async def _renames(own: OwnGit, base: str, commit: str) -> dict[str, str]:
    """Old path to new path and back, of what the diff shows as one file that moved."""
    output = await own.git().run("diff-tree", "--name-status", "-z", *MATCHED, base, commit)
    items = iter(output.out.split(b"\0"))
    found: dict[str, str] = {}
    for status in items:
        if not status:
            continue
        first = os.fsdecode(next(items))
        if status[:1] in b"RC":
            second = os.fsdecode(next(items))
            if status[:1] == b"R":
                found |= {first: second, second: first}
    return found
