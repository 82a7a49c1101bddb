"""The one object through which devloop does anything with git."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from devloop.files import held_lock
from devloop.paths import StateDir
from devloop.workspace import (
    attempts,
    changes,
    cleanup,
    contents,
    diffs,
    landing,
    leaving_out,
    names,
    objects,
    overlaying,
    worktrees,
)
from devloop.workspace.own import OwnGit
from devloop.workspace.plan_branch import PlanBranch
from devloop.workspace.records import (
    Accepted,
    Change,
    Commit,
    Content,
    Diff,
    Landed,
    Landing,
    Reduced,
    Replayed,
    Snapshot,
    Swept,
    Worktree,
)
from devloop.workspace.refs import check_branch
from devloop.workspace.repository import Repository
from devloop.workspace.safe_remove import remove_tree
from devloop.workspace.trees import Caps

PLAN_PATH = ".devloop/plan.md"
PLAN_BRANCH = "devloop/plan"


class Workspace:
    """Worktrees, snapshots, the plan branch and landing of one repository.

    Every method may be repeated after a crash at any point and ends in the same state. Call `open` first.
    """

    def __init__(
        self,
        repository: Repository,
        state: StateDir,
        *,
        plan_branch: str = PLAN_BRANCH,
        plan_path: str = PLAN_PATH,
        caps: Caps | None = None,
    ) -> None:
        self.repository = repository
        self.state = state
        self.plan_path = plan_path
        self.caps = caps or Caps()
        self._own = OwnGit(repository, state)
        self._plan = PlanBranch(self._own, plan_branch)

    async def open(self) -> None:
        """Create devloop's own git directory or bring it up to date."""
        await check_branch(self._plan.branch)
        await self._own.open()

    async def plan_head(self) -> str:
        """The plan branch's commit: made at the person's HEAD when absent, moved there when all accepted work has
        landed, left alone otherwise."""
        async with self._own.lock():
            return await self._plan.head()

    async def pending(self) -> tuple[str, ...]:
        """Accepted commits that have not landed, oldest first."""
        plan = await self.repository.ref(self._plan.ref)
        if plan is None:
            return ()
        base = await self.repository.ref(self._plan.base_ref)
        return await self._plan.pending(plan, base, (await self.repository.head()).commit)

    async def prepare(self, run: str, base: str | None = None, *, include: bytes | None = None) -> Worktree:
        """The worktree of a run, at `base` or the plan head; a second call finds the first one's.

        `include`: the text of `.worktreeinclude` that the person trusts; what it lists is copied. None: nothing is.
        """
        names.checked_run(run)
        async with self._own.lock():
            start = names.checked_oid(base) if base is not None else await self._plan.head()
            return await worktrees.prepare(self._own, run, start, include=include)

    async def is_tracked(self, *paths: Path) -> bool:
        """Whether the person's index holds one of `paths` (relative to the checkout) or anything below one, in
        whatever case: some file systems make no difference."""
        patterns = [f":(icase,literal){path.as_posix()}" for path in paths]
        output = await self.repository.plain().run("ls-files", "-z", "--", *patterns, literal=False, limit=1)
        return bool(output.out)

    def path(self, run: str) -> Path:
        return self._own.path(run)

    async def snapshot(self, run: str, label: str) -> Snapshot:
        """The whole worktree, untracked files included, as a commit on the run's private chain of snapshots."""
        return await attempts.snapshot(self._own, names.checked_run(run), label, self.caps)

    async def restore(self, run: str, snapshot: str | None) -> None:
        """Put the worktree back exactly to one of its snapshots (None: to its base); ignored files stay."""
        oid = names.checked_oid(snapshot) if snapshot is not None else None
        await attempts.restore(self._own, names.checked_run(run), oid)

    async def commit(
        self, run: str, message: str, *, trailers: Mapping[str, str], protected: Collection[str] = ()
    ) -> Commit | None:
        """The run's one commit on top of its base, authored by the person; None when nothing differs from the base.

        The same worktree gives the same commit again; a changed one replaces it. The plan file and `protected` (paths,
        or folders with a slash at the end) stand as in the base and are named in `refused`. `Devloop-Run` is added to
        the trailers.
        """
        return await attempts.commit(
            self._own,
            names.checked_run(run),
            message,
            trailers=trailers,
            protected=(self.plan_path, *protected),
            identity=await self.repository.identity(),
            caps=self.caps,
        )

    async def leave_out(self, commit: str, paths: Collection[str]) -> Reduced:
        """A run's commit without some of its files, which then stand as in its base; the run's branch and worktree
        stay as they are. Raises `UsageError` for what can't be left out."""
        return await leaving_out.leave_out(self._own, commit, paths, plan_path=self.plan_path)

    async def uncommitted(self) -> Change:
        """The person's working tree as a commit on HEAD; index, refs and files are only read."""
        return await changes.uncommitted(self._own, self.caps)

    async def staged(self) -> Change:
        """The person's index as a commit on HEAD."""
        return await changes.staged(self._own)

    async def between(self, text: str) -> Change:
        """`3`, `A..B` or one commit; see `changes.between`."""
        return await changes.between(self._own, text)

    async def branch(self, against: str | None = None) -> tuple[Change, str]:
        """What the checked-out branch adds to another one, and that one's name; see `changes.branch`."""
        return await changes.branch(self._own, against)

    async def work_of(self, run: str) -> Change:
        """What a run has changed so far: its commit, else its newest snapshot, on its base."""
        return await changes.of_run(self._own, names.checked_run(run))

    async def below(self, commit: str, paths: Collection[str]) -> tuple[str, ...]:
        """The files of a commit that `paths` name, folders included."""
        return await changes.below(self._own, names.checked_oid(commit), paths)

    async def keep_asked(self, commit: str) -> None:
        """Keep a commit of ours reachable until a run holds it."""
        await changes.keep(self._own, names.checked_oid(commit))

    async def hold(self, run: str, commit: str) -> None:
        """Keep a commit reachable as long as the run is there, for a run that has no worktree."""
        await changes.hold(self._own, names.checked_run(run), names.checked_oid(commit))

    async def diff(self, base: str, commit: str, *, limit: int = diffs.PATCH_LIMIT) -> Diff:
        """What changed from `base` to `commit`; the patch is cut at `limit` bytes."""
        return await diffs.diff(self._own, base, commit, limit=limit)

    async def content(self, commit: str, path: str, *, limit: int = contents.CONTENT_LIMIT) -> Content | None:
        """One file of `commit`; None where it has none. Raises `UsageError` for a path that no file can have."""
        return await contents.content(self._own, commit, path, limit=limit)

    async def texts(
        self, commit: str, paths: Iterable[str], *, limit: int = contents.CONTENT_LIMIT
    ) -> dict[str, str | None]:
        """Those of many files that `commit` has, asked for at once; None for what is no text, or too large."""
        return await contents.texts(self._own, commit, paths, limit=limit)

    async def blob(self, commit: str, path: str, *, limit: int = contents.CONTENT_LIMIT) -> bytes | None:
        """The first `limit` bytes of a file of `commit`, also of one that is no text; None where it has none."""
        return await contents.blob(self._own, commit, path, limit=limit)

    async def has(self, commit: str, path: str) -> bool:
        """Whether `commit` has a file or a folder of this name."""
        return await contents.has(self._own, commit, path)

    @contextlib.asynccontextmanager
    async def checkout(self, commit: str) -> AsyncIterator[Path]:
        """A fresh folder with exactly the files of `commit`, byte for byte, without `.git`; removed at the end."""
        name = f"{names.checked_oid(commit)[:12]}-{secrets.token_hex(6)}"
        place = self.state.checkouts / name
        with held_lock(self.state.checkouts / f"{name}.lock"):
            try:
                place.mkdir(mode=0o700)
                with self._own.scratch_index() as index:
                    git = self._own.git(index=index, work_tree=place)
                    await git.run("read-tree", "-m", "-u", commit)
                yield place
            finally:
                await asyncio.to_thread(remove_tree, place)
                (self.state.checkouts / f"{name}.lock").unlink(missing_ok=True)

    async def forecast(self, commit: str, onto: str) -> Replayed:
        """`commit` replayed onto `onto`: objects only, no ref and no file changes."""
        return await objects.replay(
            self._own, names.checked_oid(commit), names.checked_oid(onto), yield_to=[self.plan_path]
        )

    async def accept(self, run: str, commit: str, extra: Mapping[str, bytes | None] | None = None) -> Accepted:
        """Put the run's commit on the plan branch.

        `extra` (path → content, None: deleted; e.g. the plan with its tick) is folded into the same commit, as far as
        the repository tracks these files. When the branch moved since the commit's parent, nothing is moved: the
        result says `moved` and holds the commit replayed onto the new head: run the gates on that one, then call
        `accept` with it. Conflicts raise `LandingRefused` with the files. A run that is accepted already gives its
        commit on the branch.
        """
        async with self._own.lock():
            return await self._plan.accept(names.checked_run(run), names.checked_oid(commit), extra or {})

    async def plan_landing(self, branch: str | None = None) -> Landing:
        """What landing on the person's branch would do; objects only. `needs_gates`: the result was never checked."""
        return await landing.plan(self._own, self._plan, branch, self.plan_path)

    async def finish_landing(
        self, planned: Landing, *, plan_path: str | None = None, plan_bytes: bytes | None = None
    ) -> Landed:
        """Move the person's branch and checkout to `planned.new`.

        `plan_bytes` becomes the plan's content in the last commit, when the repository tracks the plan; the working
        copy of the plan is the caller's. Refuses (`LandingRefused`, files named) rather than touch anything the
        person has changed.
        """
        async with self._own.lock():
            finishing = asyncio.ensure_future(
                landing.finish(self._own, self._plan, planned, plan_path or self.plan_path, plan_bytes)
            )
            try:
                return await asyncio.shield(finishing)
            except asyncio.CancelledError:  # milliseconds: rather finish than leave half a checkout
                await asyncio.wait([finishing])
                raise

    async def commit_of(self, run: str, tip: str, *, since: str) -> str | None:
        """The newest commit of `run` that is reachable from `tip` and not from `since`."""
        return await objects.find_run(self._own, run, names.checked_oid(tip), without=[names.checked_oid(since)])

    async def own_commit(self, run: str, tip: str, *, since: str) -> tuple[str, str] | None:
        """The run's own commit in the history of `tip`, below it what it stands on; None where it is not there."""
        own = await self.commit_of(run, tip, since=since)
        return None if own is None else ((await objects.read_commit(self._own, own)).parents[0], own)

    async def message(self, commit: str) -> str:
        """A commit's message, as it is."""
        return (await objects.read_commit(self._own, names.checked_oid(commit))).message.decode("utf-8", "replace")

    async def with_base_files(self, commit: str, base: str, which: Callable[[str], bool]) -> str | None:
        """A tree: `commit` with every path for which `which` holds as `base` has it; None where that is `commit`
        itself. Raises `Refused` where a file of one stands in the place of a folder of the other."""
        return await overlaying.with_base_files(self._own, names.checked_oid(commit), names.checked_oid(base), which)

    async def own_change(self, run: str, tip: str, *, since: str) -> Diff:
        """What the run's own commit changes, wherever it stands in the history of `tip` by now; without one there, all
        since `since`. No patch."""
        own = await self.commit_of(run, tip, since=since)
        if own is None:
            return await self.diff(since, tip, limit=0)
        return await self.diff((await objects.read_commit(self._own, own)).parents[0], own, limit=0)

    async def discard(self, run: str) -> str | None:
        """Remove the run's worktree and branch; its work stays under `refs/devloop/discarded/<run>` (the commit)."""
        async with self._own.lock():
            return await cleanup.discard(self._own, names.checked_run(run), self.caps)

    async def keep(self, run: str) -> str | None:
        """Keep all the run's work as it is now under `refs/devloop/discarded/<run>`, beside where it goes otherwise."""
        async with self._own.lock():
            return await cleanup.keep(self._own, names.checked_run(run), self.caps)

    async def release(self, run: str) -> bool:
        """Remove the worktree of a finished run; refs go only when its work is merged (True)."""
        async with self._own.lock():
            return await cleanup.release(self._own, self._plan, names.checked_run(run), self.caps)

    async def sweep(self, now: datetime, keep_days: int = 30) -> Swept:
        """Remove discarded work older than `keep_days` and what crashed processes left behind."""
        async with self._own.lock():
            await changes.expire(self._own)
            return await cleanup.sweep(self._own, now, keep_days)
