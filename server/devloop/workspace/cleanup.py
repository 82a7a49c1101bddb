"""The end of runs: discarded work that stays reachable for a while, removed worktrees, leftovers of crashes."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from devloop.files import held_lock
from devloop.workspace import names, worktrees
from devloop.workspace.attempts import snapshot, worktree_exists
from devloop.workspace.objects import find_run, read_commit, signature, tree_of, write_commit
from devloop.workspace.own import OwnGit
from devloop.workspace.plan_branch import PlanBranch
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Identity, Swept
from devloop.workspace.refs import drop, move, own_ref, own_refs
from devloop.workspace.safe_remove import remove_tree
from devloop.workspace.trees import Caps

_SCRATCH_AGE = 3600.0


async def discard(own: OwnGit, run: str, caps: Caps) -> str | None:
    """Keep the run's work under a private ref of the person's repository, then remove worktree and branch.

    Gives the kept commit, None when there was no work.
    """
    kept = await keep(own, run, caps)
    await worktrees.remove(own, run)
    await _forget(own, run)
    return kept


async def keep(own: OwnGit, run: str, caps: Caps) -> str | None:
    """Keep the run's work under a private ref of the person's repository; see `discard`."""
    repository, ref = own.repository, names.discarded(run)
    known = await repository.ref(ref)
    base = await own_ref(own, names.run_base(run))
    if base is None:
        return known
    if await worktree_exists(own, run):
        await snapshot(own, run, "discarded", caps)
    last, made = await own_refs(own, names.snapshots(run), names.run_branch(run))
    work = [commit for commit in (last, made) if commit not in (None, base)]
    parents = tuple(commit for commit in dict.fromkeys(work) if commit is not None)
    if not parents:
        return known
    tree = await tree_of(own, parents[0])
    if known is not None and (await read_commit(own, known)).parents == parents:
        return known
    now = signature(Identity("devloop", "devloop@localhost"), int(time.time()))
    message = f"devloop: discarded work of run {run}\n".encode()
    commit = await write_commit(own, RawCommit(tree, parents, now, now, None, message))
    await own.send(commit, [base])
    await move(await repository.git(), ref, commit, None)
    return commit


async def _forget(own: OwnGit, run: str) -> None:
    """Drop the run's refs; a run branch that the person has checked out or built on stays."""
    repository, branch = own.repository, names.run_branch(run)
    (theirs, place), ours = await repository.branch(branch), await own_ref(own, branch)
    free = theirs is not None and theirs == ours and place is None
    await drop(await repository.git(), *((branch,) if free else ()), names.run_base(run))
    await drop(own.git(), branch, names.snapshots(run), names.run_base(run))


async def release(own: OwnGit, plan_branch: PlanBranch, run: str, caps: Caps) -> bool:
    """Remove the worktree of a finished run. Its refs go when the work is merged (True), else everything stays."""
    base = await own_ref(own, names.run_base(run))
    if base is None:
        await worktrees.remove(own, run)
        return True
    merged = await _is_merged(own, plan_branch, run, base)
    if await worktree_exists(own, run) and not merged:
        await snapshot(own, run, "released", caps)
    await worktrees.remove(own, run)
    if not merged:
        last, made = await own_refs(own, names.snapshots(run), names.run_branch(run))
        merged = made in (None, base) and last in (None, base)
    if merged:
        await _forget(own, run)
    return merged


async def _is_merged(own: OwnGit, plan_branch: PlanBranch, run: str, base: str) -> bool:
    tips = await own.repository.commits("HEAD", plan_branch.ref)
    for tip in tips:
        if tip is not None and await find_run(own, run, tip, without=[base]) is not None:
            return True
    return False


async def sweep(own: OwnGit, now: datetime, keep_days: int) -> Swept:
    """Remove expired discarded work and what crashes left; never work that is not merged or not expired."""
    expired = await _expire(own, now - timedelta(days=keep_days))
    checkouts = await asyncio.to_thread(_orphans, own)
    await asyncio.to_thread(_scratch, own)
    await own.git().run("worktree", "prune")
    return Swept(tuple(expired), tuple(checkouts))


async def _expire(own: OwnGit, limit: datetime) -> list[str]:
    prefix = names.discarded("")
    git = await own.repository.git()
    output = await git.run("for-each-ref", "--format=%(refname) %(committerdate:unix)", "--", prefix)
    expired = []
    for line in output.text.splitlines():
        ref, seconds = line.rsplit(" ", 1)
        if datetime.fromtimestamp(int(seconds), UTC) < limit:
            await drop(git, ref)
            expired.append(ref.removeprefix(prefix))
    return expired


def _orphans(own: OwnGit) -> list[str]:
    """Checkouts whose process is gone: their lock file, which the process held, is free."""
    removed = []
    for place in sorted(own.state.checkouts.iterdir()):
        if place.suffix == ".lock":
            if not place.with_suffix("").exists():
                place.unlink(missing_ok=True)
            continue
        lock = place.with_name(place.name + ".lock")
        with held_lock(lock) as held:
            if held is not None:
                remove_tree(place)
                lock.unlink(missing_ok=True)
                removed.append(place.name)
    return removed


def _scratch(own: OwnGit) -> None:
    """Index files of processes that died; a young one may belong to somebody."""
    for folder in (own.state.git, *(own.state.git / "worktrees").glob("*")):
        for path in folder.glob("index.*.tmp*"):
            if time.time() - path.stat().st_mtime > _SCRATCH_AGE:
                path.unlink(missing_ok=True)
