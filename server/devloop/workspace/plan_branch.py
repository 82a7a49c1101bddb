"""The plan branch: where accepted tasks collect before they land.

Two refs in the person's repository: the branch, and `refs/devloop/plan-base/<branch>`, the commit of the person's
history that it stands on. What lies between is accepted work that has not landed.
"""

from __future__ import annotations

from collections.abc import Mapping

from devloop.errors import LandingRefused, RepositoryUnfit
from devloop.workspace import names
from devloop.workspace.attempts import base_of
from devloop.workspace.git_errors import StaleRef
from devloop.workspace.objects import (
    entries,
    find_run,
    fold_files,
    read_commit,
    replay,
    write_commit,
)
from devloop.workspace.own import OwnGit
from devloop.workspace.raw_commit import RawCommit
from devloop.workspace.records import Accepted
from devloop.workspace.refs import ZERO, move_all

_RETRIES = 5


class PlanBranch:
    def __init__(self, own: OwnGit, branch: str) -> None:
        self.own = own
        self.branch = branch
        self.ref = f"refs/heads/{branch}"
        self.base_ref = names.plan_base_ref(branch)

    async def head(self) -> str:
        """The branch's commit. Made at the person's HEAD when absent, moved there when no accepted work would be left
        behind, else left alone."""
        repository = self.own.repository
        for _ in range(_RETRIES):
            head, plan, base = await repository.commits("HEAD", self.ref, self.base_ref)
            here = head or (await repository.head()).commit  # which says what is wrong with it
            if plan == here and base is not None:
                return plan
            changes: list[tuple[str, str | None, str | None]]
            if plan is None:
                changes = [(self.ref, here, ZERO), (self.base_ref, here, base or ZERO)]
            elif plan == here:
                changes = [(self.base_ref, here, base or ZERO)]
            elif await self.pending(plan, base, here) or await repository.checked_out(self.ref):
                return plan
            else:
                changes = [(self.ref, here, plan), (self.base_ref, here, base or ZERO)]
            try:
                await move_all(await repository.git(), changes)
            except StaleRef:
                continue
            return here
        raise RepositoryUnfit(f"The branch {self.branch} keeps moving.", hint="Is another program changing it?")

    async def pending(self, plan: str, base: str | None, head: str) -> tuple[str, ...]:
        """Accepted commits that have not landed on `head`, oldest first."""
        behind = [f"^{commit}" for commit in (base, head) if commit is not None]
        output = await self.own.git().run("rev-list", "--reverse", "--topo-order", plan, *behind)
        return tuple(output.out.decode().split())

    async def accept(self, run: str, commit: str, extra: Mapping[str, bytes | None]) -> Accepted:
        """See `Workspace.accept`."""
        repository = self.own.repository
        base = await base_of(self.own, run)
        for _ in range(_RETRIES):
            plan = await repository.ref(self.ref) or await self.head()
            known = await find_run(self.own, run, plan, without=[base])
            if known is not None:
                return Accepted(known)
            source = await read_commit(self.own, commit)
            if source.parents != (plan,):
                return await self._replayed(commit, plan, extra)
            place = await repository.checked_out(self.ref)
            if place is not None:
                raise LandingRefused(
                    f"The branch {self.branch} is checked out in {place}; moving it would confuse that checkout.",
                    hint="Switch to your own branch there: git switch NAME",
                )
            files, left_out = await self._tracked(plan, extra)
            tree = await fold_files(self.own, source.tree, files)
            new = commit
            if tree != source.tree:
                new = await write_commit(
                    self.own,
                    RawCommit(tree, (plan,), source.author, source.committer, source.encoding, source.message),
                )
            await self.own.send(new, [plan])
            try:
                await move_all(await repository.git(), [(self.ref, new, plan)])
            except StaleRef:
                continue
            return Accepted(new, left_out=left_out)
        raise RepositoryUnfit(f"The branch {self.branch} keeps moving.", hint="Is another program changing it?")

    async def _replayed(self, commit: str, plan: str, extra: Mapping[str, bytes | None]) -> Accepted:
        made = await replay(self.own, commit, plan, yield_to=extra.keys())
        if made.commit is None:
            raise LandingRefused(
                f"The work does not fit onto {self.branch} any more: {', '.join(made.conflicts)}.",
                hint="Nothing was changed. Revise the run on the new state, or discard it.",
                files=made.conflicts,
            )
        return Accepted(made.commit, moved=True)

    async def _tracked(
        self, plan: str, extra: Mapping[str, bytes | None]
    ) -> tuple[dict[str, bytes | None], tuple[str, ...]]:
        """The extra files that the repository tracks; an untracked or ignored plan is never committed."""
        present = await entries(self.own, plan, extra)
        return (
            {path: data for path, data in extra.items() if path in present},
            tuple(path for path in extra if path not in present),
        )
