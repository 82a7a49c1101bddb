"""Making a repository where there is none: for the demo, never for a folder that belongs to somebody."""

from __future__ import annotations

from pathlib import Path

from devloop.errors import Refused
from devloop.workspace.git import Git
from devloop.workspace.repository import Repository


async def create_repository(root: Path, message: str, *, branch: str = "main") -> Repository:
    """`git init` and one commit of everything in `root`. Raises `Refused` when `root` has a `.git` already."""
    git_dir = root / ".git"
    if git_dir.exists():
        raise Refused(f"{root} is a git repository already.")
    await Git(None, cwd=root).run("init", "-q", "-b", branch, str(root))
    repository = await Repository.discover(root, born=False)
    identity = await repository.identity()
    git = Git(git_dir, root, committer=(identity.name, identity.email))
    await git.run("add", "-A")
    await git.run("commit", "-q", "-m", message, f"--author={identity.name} <{identity.email}>")
    return await Repository.discover(root)
