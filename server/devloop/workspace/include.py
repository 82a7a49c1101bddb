"""`.worktreeinclude`: ignored or untracked files of the person's checkout that a worktree needs.

One gitignore-style pattern per line. Regular files only: links are named, not copied; nothing from `.git` or
`.devloop`; at most `MAX_FILE` bytes each, `MAX_TOTAL` bytes and `MAX_FILES` files in all. A file that the worktree
already has is left alone.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from pathlib import Path

from devloop import beneath
from devloop.files import write_atomic
from devloop.lists import some
from devloop.workspace.names import is_reserved, shown, split_paths
from devloop.workspace.own import OwnGit
from devloop.workspace.records import Notice
from devloop.workspace.trees import included_file

FILE = ".worktreeinclude"
MAX_FILE = 8 << 20
MAX_TOTAL = 256 << 20
MAX_FILES = 2000
_PATTERNS = "worktreeinclude"
_LONGEST_LIST = 1 << 16


async def bring_in(own: OwnGit, run: str, patterns: bytes) -> tuple[Notice, ...]:
    """Copy the files of the person's checkout that `patterns` list into the run's worktree; say what was not copied.

    `patterns` is a trusted text of `.worktreeinclude`; the file itself is not read, since it may have changed.
    """
    repository = own.repository
    if len(patterns) > _LONGEST_LIST:
        return (Notice("included", f"{FILE} is larger than 64 KB and was not read."),)
    listed = own.admin(run) / _PATTERNS
    await asyncio.to_thread(write_atomic, listed, patterns)
    git = await repository.git()
    # The patterns take the place of the ignore rules: what they "ignore" is what they ask for.
    output = await git.run("ls-files", "-z", "--others", "--ignored", f"--exclude-from={listed}")
    copied, skipped = await asyncio.to_thread(
        _copy_all, repository.root, own.path(run), sorted(split_paths(output.out))
    )
    await asyncio.to_thread(write_atomic, included_file(own, run), b"".join(map(_pattern, copied)))
    notices = []
    if skipped:
        names = tuple(f"{shown(path)} ({why})" for path, why in skipped)
        notices.append(
            Notice("included", f"{len(skipped)} files that {FILE} lists were not copied: {some(names, 5)}.", names)
        )
    return tuple(notices)


def _copy_all(source: Path, target: Path, paths: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    copied: list[str] = []
    skipped: list[tuple[str, str]] = []
    total = 0
    for path in paths:
        reason, size = _problem(source, target, path)
        if reason is None and len(copied) >= MAX_FILES:
            reason = f"more than {MAX_FILES} files"
        if reason is None and total + size > MAX_TOTAL:
            reason = f"more than {MAX_TOTAL >> 20} MiB in all"
        if reason is not None:
            if reason:
                skipped.append((path, reason))
            continue
        try:
            size = _copy(source, target, path)
        except OSError as problem:
            skipped.append((path, problem.strerror or "it can't be copied"))
            continue
        copied.append(path)
        total += size
    return copied, skipped


def _copy(source: Path, target: Path, path: str) -> int:
    """Both ends by descriptors below their roots: what became a link since it was looked at is not followed. Returns
    the size. Raises `OSError`."""
    fd = beneath.open_file(source, path, links=False)
    with os.fdopen(fd, "rb") as stream:
        found, data = os.fstat(fd), stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise beneath.TooLarge(path)
    beneath.write(target, path, data, mode=stat.S_IMODE(found.st_mode) & 0o777, links=False, new=True, sync=False)
    return len(data)


def _problem(source: Path, target: Path, path: str) -> tuple[str | None, int]:
    """Why a file is not copied ("" = nothing to say about it), and its size."""
    if path.startswith(".devloop/") or is_reserved(path):
        return "", 0
    if path.endswith("/"):
        return "a repository of its own", 0
    if "\n" in path:
        return "a line end in its name", 0
    found = (source / path).lstat()
    if stat.S_ISLNK(found.st_mode):
        return "a link", 0
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file", 0
    if found.st_size > MAX_FILE:
        return f"larger than {MAX_FILE >> 20} MiB", 0
    if not os.access(source / path, os.R_OK):
        return "not readable", 0
    folder = target
    for part in path.split("/")[:-1]:
        folder = folder / part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            return "a link or file of the worktree stands in its path", 0
    return ("" if os.path.lexists(target / path) else None), found.st_size


def _pattern(path: str) -> bytes:
    """A gitignore line that matches exactly this path."""
    escaped = re.sub(r"([\\*?\[\]!#])", r"\\\1", path)
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\ "
    return os.fsencode(f"/{escaped}\n")
