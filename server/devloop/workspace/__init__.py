"""Everything git: worktrees of runs, snapshots, the plan branch, landing. Nothing else in devloop runs git."""

from devloop.workspace.contents import CONTENT_LIMIT
from devloop.workspace.fresh import create_repository
from devloop.workspace.peculiar import peculiarities
from devloop.workspace.private_files import is_private
from devloop.workspace.records import (
    Change,
    Content,
    Diff,
    FileStat,
    Skipped,
)
from devloop.workspace.repository import Repository
from devloop.workspace.trees import Caps
from devloop.workspace.workspace import PLAN_BRANCH, Workspace

__all__ = [
    "CONTENT_LIMIT",
    "PLAN_BRANCH",
    "Caps",
    "Change",
    "Content",
    "Diff",
    "FileStat",
    "Repository",
    "Skipped",
    "Workspace",
    "create_repository",
    "is_private",
    "peculiarities",
]
