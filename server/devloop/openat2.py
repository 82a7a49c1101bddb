"""Opening below a descriptor of a folder, without links: by `openat2`, or component by component (security §7)."""

from __future__ import annotations

import errno
import functools
import os
import struct
import sys
from collections.abc import Callable

SYS_OPENAT2 = 437
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH = 0x02, 0x04, 0x08
RETRIES = 16
CLOEXEC, NOFOLLOW = getattr(os, "O_CLOEXEC", 0), getattr(os, "O_NOFOLLOW", 0)
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | CLOEXEC
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | CLOEXEC


def walk(root: int, parts: tuple[str, ...], flags: int) -> int:
    """Open component by component; a symbolic link anywhere is an error (ELOOP or ENOTDIR)."""
    fd = os.dup(root)
    try:
        for number, part in enumerate(parts, start=1):
            inner = os.open(part, (flags if number == len(parts) else FOLDER) | NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = inner
        if not parts:
            inner = os.open(".", flags, dir_fd=fd)
            os.close(fd)
            fd = inner
        return fd
    except BaseException:
        os.close(fd)
        raise


@functools.cache
def _syscall() -> Callable[..., int]:
    import ctypes  # here: whoever opens nothing does not pay for it

    library = ctypes.CDLL(None, use_errno=True)

    def call(root: int, name: bytes, how: bytes) -> int:
        """The descriptor, or the number of the error, negative."""
        result = library.syscall(
            ctypes.c_long(SYS_OPENAT2), ctypes.c_int(root), ctypes.c_char_p(name), how, ctypes.c_size_t(len(how))
        )
        return int(result) if result >= 0 else -ctypes.get_errno()

    return call


def openat2(root: int, path: str, flags: int) -> int:
    """Open `path` below the folder `root` in one step; any symbolic link is ELOOP, any way out EXDEV (Linux 5.6)."""
    how = struct.pack("=QQQ", flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    name = os.fsencode(path)
    for _ in range(RETRIES):
        result = _syscall()(root, name, how)
        if result >= 0:
            return result
        if -result not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: something was renamed on the way
            raise OSError(-result, os.strerror(-result), path)
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), path)


@functools.cache
def has_openat2() -> bool:
    """Whether this kernel, and whatever filters its calls, lets us use `openat2` (Linux 5.6)."""
    if sys.platform != "linux":
        return False
    try:
        fd = os.open("/", FOLDER)
        try:
            os.close(openat2(fd, ".", FOLDER))
        finally:
            os.close(fd)
    except OSError:
        return False
    return True
