"""A run's worktree: made, found again after a crash, removed."""

from __future__ import annotations

import asyncio
import os

from devloop.files import write_atomic
from devloop.lists import some
from devloop.workspace import names
from devloop.workspace.include import bring_in
from devloop.workspace.objects import read_commit, tree_of
from devloop.workspace.own import OwnGit
from devloop.workspace.peculiar import peculiarities
from devloop.workspace.records import DirtyFile, Notice, Worktree
from devloop.workspace.refs import ZERO, move, own_ref, own_refs
from devloop.workspace.safe_remove import remove_tree
from devloop.workspace.trees import put_back

_READY = "devloop-ready"
_NAMED = 20


async def prepare(own: OwnGit, run: str, base: str, *, include: bytes | None) -> Worktree:
    """The worktree of `run` at `base`. Made anew when a crash left it unfinished; the last snapshot is put back when a
    finished one has vanished. The base of the first call counts; its commit is kept by a ref in both repositories."""
    known = await own_ref(own, names.run_base(run))
    if known is None:
        await move(own.git(), names.run_base(run), base, ZERO)
    base = known or base
    await _keep_there(own, run, base)
    looking = asyncio.create_task(_notices(own, base))  # beside the making: a person waits for the first request
    try:
        notices = () if _is_ready(own, run) else await _make(own, run, base, include=include)
        _point(own, run)
        return Worktree(own.path(run), base, notices + await looking)
    finally:
        looking.cancel()


async def _keep_there(own: OwnGit, run: str, base: str) -> None:
    """Let the person's repository keep what the base needs of it: the base, or its newest ancestor that is there."""
    repository, ref = own.repository, names.run_base(run)
    kept = await repository.ref(ref)
    if kept == base:
        return
    while (await repository.plain().run("cat-file", "-e", base, ok=(0, 1, 128))).code:
        parents = (await read_commit(own, base)).parents
        if not parents:
            return
        base = parents[0]
    if kept != base:
        await move(await repository.git(), ref, base, None)


def _is_ready(own: OwnGit, run: str) -> bool:
    return (own.admin(run) / _READY).is_file() and own.path(run).is_dir()


async def _make(own: OwnGit, run: str, base: str, *, include: bytes | None) -> tuple[Notice, ...]:
    path, branch = own.path(run), names.run_branch(run)
    made, last = await own_refs(own, branch, names.snapshots(run))
    head = made or base
    await _clear(own, run)
    await own.git().run(
        "worktree", "add", "--no-checkout", "--force", "-q", "-B", branch.removeprefix("refs/heads/"), path, head
    )
    _point(own, run)
    await put_back(own, run, await tree_of(own, last or head))
    await refresh_head_index(own, run, head)
    notices = await bring_in(own, run, include) if include is not None else ()
    await asyncio.to_thread(write_atomic, own.admin(run) / _READY, b"")
    return notices


async def refresh_head_index(own: OwnGit, run: str, head: str) -> None:
    """Set the index that the agent's own `git status` and `git diff` look at."""
    with own.scratch_index(own.admin(run) / "index") as scratch:
        scratch.unlink(missing_ok=True)
        git = own.worktree_git(run, index=scratch)
        await git.run("read-tree", head)
        await git.run("update-index", "-q", "--refresh", ok=(0, 1))
        scratch.replace(own.admin(run) / "index")


def _point(own: OwnGit, run: str) -> None:
    """Write the `.git` file of the worktree when it is not the one git wrote."""
    pointer, wanted = own.path(run) / ".git", b"gitdir: " + os.fsencode(own.admin(run)) + b"\n"
    if pointer.is_symlink() or not pointer.is_file() or pointer.read_bytes() != wanted:
        remove_tree(pointer)
        write_atomic(pointer, wanted)


async def _clear(own: OwnGit, run: str) -> None:
    def clear() -> None:
        (own.admin(run) / _READY).unlink(missing_ok=True)
        remove_tree(own.path(run))
        remove_tree(own.admin(run))

    await asyncio.to_thread(clear)


async def remove(own: OwnGit, run: str) -> None:
    """Remove the worktree; refs stay. Missing is fine."""
    await _clear(own, run)


async def _notices(own: OwnGit, base: str) -> tuple[Notice, ...]:
    dirty, identity, peculiar = await asyncio.gather(
        own.repository.dirty(), own.repository.identity(), peculiarities(own.repository, own.git(), base)
    )
    found = [_uncommitted(dirty), identity.notice, *peculiar]
    return tuple(notice for notice in found if notice is not None)


def _uncommitted(dirty: tuple[DirtyFile, ...]) -> Notice | None:
    files = tuple(f.path for f in dirty if not f.path.startswith(".devloop/"))
    if not files:
        return None
    told = f"The agent does not see files that you have not committed: {some(files, _NAMED)}."
    return Notice("uncommitted", told, files[:_NAMED])
