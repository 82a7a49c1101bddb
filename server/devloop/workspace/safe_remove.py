"""Removing folders that an agent or a test suite has filled: odd permissions, links, anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it; links are removed, never followed. Missing is fine."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    if path.exists():
        _open_up(path)
        if sys.version_info >= (3, 12):
            shutil.rmtree(path, onexc=_again)
        else:
            shutil.rmtree(path, onerror=_again)
    if path.exists():
        raise OSError(f"{path} could not be removed")


def _open_up(path: Path) -> None:
    """Give ourselves access to folders whose permissions were taken away."""
    for folder, names, _ in os.walk(path):
        for name in (".", *names):
            place = os.path.join(folder, name)  # noqa: PTH118
            with contextlib.suppress(OSError):
                mode = os.lstat(place).st_mode
                if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
                    os.chmod(place, 0o700)  # noqa: PTH101


def _again(function: Callable[..., Any], path: str, _: Any) -> None:
    """What vanished meanwhile is fine, what came into being meanwhile gets a second try."""
    with contextlib.suppress(OSError):
        if function is os.rmdir:
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)


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
