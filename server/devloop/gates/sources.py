"""Reading source lines of a tree that an agent wrote, without being led out of it.

Tools count columns in characters, in bytes or in UTF-16 units, and name files by absolute or relative paths. Here both
become devloop's own form: paths relative to the tree, UTF-16 columns.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from pathlib import Path
from typing import Literal

MAX_SOURCE = 8 * 1024 * 1024
Unit = Literal["characters", "bytes", "utf16"]


def open_inside(root: Path, relative: str) -> int:
    """A read-only descriptor of a regular file below `root`. No component may be a symbolic link.

    Raises `OSError` (ELOOP or ENOTDIR on a link, ENOENT) or `ValueError` when the path leaves `root` or names no
    regular file. The caller closes the descriptor.
    """
    parts = relative.split("/")
    if not relative or "\0" in relative or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{relative!r} is no path below the tree")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    if os.open not in os.supports_dir_fd:
        path = root.joinpath(*parts)
        if path.resolve() != root.resolve().joinpath(*parts):
            raise ValueError(f"{relative!r} goes through a symbolic link")
        return _regular(os.open(path, flags), relative)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, flags | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _regular(os.open(parts[-1], flags, dir_fd=folder), relative)
    finally:
        os.close(folder)


def _regular(descriptor: int, relative: str) -> int:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{relative!r} is no regular file")
    return descriptor


class Sources:
    """The lines of one tree. `root` is where it is on this machine, `view` where the tool saw it."""

    def __init__(self, root: Path, view: Path | None = None) -> None:
        self.root = root
        self._prefixes = {str(view or root), str(root), os.path.realpath(root), os.path.realpath(view or root)}
        self._lines: dict[str, list[str] | None] = {}

    def relative(self, name: str) -> str:
        """The tool's file name as a path below the tree; a name outside comes back as it is, normalised."""
        name = name.removeprefix("file://").replace("\\", "/")
        for prefix in sorted(self._prefixes, key=len, reverse=True):
            if name.startswith(prefix.rstrip("/") + "/"):
                return posixpath.normpath(name[len(prefix.rstrip("/")) + 1 :])
        return posixpath.normpath(name) if name else ""

    def lines(self, file: str) -> list[str]:
        """The file's lines without their ends; [] when it can't be read."""
        if file not in self._lines:
            self._lines[file] = None
            with contextlib.suppress(OSError, ValueError), os.fdopen(open_inside(self.root, file), "rb") as stream:
                text = stream.read(MAX_SOURCE).decode("utf-8", "replace")
                self._lines[file] = [line.removesuffix("\r") for line in text.split("\n")]
        return self._lines[file] or []

    def line(self, file: str, number: int) -> str:
        """Line `number` (0-based), or "" when there is none."""
        lines = self.lines(file)
        return lines[number] if 0 <= number < len(lines) else ""

    def column(self, file: str, line: int, column: int, unit: Unit) -> int:
        """The UTF-16 column for a 0-based `column` counted in `unit`; clamped to the line when it is known."""
        column = max(0, column)
        text = self.line(file, line)
        if unit == "utf16" or not text:
            return column
        if unit == "bytes":
            prefix = text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore")
        else:
            prefix = text[:column]
        return len(prefix.encode("utf-16-le", "surrogatepass")) // 2
