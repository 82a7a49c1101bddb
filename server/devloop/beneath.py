"""Files below a folder whose content others decide: nothing outside of it is read, changed or waited for (security §7).

What was opened is what is examined, read and, by its folder's descriptor, replaced: no name is checked and then used
again. On Linux `openat2` opens in one step what has no link on its way; everywhere else, and where a link has to be
followed, each component is opened in turn with `O_NOFOLLOW`, a link is read and its target walked below the same root.
A FIFO or a device is never waited for. Every error is an `OSError`, so that whoever passes over files that can't be
read passes over these, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from devloop import beneath_by_name as by_name
from devloop.beneath_walk import NEW, TEMPORARY, NoFile, Outside, TooLarge, parts_of, place
from devloop.openat2 import FOLDER, NOFOLLOW, READ, has_openat2, openat2

__all__ = [
    "TEMPORARY",
    "NoFile",
    "Outside",
    "TooLarge",
    "entries",
    "head",
    "is_file",
    "open_file",
    "put",
    "read",
    "read_anywhere",
    "remove",
    "write",
]
DESCRIPTORS = os.open in os.supports_dir_fd


def read(root: Path, relative: str, limit: int, *, links: bool = True) -> bytes:
    """All bytes of a regular file, at most `limit`. `links`: symbolic links are followed as long as they stay below
    `root`; without, one anywhere on the way is ELOOP. Raises `OSError`: `Outside`, `NoFile`, `TooLarge`."""
    data = head(root, relative, limit + 1, links=links)
    if len(data) > limit:
        raise TooLarge(relative)
    return data


def head(root: Path, relative: str, limit: int, *, links: bool = True) -> bytes:
    """The first `limit` bytes of a regular file; otherwise as `read`."""
    with os.fdopen(open_file(root, relative, links=links), "rb", buffering=0) as stream:
        left, pieces = limit, []
        while left > 0 and (piece := stream.read(min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


def read_anywhere(path: Path, limit: int) -> bytes:
    """All bytes of a regular file, wherever links lead: for what a person named, or chose to link. Raises `OSError`:
    `NoFile`, `TooLarge`."""
    try:
        fd = os.open(path, READ)
    except ValueError:  # a name that no file can have
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path)) from None
    with os.fdopen(fd, "rb") as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NoFile(str(path))
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(str(path))
    return data


def open_file(root: Path, relative: str, *, links: bool = True, kernel: bool | None = None) -> int:
    """A descriptor of a regular file, for reading; the caller closes it."""
    fd = _open(root, relative, READ, links=links, kernel=kernel)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise NoFile(relative)


def is_file(root: Path, relative: str, *, links: bool = True) -> bool:
    try:
        os.close(open_file(root, relative, links=links))
    except OSError:
        return False
    return True


def entries(root: Path, relative: str, *, links: bool = True) -> list[tuple[str, int]]:
    """(name, mode) of everything in a folder, sorted by name; links are told, not followed. Raises `OSError`."""
    if not DESCRIPTORS:
        return _listed(by_name.inside(root, parts_of(relative), relative, links=links))
    fd = _open(root, relative, FOLDER, links=links)
    try:
        return _listed(fd)
    finally:
        os.close(fd)


def _listed(folder: int | Path) -> list[tuple[str, int]]:
    found = []
    with os.scandir(folder) as each:
        for entry in each:
            with contextlib.suppress(OSError):
                found.append((entry.name, entry.stat(follow_symlinks=False).st_mode))
    return sorted(found)


def write(
    root: Path,
    relative: str,
    data: bytes,
    *,
    mode: int | None = None,
    links: bool = True,
    new: bool = False,
    sync: bool = True,
) -> None:
    """Write all of a file, or nothing: by a temporary file beside it and a rename. Missing folders are made.

    The mode of a file that is there is kept, without setuid, setgid and sticky bit; of a new one it is `mode`, or 0644.
    `new`: raises `FileExistsError` where there is anything by this name. `sync`: it outlives a power cut. Raises
    `OSError` as `read` does.
    """
    if not DESCRIPTORS:
        by_name.write(root, relative, data, mode, links=links, new=new)
        return
    with place(root, relative, links=links, make=True, last=not new) as (folder, name):
        if name == ".":
            raise NoFile(relative)
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if new:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), relative)
            if stat.S_ISLNK(found.st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
            if not stat.S_ISREG(found.st_mode):
                raise NoFile(relative)
            mode = stat.S_IMODE(found.st_mode) & 0o777 if mode is None else mode
        put(folder, name, data, 0o644 if mode is None else mode, new=new, sync=sync)


def remove(root: Path, relative: str) -> None:
    """Take away the file or link of that name; links on the way to it are followed below `root` only. Raises `OSError`,
    `FileNotFoundError` where there is none."""
    if not DESCRIPTORS:
        by_name.place(root, relative, links=True).unlink()
        return
    with place(root, relative, links=True, last=False) as (folder, name):
        os.unlink(name, dir_fd=folder)


def put(folder: int, name: str, data: bytes, mode: int | None, *, new: bool = False, sync: bool = True) -> None:
    """The file `name` in the folder of a descriptor, all of it or nothing. `mode` None: as the umask has it."""
    temporary = TEMPORARY + secrets.token_hex(8)
    fd = os.open(temporary, NEW, 0o666, dir_fd=folder)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            if mode is not None:
                os.fchmod(stream.fileno(), mode)
            if sync:
                os.fsync(stream.fileno())
        if new and _link(temporary, name, folder):
            os.unlink(temporary, dir_fd=folder)
        else:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _link(temporary: str, name: str, folder: int) -> bool:
    """Whether the file has its name now. Where no file may have two names, it is only taken by an empty one."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(name, NEW, 0o666, dir_fd=folder))
        return False
    return True


def _open(root: Path, relative: str, flags: int, *, links: bool, kernel: bool | None = None) -> int:
    if not DESCRIPTORS:
        return by_name.opened(root, relative, flags, links=links)
    if kernel is None:
        kernel = has_openat2()
    if kernel:
        parts = parts_of(relative)
        base = os.open(root, FOLDER)
        try:
            return openat2(base, "/".join(parts) or ".", flags)
        except OSError as problem:
            if not links or problem.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EXDEV, errno.EAGAIN):
                raise
        finally:
            os.close(base)
    with place(root, relative, links=links) as (folder, name):
        return os.open(name, flags | NOFOLLOW, dir_fd=folder)
