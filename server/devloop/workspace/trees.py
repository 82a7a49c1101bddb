"""A worktree's files as a git tree, and back: what snapshots, commits and *restore* are made of.

A tree is a function of (base, worktree) alone, not of earlier snapshots: a file that is too large, unreadable or newly
ignored stands as in the base, whatever an earlier snapshot held.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from devloop.errors import DevloopError
from devloop.workspace.git import Git
from devloop.workspace.names import is_reserved, shown, split_paths
from devloop.workspace.objects import Entry, entries, index_info
from devloop.workspace.own import OwnGit
from devloop.workspace.records import Skipped
from devloop.workspace.safe_remove import remove_beneath, remove_tree

MAX_FILE = 8 << 20
MAX_NEW_FILES = 20_000
MAX_PATH = 1024
"""Bytes of a path. Nobody could check out a tree with longer ones: the kernel opens no path of more than 4 KiB."""
_INDEX = "snapshot.index"
_INCLUDED = "included"
_RETRIES = 3


@dataclass(frozen=True)
class Caps:
    """`file`: bytes of one file; `new_files`: how many files that are not in the base."""

    file: int = MAX_FILE
    new_files: int = MAX_NEW_FILES


@dataclass
class IndexPlan:
    """What has to happen to the index; `keep` entries go back to what the base has."""

    add: set[str] = field(default_factory=set)
    remove: set[str] = field(default_factory=set)
    keep: dict[str, str] = field(default_factory=dict)


async def capture(own: OwnGit, run: str, base: str, caps: Caps) -> tuple[str, tuple[Skipped, ...]]:
    """The tree id of the run's worktree as it is now, and what was left out of it."""
    for attempt in range(_RETRIES):
        try:
            return await _capture(own, run, base, caps)
        except DevloopError:  # a file may have become a folder between looking and reading
            if attempt == _RETRIES - 1:
                raise
    raise AssertionError


async def _capture(own: OwnGit, run: str, base: str, caps: Caps) -> tuple[str, tuple[Skipped, ...]]:
    index = own.admin(run) / _INDEX
    with own.scratch_index(index) as scratch:
        git = own.worktree_git(run, index=scratch)
        if not scratch.exists():
            await git.run("read-tree", base)
        changed, others, staged, links = await asyncio.gather(
            changed_files(git), _others(git, own, run), _staged(git, base), gitlinks(git)
        )
        ignored = await _newly_ignored(git, own, run) if any(staged.values()) else set()
        plan, skipped = await asyncio.to_thread(decide, own.path(run), changed, others, staged, links, ignored, caps)
        await apply(own, git, base, plan)
        tree = await git.line("write-tree")
        scratch.replace(index)
    return tree, tuple(sorted(skipped, key=lambda item: item.path))


async def changed_files(git: Git) -> list[str]:
    """Tracked files that look changed or are gone. `diff-files`, since it does not follow a link in a file's path."""
    output = await git.run("diff-files", "--name-only", "-z", "--no-renames", "--ignore-submodules=all")
    return split_paths(output.out)


async def _others(git: Git, own: OwnGit, run: str) -> list[str]:
    """Untracked files that are not ignored; a repository inside the worktree appears once, with a slash at the end."""
    output = await git.run("ls-files", "-z", "--others", *_ignore_rules(own, run))
    return split_paths(output.out)


async def _staged(git: Git, base: str) -> dict[str, bool]:
    """Paths whose index entry differs from the base; True when the base has no such file."""
    output = await git.run("diff-index", "--cached", "--name-status", "-z", "--no-renames", base)
    items = split_paths(output.out)
    return {path: status == "A" for status, path in zip(items[::2], items[1::2], strict=True)}


async def gitlinks(git: Git) -> set[str]:
    output = await git.run("ls-files", "-s", "-z")
    if b"160000 " not in output.out:
        return set()
    items = (raw.partition(b"\t") for raw in output.out.split(b"\0") if raw.startswith(b"160000 "))
    return {os.fsdecode(path) for _, _, path in items}


async def _newly_ignored(git: Git, own: OwnGit, run: str) -> set[str]:
    output = await git.run("ls-files", "-z", "--cached", "--ignored", *_ignore_rules(own, run))
    return set(split_paths(output.out))


def _ignore_rules(own: OwnGit, run: str) -> list[str]:
    rules = ["--exclude-standard"]
    included = own.admin(run) / _INCLUDED
    if included.is_file():
        rules.append(f"--exclude-from={included}")
    return rules


def included_file(own: OwnGit, run: str) -> Path:
    """Patterns of the files that `.worktreeinclude` brought in: never part of a snapshot."""
    return own.admin(run) / _INCLUDED


