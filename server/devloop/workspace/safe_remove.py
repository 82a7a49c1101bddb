"""Removing folders that an agent or a test suite has filled: odd permissions, links, anything."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from pathlib import Path

TRIES = 3


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it; links are removed, never followed. Missing is fine."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    for _ in range(TRIES):
        if path.exists():
            with contextlib.suppress(OSError):
                _remove(path)
    if path.exists():
        raise OSError(f"{path} could not be removed")


def _remove(path: Path) -> None:
    """Each folder is moved up before it is emptied, so nothing here ever is deep: an agent can make folders that lie
    deeper than the kernel's longest path, than there are descriptors and than Python calls itself.

    What vanished meanwhile is fine, what came into being meanwhile makes it fail, for another try.
    """
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
    mark = f".devloop-removed-{secrets.token_hex(8)}"  # a name that nothing here has
    path.chmod(0o700)
    top = os.open(path, flags)
    try:
        waiting, numbers = [""], itertools.count()
        while waiting:
            name = waiting.pop()
            folder = os.open(name or ".", flags, dir_fd=top)
            try:
                with os.scandir(folder) as entries:
                    found = list(entries)
                for entry in found:
                    moved = f"{mark}-{next(numbers)}"
                    with contextlib.suppress(OSError):
                        if not entry.is_dir(follow_symlinks=False):
                            os.unlink(entry.name, dir_fd=folder)
                            continue
                        os.chmod(entry.name, 0o700, dir_fd=folder)
                        os.rename(entry.name, moved, src_dir_fd=folder, dst_dir_fd=top)
                        waiting.append(moved)
            finally:
                os.close(folder)
            if name:
                with contextlib.suppress(OSError):
                    os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    path.rmdir()


def remove_beneath(root: Path, path: str) -> None:
    """Remove the file or folder `root/path` without following a link on the way, then parents that became empty."""
    parts = [part for part in path.split("/") if part]
    folder = root
    for part in parts[:-1]:
        folder = folder / part
        if folder.is_symlink() or not folder.is_dir():
            return
    remove_tree(folder / parts[-1])
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
