"""Everything git: worktrees of runs, snapshots, the plan branch, landing. Nothing else in devloop runs git."""

from devloop.workspace.contents import CONTENT_LIMIT
from devloop.workspace.fresh import create_repository
from devloop.workspace.peculiar import peculiarities
from devloop.workspace.private_files import is_private
from devloop.workspace.records import (
    Accepted,
    Change,
    Commit,
    Content,
    Diff,
    DirtyFile,
    FileStat,
    Head,
    Identity,
    Landed,
    Landing,
    Notice,
    Reduced,
    Replayed,
    Skipped,
    Snapshot,
    Swept,
    Worktree,
)
from devloop.workspace.repository import Repository
from devloop.workspace.trees import Caps
from devloop.workspace.workspace import PLAN_BRANCH, PLAN_PATH, Workspace

__all__ = [
    "CONTENT_LIMIT",
    "PLAN_BRANCH",
    "PLAN_PATH",
    "Accepted",
    "Caps",
    "Change",
    "Commit",
    "Content",
    "Diff",
    "DirtyFile",
    "FileStat",
    "Head",
    "Identity",
    "Landed",
    "Landing",
    "Notice",
    "Reduced",
    "Replayed",
    "Repository",
    "Skipped",
    "Snapshot",
    "Swept",
    "Workspace",
    "Worktree",
    "create_repository",
    "is_private",
    "peculiarities",
]