def decide(
    root: Path,
    changed: Collection[str],
    others: Collection[str],
    staged: dict[str, bool],
    links: set[str],
    ignored: set[str],
    caps: Caps,
) -> tuple[IndexPlan, list[Skipped]]:
    plan = IndexPlan()
    real_folders: set[str] = set()
    for path in changed:
        if path not in links:
            _consider(root, path, caps, plan, real_folders)
    for path in others:
        if path.endswith("/"):
            plan.keep[path] = "a git repository inside the worktree"
        elif is_reserved(path):
            plan.keep[path] = "a name that git reserves"
        else:
            _consider(root, path, caps, plan, real_folders)
    for path in ignored:
        if staged.get(path):
            plan.remove.add(path)
    for path in links:
        if _holds_something(root / path):
            plan.keep[path] = "inside a submodule, which is not filled in a worktree"
    tracked = set(changed)
    gone = plan.remove | set(plan.keep)
    # In the base is: what is staged as changed or gone, and what is tracked without being staged.
    present = (plan.add | staged.keys()) - gone
    new = sorted(path for path in present if staged.get(path, path not in tracked))
    for path in new[caps.new_files :]:
        plan.keep[path] = f"more than {caps.new_files} new files"
    plan.add -= set(plan.keep)
    return plan, [Skipped(shown(path), reason) for path, reason in plan.keep.items()]


def _consider(root: Path, path: str, caps: Caps, plan: IndexPlan, real_folders: set[str]) -> None:
    if len(os.fsencode(path)) > MAX_PATH:
        plan.keep[path] = f"a path of more than {MAX_PATH} bytes"
        return
    try:
        found = _lstat(root, path, real_folders)
        if found is None or stat.S_ISDIR(found.st_mode):
            plan.remove.add(path)
        elif stat.S_ISLNK(found.st_mode):
            plan.add.add(path)
        elif not stat.S_ISREG(found.st_mode):
            plan.keep[path] = "neither a file nor a link"
        elif found.st_size > caps.file:
            plan.keep[path] = f"larger than {_size(caps.file)}"
        elif not os.access(root / path, os.R_OK):
            plan.keep[path] = "not readable"
        else:
            plan.add.add(path)
    except PermissionError:
        plan.keep[path] = "not readable"


def _size(count: int) -> str:
    return f"{count / (1 << 20):g} MiB" if count >= 1 << 20 else f"{count} bytes"


def _lstat(root: Path, path: str, real_folders: set[str]) -> os.stat_result | None:
    """What is at `path`, or None when nothing is, or when a link stands where a folder was."""
    try:
        parent = os.path.dirname(path)  # noqa: PTH120
        if parent and parent not in real_folders:
            for end in (i for i, c in enumerate(path) if c == "/"):
                if not stat.S_ISDIR((root / path[:end]).lstat().st_mode):
                    return None
            real_folders.add(parent)
        return (root / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _holds_something(path: Path) -> bool:
    try:
        return path.is_symlink() or not path.is_dir() or any(path.iterdir()) if os.path.lexists(path) else False
    except OSError:
        return True


async def apply(own: OwnGit, git: Git, base: str, plan: IndexPlan) -> None:
    resets: dict[str, Entry | None] = dict.fromkeys(plan.remove)
    kept = [path for path in plan.keep if not path.endswith("/")]
    if kept:
        present = await entries(own, base, kept)
        resets |= {path: present.get(path) for path in kept}
    if resets:
        await git.run("update-index", "-z", "--index-info", data=index_info(own, resets))
    if plan.add:
        listed = b"".join(os.fsencode(path) + b"\0" for path in sorted(plan.add))
        await git.run("update-index", "-z", "--add", "--remove", "--replace", "--stdin", data=listed)


async def put_back(own: OwnGit, run: str, tree: str) -> None:
    """Make the run's worktree hold exactly `tree`: files changed, brought back and removed; ignored files stay.

    Only ever works below the run's folder in the state directory; links are replaced, never followed.
    """
    root = own.path(run)
    if root.parent != own.state.worktrees or root.is_symlink() or not root.is_dir():
        raise AssertionError(f"{root} is not a worktree of devloop")
    index = own.admin(run) / _INDEX
    with own.scratch_index(index) as scratch:
        git = own.worktree_git(run, index=scratch)
        links = await gitlinks(git) if scratch.exists() else set()
        await asyncio.to_thread(_empty, root, links)
        await git.run("read-tree", "--reset", "-u", tree)
        for path in await _others(git, own, run):
            await asyncio.to_thread(remove_beneath, root, path)
        await asyncio.to_thread(_empty, root, await gitlinks(git))
        scratch.replace(index)


def _empty(root: Path, folders: set[str]) -> None:
    """Submodules' folders are empty in a worktree; whatever was put there goes."""
    for folder in folders:
        place = root / folder
        if _lstat(root, folder, set()) is not None and place.is_dir() and not place.is_symlink():
            for child in place.iterdir():
                remove_tree(child)
