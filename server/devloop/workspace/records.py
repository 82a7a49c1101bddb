"""What the workspace hands out: frozen and plain, since they cross durable steps.

Paths are text for people (`names.shown`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Notice:
    """Something a person should know. `kind` is stable: uncommitted, submodules, lfs, identity, included, ..."""

    kind: str
    message: str
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Identity:
    name: str
    email: str
    notice: Notice | None = None


@dataclass(frozen=True)
class Head:
    """`branch` without `refs/heads/`; None when HEAD is detached."""

    commit: str
    branch: str | None


@dataclass(frozen=True)
class DirtyFile:
    """`state`: modified, added, deleted, renamed, typechange, conflicted or untracked."""

    path: str
    state: str


@dataclass(frozen=True)
class Worktree:
    path: Path
    base: str
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A file that is not in the snapshot, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Change:
    """Something to look at, from `base` to `commit`: the same when there is nothing. Both in devloop's own git
    directory; `skipped`: changed files that are not in it."""

    base: str
    commit: str
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """`commit` is the run's base while nothing differs from it."""

    commit: str
    tree: str
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Commit:
    """`refused`: changed paths that an agent's commit never carries (they stand as in the base)."""

    id: str
    tree: str
    refused: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class FileStat:
    """`status`: A, M, D, T or R; `added` and `deleted` count lines (0 for a binary file)."""

    path: str
    status: str
    added: int
    deleted: int
    binary: bool = False
    old_path: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Diff:
    """`patch` is cut at the size cap (`truncated`); `files` and the sums are always complete."""

    patch: str
    files: tuple[FileStat, ...]
    added: int
    deleted: int
    truncated: bool = False


@dataclass(frozen=True)
class Content:
    """A file of a commit. `text` is None when it is `binary` or `too_large`; `size` in bytes."""

    text: str | None
    binary: bool
    size: int
    too_large: bool = False


@dataclass(frozen=True)
class Reduced:
    """A run's commit without `left_out` (paths; of a rename both)."""

    commit: str
    tree: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Replayed:
    """A commit put onto another parent.

    `commit` is None exactly when there are `conflicts`; `empty`: nothing was left of it.
    """

    commit: str | None
    tree: str
    conflicts: tuple[str, ...] = ()
    empty: bool = False


@dataclass(frozen=True)
class Accepted:
    """`moved`: the plan branch had moved, `commit` is the replayed commit and **not yet on the branch**: run the gates
    on it and call `accept` with it. `left_out`: extra files that are not tracked, hence not committed."""

    commit: str
    moved: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Landing:
    """A planned landing: `old` → `new` on `branch`; `plan` is the plan branch's head it was computed from."""

    branch: str
    old: str
    new: str
    plan: str
    commits: tuple[str, ...]
    needs_gates: bool
    files: tuple[str, ...]


@dataclass(frozen=True)
class Landed:
    old: str
    new: str
    commits: tuple[str, ...]
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Swept:
    """Runs whose discarded work expired, and orphaned checkouts that were removed."""

    discarded: tuple[str, ...] = ()
    checkouts: tuple[str, ...] = ()
