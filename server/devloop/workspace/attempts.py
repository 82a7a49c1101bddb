"""What a run leaves in git: its chain of snapshots and its one commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping

from devloop.errors import NotFound, UsageError
from devloop.redact import one_line
from devloop.workspace import names
from devloop.workspace.git_errors import StaleRef
from devloop.workspace.line_ends import normalised
from devloop.workspace.objects import (
    entries,
    fold,
    is_ancestor,
    read_commit,
    signature,
    tree_of,
    with_trailers,
    write_commit,
)
from devloop.workspace.own import OwnGit
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Commit, Identity, Notice, Snapshot
from devloop.workspace.refs import ZERO, drop, move, own_ref, own_refs
from devloop.workspace.trees import Caps, capture, put_back
from devloop.workspace.worktrees import refresh_head_index

_DEVLOOP = Identity("devloop", "devloop@localhost")


async def base_of(own: OwnGit, run: str) -> str:
    return (await _base_and(own, run))[0]


async def _base_and(own: OwnGit, run: str, *refs: str) -> tuple[str, str | None]:
    """The run's base, and what one more ref points to."""
    base, *others = await own_refs(own, names.run_base(run), *refs)
    if base is None:
        raise NotFound(f"Run {run} has no worktree.", hint="It was never prepared, or it was discarded.")
    return base, next(iter(others), None)


async def snapshot(own: OwnGit, run: str, label: str, caps: Caps) -> Snapshot:
    """Record the worktree. Nothing changed since the last snapshot: that one."""
    base, last = await _base_and(own, run, names.snapshots(run))
    tree, skipped = await capture(own, run, base, caps)
    if await tree_of(own, last or base) == tree:
        return Snapshot(last or base, tree, skipped)
    now = signature(_DEVLOOP, int(time.time()))
    message = f"{one_line(label) or 'snapshot'}\n".encode()
    commit = await write_commit(own, RawCommit(tree, (last or base,), now, now, None, message))
    await move(own.git(), names.snapshots(run), commit, last or ZERO)
    return Snapshot(commit, tree, skipped)


async def restore(own: OwnGit, run: str, commit: str | None) -> None:
    """Put the worktree back to a snapshot of this run (None: its base)."""
    base, last = await _base_and(own, run, names.snapshots(run))
    if commit is not None and commit != base and (last is None or not await is_ancestor(own, commit, last)):
        raise UsageError(f"{commit[:12]} is not a snapshot of run {run}.")
    await put_back(own, run, await tree_of(own, commit or base))


async def commit(
    own: OwnGit,
    run: str,
    message: str,
    *,
    trailers: Mapping[str, str],
    protected: Collection[str],
    identity: Identity,
    caps: Caps,
) -> Commit | None:
    """The run's one commit on its base, from the worktree as it is. None when nothing (else) differs from the base.

    `protected`: paths, or folders with a slash at the end, that stand as in the base whatever the worktree holds.
    """
    base, present = await _base_and(own, run, names.run_branch(run))
    captured, skipped = await capture(own, run, base, caps)
    tree, refused = await _without(own, base, captured, protected)
    tree = await normalised(own, base, tree)
    if tree == await tree_of(own, base):
        if present not in (None, base):
            await _publish(own, run, base, base)
        return None
    made = await read_commit(own, present) if present not in (None, base) and present else None
    trailers = {**trailers, "Devloop-Run": run}
    if made is not None and present and made.tree == tree and _is_made_here(made, base, identity, trailers):
        new = present
    else:
        who = signature(identity, int(time.time()))
        text = with_trailers(message, trailers)
        new = await write_commit(own, RawCommit(tree, (base,), who, who, None, text.encode()))
    notices = await _publish(own, run, base, new)
    return Commit(new, tree, refused, skipped, notices)


def _is_made_here(made: RawCommit, base: str, identity: Identity, trailers: Mapping[str, str]) -> bool:
    """Whether a commit on the run's branch is the one of an earlier call: where no sandbox keeps an agent from
    committing, it may be the agent's, with an author and trailers as it likes."""
    who = signature(identity, 0).rpartition(b"> ")[0]
    block = with_trailers("x", trailers).removeprefix("x\n\n").encode()
    signed = made.author.startswith(who + b"> ") and made.committer.startswith(who + b"> ")
    return made.parents == (base,) and signed and made.message.endswith(block)


async def _without(own: OwnGit, base: str, tree: str, protected: Collection[str]) -> tuple[str, tuple[str, ...]]:
    output = await own.git().run("diff-tree", "-r", "--name-only", "--no-renames", "-z", base, tree)
    plain = {_folded(path) for path in protected if not path.endswith("/")}
    folders = tuple(f"{_folded(path)}/" for path in protected if path.endswith("/"))
    refused = [path for path in names.split_paths(output.out) if _stands(_folded(path), plain, folders)]
    present = await entries(own, base, refused)
    return await fold(own, tree, {path: present.get(path) for path in refused}), tuple(map(names.shown, refused))


def _stands(path: str, plain: Collection[str], folders: tuple[str, ...]) -> bool:
    return path in plain or path.startswith(folders) or f"{path}/" in folders


def _folded(path: str) -> str:
    """As file systems see it that know no case and drop what a name ends with: the next checkout may be on one."""
    return "/".join(part.rstrip(". ") for part in path.casefold().split("/") if part)


async def _publish(own: OwnGit, run: str, base: str, new: str) -> tuple[Notice, ...]:
    """Point the run's branch at `new`, in our directory and in the person's repository (absent there for the base)."""
    branch = names.run_branch(run)
    if await own_ref(own, branch) != new:
        await move(own.git(), branch, new, None)
        await refresh_head_index(own, run, new)
    return await _publish_to_person(own, run, base, new)


async def _publish_to_person(own: OwnGit, run: str, base: str, new: str) -> tuple[Notice, ...]:
    repository, branch = own.repository, names.run_branch(run)
    theirs, place = await repository.branch(branch)
    if theirs == new or (theirs is None and new == base):
        return ()
    if place is not None or (theirs is not None and not await _is_ours(own, run, base, theirs)):
        why = f"is checked out in {place}" if place else "has commits that are not devloop's"
        text = f"The branch {branch.removeprefix('refs/heads/')} {why}; it was left alone."
        return (Notice("branch", text),)
    if new == base:
        await drop(await repository.git(), branch)
        return ()
    await own.send(new, [base])
    try:
        await move(await repository.git(), branch, new, theirs or ZERO)
    except StaleRef:
        return await _publish_to_person(own, run, base, new)
    return ()


async def _is_ours(own: OwnGit, run: str, base: str, commit: str) -> bool:
    found = await read_commit(own, commit)
    return commit == base or (found.parents == (base,) and f"\nDevloop-Run: {run}\n".encode() in found.message)


async def worktree_exists(own: OwnGit, run: str) -> bool:
    return await asyncio.to_thread(lambda: own.path(run).is_dir() and (own.admin(run) / "HEAD").is_file())
