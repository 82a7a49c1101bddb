"""Opening files of a worktree so that nothing outside of it is ever touched (security §7).

On Linux the kernel does it in one step: `openat2` below a descriptor of the worktree, without symbolic links. Elsewhere
each component is opened in turn with `O_NOFOLLOW`. Nothing is checked by name and then opened by name again: what was
opened is what is read, examined and, by its folder's descriptor, replaced.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import posixpath
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from devloop import globs
from devloop.beneath import put
from devloop.openat2 import FOLDER, NOFOLLOW, READ, has_openat2, openat2, walk
from devloop.tools.model import Problem

Parts = tuple[str, ...]
Same = Mapping[tuple[int, int], str]

_IGNORABLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")  # HFS+ ignores them in names


def split(path: str, view: Path) -> Parts:
    """The components of `path` below the worktree. Raises `Problem` for whatever can't lie inside.

    An absolute path counts from `view`; `..` is taken literally, since links are never followed. `.git` is refused in
    every spelling that some file system takes for it.
    """
    if "\0" in path:
        raise Problem("The path contains a NUL character.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise Problem("The path is not valid text.") from None
    if not path.strip():
        raise Problem("The path is empty.")
    relative = path
    if path.startswith("/"):
        clean, base = posixpath.normpath("/" + path.lstrip("/")), str(view).rstrip("/")
        if clean != base and not clean.startswith(base + "/"):
            raise Problem(f"{path} is outside of the project ({view}).")
        relative = clean[len(base) :].lstrip("/")
    relative = posixpath.normpath(relative or ".")
    parts = () if relative == "." else tuple(relative.split("/"))
    if ".." in parts:
        raise Problem(f"{path} is outside of the project ({view}).")
    if any(piece == ".git" for part in parts for piece in spellings(part)):
        raise Problem(f"{path} belongs to git; devloop commits your work itself.")
    return parts


def spellings(name: str) -> list[str]:
    """What some file system may take `name` for: case, ignored characters, streams, short names, backslashes."""
    plain = _IGNORABLE.sub("", name).casefold()
    pieces = [piece.split(":", 1)[0].rstrip(". ") for piece in plain.split("\\")]
    return [".git" if re.fullmatch(r"git~\d+", piece) else piece for piece in pieces]


def covered(parts: Sequence[str], folder: str) -> bool:
    """Whether `parts` is `folder` or lies below it, by any spelling."""
    wanted = [part.casefold() for part in folder.strip("/").split("/")]
    actual = [piece for part in parts for piece in spellings(part)]
    return actual[: len(wanted)] == wanted


def _must_not_be(found: os.stat_result, same: Same, name: str) -> None:
    """Raises `Problem` for what is protected under another name."""
    folder = same.get((found.st_dev, found.st_ino))
    if folder is not None:
        raise Problem(f"{name} is {folder} by another name, which is protected: only the person changes it.")


class Confined:
    """A worktree's files. Use as a context manager: it holds the worktree's descriptor."""

    def __init__(
        self,
        worktree: Path,
        view: Path,
        *,
        protected: Sequence[str] = (),
        readonly: Sequence[str] = (),
        kernel: bool | None = None,
    ) -> None:
        self.worktree = worktree
        self.view = view
        self._protected = protected
        self._readonly = readonly
        self._kernel = has_openat2() if kernel is None else kernel
        self._fd = -1

    def __enter__(self) -> Confined:
        self._fd = os.open(self.worktree, FOLDER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
        self._fd = -1

    def split(self, path: str) -> Parts:
        return split(path, self.view)

    def check_writable(self, parts: Parts) -> None:
        """Raises `Problem` when nothing may be written there."""
        name = "/".join(parts)
        if not parts:
            raise Problem("This is the project's folder, not a file.")
        for folder in self._protected:
            if covered(parts, folder):
                raise Problem(f"{name} is protected: {folder} can be read, but only the person changes it.")
        for pattern in self._readonly:
            if globs.covers(pattern, parts):
                raise Problem(f"{name} is read-only in this project (paths.readonly has {pattern!r}).")

    def open_any(self, parts: Parts) -> int:
        """A descriptor for reading a file or folder. Raises `Problem`; FIFOs, sockets and devices are refused."""
        fd = self._open(parts, READ)
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return fd
        os.close(fd)
        raise Problem(f"{'/'.join(parts)} is neither a file nor a folder.")

    def open_file(self, parts: Parts) -> int:
        fd = self.open_any(parts)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise Problem(f"{'/'.join(parts) or '.'} is a folder; list_files shows what is in it.")

    def exists(self, parts: Parts) -> bool:
        """Whether there is anything at `parts`. Raises `Problem` when links or permissions hide it."""
        try:
            fd = self._open_raw(parts, READ)
        except FileNotFoundError:
            return False
        except OSError as problem:
            raise self._explain(problem, parts) from problem
        os.close(fd)
        return True

    def open_folder(self, parts: Parts) -> int:
        return self._open(parts, FOLDER)

    def replace(self, parts: Parts, data: bytes) -> bool:
        """Write `data` as the whole file, making folders as needed; true when the file is new.

        By a temporary file in the same folder and a rename. The mode is kept without setuid, setgid and sticky bit.
        Raises `Problem` for protected and read-only paths, links, special files and files with several hard links.
        """
        self.check_writable(parts)
        same = self._same_as_protected()
        folder = self._make_folders(parts[:-1], same)
        try:
            mode = self._replaceable(folder, parts, same)
            put(folder, parts[-1], data, mode)
            return mode is None
        except OSError as problem:
            raise self._explain(problem, parts) from problem
        finally:
            os.close(folder)

    def _same_as_protected(self) -> dict[tuple[int, int], str]:
        """What is protected, by device and inode: a file system may know it by names that no rule foresees."""
        found = {}
        for name in self._protected:
            with contextlib.suppress(OSError):
                there = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
                found[there.st_dev, there.st_ino] = name
        return found

    def _replaceable(self, folder: int, parts: Parts, same: Same) -> int | None:
        try:
            found = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        name = "/".join(parts)
        _must_not_be(found, same, name)
        if stat.S_ISLNK(found.st_mode):
            raise self._link(parts)
        if stat.S_ISDIR(found.st_mode):
            raise Problem(f"{name} is a folder.")
        if not stat.S_ISREG(found.st_mode):
            raise Problem(f"{name} is no ordinary file.")
        if found.st_nlink > 1:
            raise Problem(f"{name} has several hard links, so changing it would change another file, too.")
        return stat.S_IMODE(found.st_mode) & 0o777

    def _make_folders(self, parts: Parts, same: Same) -> int:
        """A descriptor of the folder, which is created where it is missing. One component after the other."""
        fd = os.dup(self._fd)
        try:
            for depth, part in enumerate(parts, start=1):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=fd)
                try:
                    inner = os.open(part, FOLDER | NOFOLLOW, dir_fd=fd)
                except OSError as problem:
                    raise self._explain(problem, parts[:depth]) from problem
                os.close(fd)
                fd = inner
                _must_not_be(os.fstat(fd), same, "/".join(parts[:depth]))
            return fd
        except OSError as problem:
            os.close(fd)
            raise self._explain(problem, parts) from problem
        except BaseException:
            os.close(fd)
            raise

    def _open(self, parts: Parts, flags: int) -> int:
        try:
            return self._open_raw(parts, flags)
        except OSError as problem:
            raise self._explain(problem, parts) from problem

    def _open_raw(self, parts: Parts, flags: int) -> int:
        if self._kernel:
            return openat2(self._fd, "/".join(parts) or ".", flags)
        return walk(self._fd, parts, flags)

    def _explain(self, problem: OSError, parts: Parts) -> Problem:
        name = "/".join(parts) or "."
        match problem.errno:
            case errno.ENOENT:
                return Problem(f"{name} does not exist.{self._similar(parts)}")
            case errno.ELOOP | errno.EXDEV:
                return self._link(parts)
            case errno.ENOTDIR:
                return self._link(parts) if self._first_link(parts) else Problem(f"{name}: a part of it is no folder.")
            case errno.ENXIO | errno.ENODEV:
                return Problem(f"{name} is neither a file nor a folder.")
            case _:
                return Problem(f"{name}: {os.strerror(problem.errno or 0)}.")

    def _link(self, parts: Parts) -> Problem:
        found = self._first_link(parts)
        if found is None:
            return Problem(f"{'/'.join(parts)} leads out of the project.")
        link, leads_to = found
        return Problem(f"{link} is a symbolic link to {leads_to}; links are not followed: use the target's own path.")

    def _first_link(self, parts: Parts) -> tuple[str, str] | None:
        """The first link on the way, for the message only."""
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            try:
                return name, os.readlink(name, dir_fd=self._fd)
            except OSError as problem:
                if problem.errno != errno.EINVAL:
                    return None
        return None

    def _similar(self, parts: Parts) -> str:
        """Names like the one that is missing, from the deepest folder that exists."""
        for depth in range(len(parts) - 1, -1, -1):
            try:
                fd = self._open_raw(parts[:depth], FOLDER)
            except OSError:
                continue
            try:
                names = os.listdir(fd)[:2000]  # noqa: PTH208 - a descriptor, not a path
            finally:
                os.close(fd)
            close = difflib.get_close_matches(parts[depth], names, n=3)
            return f" Similar: {', '.join('/'.join((*parts[:depth], name)) for name in close)}." if close else ""
        return ""
