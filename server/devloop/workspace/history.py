"""What git says of commits that are there: their subjects, and by which patch a rewritten one is known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from devloop.workspace.repository import Repository


@dataclass(frozen=True)
class Logged:
    """A commit of the checked-out branch; `when`: the time of the commit."""

    hash: str
    when: datetime
    subject: str


async def history(repository: Repository, *, limit: int, since: datetime | None = None) -> tuple[Logged, ...]:
    """The newest commits of the checked-out branch, newest first, merges left out."""
    git = await repository.git()
    asked = [f"--since={since.isoformat()}"] if since is not None else []
    found = await git.run(
        "log",
        "-z",
        "--no-merges",
        "--no-show-signature",
        f"--max-count={limit}",
        *asked,
        "--format=%H%x1f%ct%x1f%s",
        "HEAD",
        "--",
    )
    made = []
    for raw in found.out.split(b"\0"):
        parts = raw.decode("utf-8", "replace").strip("\n").split("\x1f", 2)
        if len(parts) == 3:
            made.append(Logged(parts[0], datetime.fromtimestamp(int(parts[1]), UTC), parts[2]))
    return tuple(made)


async def patch_id(repository: Repository, commit: str) -> str:
    """The patch id of a commit; empty for one that changes nothing or that is not there any more."""
    git = await repository.git()
    patch = await git.run(
        "diff-tree", "-p", "--no-ext-diff", "--no-textconv", "--root", "--end-of-options", commit, "--", ok=(0, 128)
    )
    if patch.code or not patch.out:
        return ""
    found = await git.run("patch-id", "--stable", data=patch.out)
    return found.text.split(" ")[0]


async def patch_ids(repository: Repository, commits: Sequence[str]) -> dict[str, str]:
    """The patch ids of those commits that have one."""
    found = {commit: await patch_id(repository, commit) for commit in commits}
    return {commit: each for commit, each in found.items() if each}
