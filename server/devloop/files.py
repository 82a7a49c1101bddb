"""Writing files so that nobody ever sees half of one, and holding locks that die with their process."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from devloop.errors import StorageError


def write_atomic(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write `data` to `path` by a temporary file in the same folder and a rename.

    The mode of an existing file is kept, a symbolic link is followed. Raises `StorageError` with a hint when the
    disk is full or the folder can't be written; the old content is then untouched.
    """
    target = path.resolve() if path.is_symlink() else path
    try:
        with contextlib.suppress(FileNotFoundError):
            mode = mode if mode is not None else target.stat().st_mode & 0o7777
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(mode if mode is not None else 0o644)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as problem:
        raise storage_error(problem, f"{path} could not be written") from problem


def storage_error(problem: OSError, what: str) -> StorageError:
    """The person's view of an `OSError`: what failed, and what would help."""
    hints = {
        errno.ENOSPC: "The disk is full: free some space and try again; nothing was changed.",
        errno.EDQUOT: "Your disk quota is used up: free some space and try again; nothing was changed.",
        errno.EROFS: "Make the file system writable and try again; nothing was changed.",
        errno.EACCES: "You have no permission to write there.",
        errno.EPERM: "You have no permission to write there.",
    }
    return StorageError(f"{what}: {os.strerror(problem.errno or 0)}.", hint=hints.get(problem.errno or 0, ""))


@contextlib.contextmanager
def held_lock(path: Path, *, wait: bool = False) -> Iterator[IO[str] | None]:
    """Hold an exclusive lock on `path` for the block; yields None when another process has it and `wait` is false.

    The operating system frees it when the process dies, however it dies.
    """
    stream = path.open("a+")
    try:
        if not _lock(stream, wait):
            yield None
        else:
            yield stream
    finally:
        stream.close()


def _lock(stream: IO[str], wait: bool) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
