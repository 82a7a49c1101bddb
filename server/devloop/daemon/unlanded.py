"""Accepted work that is not on the person's branch yet. Every command that follows a run may have to say so: what it
takes to find out is loaded when it is asked for."""

from __future__ import annotations

from pathlib import Path

from devloop.errors import DevloopError
from devloop.paths import StateDir


async def unlanded(root: Path) -> int:
    """How many accepted commits are on the plan branch and not on the person's."""
    from devloop.workspace import Repository, Workspace

    try:
        return len(await Workspace(await Repository.discover(root), StateDir.of(root)).pending())
    except DevloopError:  # no repository, or nothing was ever accepted
        return 0
