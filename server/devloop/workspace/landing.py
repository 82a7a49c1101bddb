"""Landing: accepted commits onto the person's branch, without ever taking a byte from the person.

`plan` works on objects only. `finish` changes the checkout in steps that can each be repeated after a crash:

1. objects into the person's repository, a ref on them;
2. refuse when a file that changes is dirty, staged, or in the way;
3. index entries of the plan file, and of files that already hold the new content (a landing that was cut off), are
   set to the new version;
4. `read-tree -m -u old new`, which itself refuses what would lose something;
5. branch, plan branch and its base move together, each by compare-and-swap.

Refs and HEAD are compared and locked before step 2 and moved in step 5, so nobody can commit or switch in between, and
a branch that moved is noticed while nothing has changed yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from devloop.errors import DevloopError, LandingRefused, RepositoryUnfit
from devloop.lists import some
from devloop.workspace import names
from devloop.workspace.git import Git
from devloop.workspace.git_errors import StaleRef
from devloop.workspace.objects import (
    Entry,
    entries,
    fold_files,
    index_info,
    is_ancestor,
    read_commit,
    replay,
    tree_of,
    write_commit,
)
from devloop.workspace.own import OwnGit
from devloop.workspace.plan_branch import PlanBranch
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Landed, Landing
from devloop.workspace.refs import ZERO, drop, holding, move, move_all


def _stale(message: str) -> LandingRefused:
    return LandingRefused(message, hint="Start the landing again.", stale=True)


@dataclass(frozen=True)
class _Change:
    path: str
    old: Entry | None
    new: Entry | None


async def plan(own: OwnGit, plan_branch: PlanBranch, branch: str | None, plan_path: str | None) -> Landing:
    """What a landing would do. Raises `LandingRefused` for a detached HEAD, another branch, conflicts (with files)."""
    repository = own.repository
    head = await repository.head()
    if head.branch is None:
        raise LandingRefused(
            "HEAD is detached: there is no branch to land on.",
            hint="Make one at this place: git switch -c NAME",
        )
    if head.branch == plan_branch.branch:
        raise LandingRefused(
            f"You are on {plan_branch.branch} itself.", hint="Switch to your own branch first: git switch NAME"
        )
    if branch is not None and branch != head.branch:
        raise LandingRefused(
            f"{branch} is not checked out here (you are on {head.branch}).", hint=f"git switch {branch}"
        )
    tip, base = await repository.commits(plan_branch.ref, plan_branch.base_ref)
    tip = tip or head.commit
    commits = await plan_branch.pending(tip, base, head.commit)
    if not commits:
        return Landing(head.branch, head.commit, head.commit, tip, (), False, ())
    new = tip
    if not await is_ancestor(own, head.commit, tip):
        new, commits = await _rebased(own, plan_branch, commits, head.commit, plan_path)
        if not commits:  # the person took all of it, commit by commit: no gate has to see what is there already
            return Landing(head.branch, head.commit, head.commit, tip, (), False, ())
    changed = await own.git().run("diff-tree", "-r", "--name-only", "--no-renames", "-z", head.commit, new)
    files = tuple(map(names.shown, names.split_paths(changed.out)))
    gates = await tree_of(own, new) != await tree_of(own, tip)
    return Landing(head.branch, head.commit, new, tip, commits, gates, files)


async def _rebased(
    own: OwnGit, plan_branch: PlanBranch, commits: tuple[str, ...], head: str, plan_path: str | None
) -> tuple[str, tuple[str, ...]]:
    """Every commit replayed onto `head`; one that leaves nothing (it is there already) is dropped."""
    made: list[str] = []
    tip = head
    for commit in commits:
        replayed = await replay(own, commit, tip, yield_to=[plan_path] if plan_path else [])
        if replayed.commit is None:
            called = await _called(own, commit)
            raise LandingRefused(
                f"Your branch changed the same places as {called}: {', '.join(replayed.conflicts)}.",
                hint=f"Nothing was changed; the work stays on the plan branch. Commit what you have changed, the plan "
                f"too, and merge by hand: git merge {plan_branch.branch}. Then: devloop land.",
                files=replayed.conflicts,
            )
        if not replayed.empty:
            tip = replayed.commit
            made.append(tip)
    return tip, tuple(made)


async def _called(own: OwnGit, commit: str) -> str:
    subject = (await read_commit(own, commit)).message.split(b"\n", 1)[0].decode("utf-8", "replace")
    return f"{names.shown(subject)!r} ({commit[:7]})"


async def finish(
    own: OwnGit, plan_branch: PlanBranch, landing: Landing, plan_path: str | None, plan_bytes: bytes | None
) -> Landed:
    """Carry a planned landing out. Raises `LandingRefused` with the files when something stands in the way."""
    commits, new = await _with_plan(own, landing, plan_path, plan_bytes)
    repository = own.repository
    if not commits:
        if not await is_ancestor(own, landing.plan, landing.old):  # nothing of it waits any more
            await Steps(own, plan_branch, landing, landing.old, None).move_refs()
        return Landed(landing.old, landing.old, ())
    tracked = plan_path is not None and bool(await entries(own, new, [plan_path]))
    plan_file = plan_path if tracked else None
    steps = Steps(own, plan_branch, landing, new, plan_file)
    head = await repository.head()
    if head.branch == landing.branch and head.commit == new:
        await steps.move_refs()
        return Landed(landing.old, new, commits)
    await steps.check_refs()
    await steps.send()
    async with steps.holding_refs() as settle:
        await steps.set_index_and_files()
        await settle()
    await drop(await repository.git(), names.LANDING)
    return Landed(landing.old, new, commits)


async def _with_plan(
    own: OwnGit, landing: Landing, plan_path: str | None, plan_bytes: bytes | None
) -> tuple[tuple[str, ...], str]:
    """The commits with this plan in the last one, when the repository tracks the plan."""
    if not landing.commits or plan_path is None or plan_bytes is None:
        return landing.commits, landing.new
    last = await read_commit(own, landing.commits[-1])
    if not await entries(own, last.tree, [plan_path]):
        return landing.commits, landing.new
    tree = await fold_files(own, last.tree, {plan_path: plan_bytes})
    if tree == last.tree:
        return landing.commits, landing.new
    new = await write_commit(
        own, RawCommit(tree, last.parents, last.author, last.committer, last.encoding, last.message)
    )
    return (*landing.commits[:-1], new), new


class Steps:
    """The steps of one landing; each may be repeated after a crash anywhere."""

    def __init__(self, own: OwnGit, plan_branch: PlanBranch, landing: Landing, new: str, plan_path: str | None) -> None:
        self.own = own
        self.repository = own.repository
        self.plan_branch = plan_branch
        self.landing = landing
        self.new = new
        self.plan_path = plan_path

    async def check_refs(self) -> None:
        head = await self.repository.head()
        if head.branch != self.landing.branch:
            raise LandingRefused(
                f"You are not on {self.landing.branch} any more.", hint=f"git switch {self.landing.branch}"
            )
        plan = await self.repository.ref(self.plan_branch.ref)
        if head.commit != self.landing.old or plan not in (self.landing.plan, self.new):
            moved = head.branch if head.commit != self.landing.old else self.plan_branch.branch
            raise _stale(f"{moved} moved meanwhile.")
        busy = self.repository.busy()
        if busy is not None:
            raise LandingRefused(
                f"A {busy} stands unfinished in your checkout.", hint=f"Finish or abort the {busy} first."
            )
        lock = self.repository.git_dir / "index.lock"
        if lock.exists():
            raise RepositoryUnfit(
                f"Another git command is running, or one crashed: {lock} exists.",
                hint=f"If no git command is running, remove {lock} and try again.",
                lock=str(lock),
            )

    async def send(self) -> None:
        await self.own.send(self.new, [self.landing.old, self.landing.plan])
        await move(await self.repository.git(), names.LANDING, self.new, None)

    async def set_index_and_files(self) -> None:
        git = await self.repository.git()
        await git.run("update-index", "-q", "--refresh", "--ignore-submodules", ok=(0, 1))
        changes = await self._changes()
        arrived = await self._check(git, changes)
        settled = {change.path: change.new for change in changes if change.path in arrived}
        if settled:
            await git.run("update-index", "-z", "--index-info", data=index_info(self.own, settled))
            await git.run("update-index", "-q", "--refresh", "--ignore-submodules", ok=(0, 1))
        try:
            await git.run("read-tree", "-m", "-u", "--no-recurse-submodules", self.landing.old, self.new)
        except DevloopError as problem:
            if isinstance(problem, RepositoryUnfit) or problem.kind == "storage":
                raise
            raise LandingRefused(
                f"git would not update your checkout: {problem.message}",
                hint="Commit or move your own changes, then land again. The work stays on the plan branch.",
            ) from problem
        await git.run("update-index", "-q", "--refresh", "--ignore-submodules", ok=(0, 1))

    async def move_refs(self) -> None:
        """What is left to do when branch and checkout are new already."""
        git = await self.repository.git()
        changes = await self._moves()
        if changes:
            try:
                await move_all(git, changes)
            except StaleRef as problem:
                raise _stale(problem.message) from problem
        await drop(git, names.LANDING)

    @contextlib.asynccontextmanager
    async def holding_refs(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """The refs as they were planned, locked until what this gives moves them."""
        try:
            async with holding(await self.repository.git(), await self._moves()) as settle:
                head = await self.repository.head()
                if head.branch != self.landing.branch:
                    raise _stale(f"You are not on {self.landing.branch} any more.")
                yield settle
        except StaleRef as problem:
            raise _stale(problem.message) from problem

    async def _moves(self) -> list[tuple[str, str | None, str | None]]:
        wanted = [
            (f"refs/heads/{self.landing.branch}", self.landing.old),
            (self.plan_branch.ref, self.landing.plan),
            (self.plan_branch.base_ref, None),
        ]
        changes: list[tuple[str, str | None, str | None]] = []
        there = await self.repository.commits(*(name for name, _ in wanted))
        for (name, old), present in zip(wanted, there, strict=True):
            if present == self.new or (name == self.plan_branch.ref and present not in (old, self.new)):
                continue
            changes.append((name, self.new, old or present or ZERO))
        return changes

    async def _changes(self) -> list[_Change]:
        output = await self.own.git().run(
            "diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", self.landing.old, self.new
        )
        items = iter(output.out.split(b"\0"))
        found = []
        for meta in items:
            if meta:
                old_mode, mode, old_oid, oid, _ = meta.decode().lstrip(":").split(" ")
                old = Entry(old_mode, old_oid) if int(old_mode, 8) else None
                new = Entry(mode, oid) if int(mode, 8) else None
                found.append(_Change(os.fsdecode(next(items)), old, new))
        return found

    async def _check(self, git: Git, changes: list[_Change]) -> set[str]:
        """Paths that already hold the new version. Raises `LandingRefused` for what the person would lose."""
        dirty = set(names.split_paths((await git.run(*_DIFF_FILES)).out))
        staged = await self._staged(git)
        fresh = await self._holding_new(changes)
        arrived: set[str] = set()
        refused: list[str] = []
        for change in changes:
            entry = staged.get(change.path, change.old)
            changed = entry != change.old or change.path in dirty
            blocked = change.old is None and await asyncio.to_thread(self._in_the_way, change.path, changes)
            settled = change.path in fresh and entry in (change.old, change.new)
            if settled or change.path == self.plan_path:
                arrived.add(change.path)
            elif changed or blocked:
                refused.append(change.path)
        if refused:
            files = tuple(map(names.shown, sorted(refused)))
            raise LandingRefused(
                f"Landing would touch files that you have changed or that git does not know: {some(files, 20)}.",
                hint="Commit, move or remove them, then land again. The work stays on the plan branch.",
                files=files,
            )
        return arrived

    async def _staged(self, git: Git) -> Mapping[str, Entry | None]:
        """Index entries that differ from the old head; an unmerged path is an entry that fits nothing."""
        output = await git.run("diff-index", "--cached", "--raw", "--no-renames", "--no-abbrev", "-z", self.landing.old)
        items = iter(output.out.split(b"\0"))
        found: dict[str, Entry | None] = {}
        for meta in items:
            if meta:
                _, mode, _, oid, status = meta.decode().lstrip(":").split(" ")
                unmerged = status.startswith("U")
                gone = not int(mode, 8) and not unmerged
                found[os.fsdecode(next(items))] = None if gone else Entry("U" if unmerged else mode, oid)
        return found

    async def _holding_new(self, changes: list[_Change]) -> set[str]:
        """Changed paths whose file in the checkout is the new version already (or is gone, as it should be)."""
        root = self.repository.root
        coming = {change.path: change.new for change in changes if change.new is not None}
        exists = {change.path for change in changes if os.path.lexists(root / change.path)}  # noqa: ASYNC240
        gone = {change.path for change in changes if change.new is None} - exists
        there = coming.keys() & exists
        if not there:
            return gone
        with self.own.scratch_index() as index:
            git = await self.repository.git(index=index)
            await git.run(
                "update-index", "-z", "--index-info", data=index_info(self.own, {p: coming[p] for p in there})
            )
            await git.run("update-index", "-q", "--refresh", "--ignore-submodules", ok=(0, 1))
            differing = set(names.split_paths((await git.run(*_DIFF_FILES)).out))
        return gone | (there - differing)

    def _in_the_way(self, path: str, changes: list[_Change]) -> bool:
        """Whether something stands at a new file's place, or a file or link where it needs a folder."""
        leaving = {change.path for change in changes if change.new is None}
        place = self.repository.root / path
        if os.path.lexists(place):
            return place.is_symlink() or not place.is_dir() or not self._all_leave(path, leaving)
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            here = self.repository.root / folder
            if (here.is_symlink() or here.is_file()) and folder not in leaving:
                return True
        return False

    def _all_leave(self, folder: str, leaving: set[str]) -> bool:
        """Whether every file below a folder, which a file is to replace, goes with this landing."""
        root = self.repository.root
        for place, _, files in os.walk(root / folder):
            for name in files:
                if os.path.relpath(os.path.join(place, name), root).replace(os.sep, "/") not in leaving:  # noqa: PTH118
                    return False
        return True


_DIFF_FILES = ("diff-files", "--name-only", "-z", "--no-renames", "--ignore-submodules=all")
