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
import posixpath
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from devloop.openat2 import CLOEXEC, FOLDER, NOFOLLOW, READ, has_openat2, openat2

DESCRIPTORS = os.open in os.supports_dir_fd
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | NOFOLLOW | CLOEXEC
MOST_LINKS = 40
MOST_DEPTH = 256
"""Folders that are held open at once on the way to a file behind a link."""
TEMPORARY = ".devloop-tmp-"


class Outside(OSError):
    """The path, or a link on its way, leads out of the folder."""

    def __init__(self, relative: str) -> None:
        super().__init__(errno.EXDEV, "it leads outside", relative)


class NoFile(OSError):
    """What is there is no regular file: a folder, a FIFO, a socket, a device."""

    def __init__(self, relative: str) -> None:
        super().__init__(errno.ENXIO, "it is no file", relative)


class TooLarge(OSError):
    def __init__(self, relative: str) -> None:
        super().__init__(errno.EFBIG, "it is too large", relative)


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
        return _listed(_inside_by_name(root, parts_of(relative), relative, links=links))
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
        _write_by_name(root, relative, data, mode, links=links, new=new)
        return
    with _place(root, relative, links=links, make=True, last=not new) as (folder, name):
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
        _place_by_name(root, relative, links=True).unlink()
        return
    with _place(root, relative, links=True, last=False) as (folder, name):
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


# Opening


def parts_of(relative: str) -> tuple[str, ...]:
    """The components of a path below a folder; `..` is taken literally. Raises `OSError` for what can't lie inside."""
    try:
        fits = "\0" not in relative and not relative.startswith("/") and os.fsencode(relative) is not None
    except UnicodeEncodeError:
        fits = False
    plain = posixpath.normpath(relative or ".") if fits else ".."
    if plain == ".." or plain.startswith("../") or (os.sep != "/" and (os.sep in plain or ":" in plain)):
        raise Outside(relative)
    return () if plain == "." else tuple(plain.split("/"))


def _open(root: Path, relative: str, flags: int, *, links: bool, kernel: bool | None = None) -> int:
    if not DESCRIPTORS:
        return _open_by_name(root, relative, flags, links=links)
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
    with _place(root, relative, links=links) as (folder, name):
        return os.open(name, flags | NOFOLLOW, dir_fd=folder)


@contextlib.contextmanager
def _place(
    root: Path, relative: str, *, links: bool, make: bool = False, last: bool = True
) -> Iterator[tuple[int, str]]:
    """The folder that a path lies in, by a descriptor that lives as long as the block, and the name there, which was no
    link when it was looked at, or is not followed (`last`). `make`: folders that are missing are made."""
    held = [os.open(root, FOLDER)]
    try:
        waiting = list(reversed(parts_of(relative)))
        if make and len(waiting) > MOST_DEPTH + 1:  # before the first of them is made
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
        left = MOST_LINKS if links else 0
        name = "."
        while waiting:
            name = waiting.pop()
            if name == "..":
                if len(held) == 1:
                    raise Outside(relative)
                os.close(held.pop())
                name = "."
                continue
            if not waiting and not last:
                break
            target = _link_target(name, held[-1])
            if target is not None:
                if not left:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
                left -= 1
                if target.startswith("/"):
                    target = _below(root, target, relative)
                    while len(held) > 1:
                        os.close(held.pop())
                waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
                name = "."
            elif waiting:
                if len(held) > MOST_DEPTH:
                    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
                held.append(_folder(name, held[-1], make=make))
        yield held[-1], name
    finally:
        for fd in held:
            os.close(fd)


def _link_target(name: str, folder: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as problem:
        if problem.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _folder(name: str, folder: int, *, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o777, dir_fd=folder)
    return os.open(name, FOLDER | NOFOLLOW, dir_fd=folder)


def _below(root: Path, target: str, relative: str) -> str:
    """What an absolute link says, from the root."""
    plain = posixpath.normpath(target)
    for base in (os.path.abspath(root), os.path.realpath(root)):  # noqa: PTH100 - links stay
        if plain == base or plain.startswith(base.rstrip("/") + "/"):
            return plain[len(base) :].lstrip("/")
    raise Outside(relative)


# Without descriptors of folders (Windows): by name, as narrowly as that can be done


def _inside_by_name(root: Path, parts: tuple[str, ...], relative: str, *, links: bool) -> Path:
    """Where the path leads, without a link that could be followed. What is missing is taken as it is written."""
    base = os.path.realpath(root)
    real = _real(root.joinpath(*parts), relative)
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise Outside(relative)
    if _real(real, relative) != real:  # behind a link to itself nothing was looked at
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
    if not links and os.path.normcase(real) != os.path.normcase(os.path.join(base, *parts)):  # noqa: PTH118
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative)
    return Path(real)


def _real(path: str | Path, relative: str) -> str:
    try:
        return os.path.realpath(path)
    except RecursionError:  # before Python 3.13 each link that leads to a link is one call deeper
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), relative) from None


def _place_by_name(root: Path, relative: str, *, links: bool) -> Path:
    """The path in the folder that it lies in, which itself is not followed."""
    parts = parts_of(relative)
    if not parts:
        raise NoFile(relative)
    return _inside_by_name(root, parts[:-1], relative, links=links) / parts[-1]


def _open_by_name(root: Path, relative: str, flags: int, *, links: bool) -> int:
    path = _inside_by_name(root, parts_of(relative), relative, links=links)
    if not stat.S_ISREG(path.stat().st_mode):
        raise NoFile(relative)
    return os.open(path, flags)


def _write_by_name(root: Path, relative: str, data: bytes, mode: int | None, *, links: bool, new: bool) -> None:
    if new:
        path = _place_by_name(root, relative, links=links)
    else:
        path = _inside_by_name(root, parts_of(relative), relative, links=links)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise NoFile(relative)
    _make_folders(Path(os.path.realpath(root)), path.parent, relative)
    if new:
        with os.fdopen(os.open(path, NEW, mode or 0o644), "wb") as stream:
            stream.write(data)
        return
    temporary = path.with_name(TEMPORARY + secrets.token_hex(8))
    try:
        with os.fdopen(os.open(temporary, NEW, mode or 0o644), "wb") as stream:
            stream.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _make_folders(base: Path, folder: Path, relative: str) -> None:
    names = folder.relative_to(base).parts
    if len(names) > MOST_DEPTH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), relative)
    for name in names:
        base /= name
        with contextlib.suppress(FileExistsError):
            base.mkdir()
