"""The words for `bwrap`: what a sandboxed command sees and what it may not do.

Read-only: `/usr`, `/etc` without what is secret there, `/opt`. Empty and writable, of limited size, gone afterwards:
`/tmp`, `/var/tmp`, `/run`, `/dev/shm` and `$HOME`. Then the command's own mounts, outer ones first, so that a folder
below `$HOME` shows up in it. Everything else of the host does not exist. All namespaces are new (user, pid, network,
…), further user namespaces are refused, capabilities are dropped.

The filter of system calls is not among these words: its descriptor is another one for each command (`bubblewrap.py`).
"""

from __future__ import annotations

import functools
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from devloop.sandbox.command import Command, Mount
from devloop.sandbox.masks import Empty, on_host

FLAGS = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--die-with-parent"),
    *("--cap-drop", "ALL", "--clearenv"),
)
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt")
ETC_SECRETS = (
    *("/etc/npmrc", "/etc/pip.conf", "/etc/netrc", "/etc/environment", "/etc/environment.d", "/etc/docker"),
    *("/etc/krb5.keytab", "/etc/wgetrc.d", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d"),
)
"""Hidden although an administrator may have left them readable: registry tokens and the like lie there."""

PAGE = "4096"
"""The smallest file system in memory, in bytes."""
DEFAULT_HOME = Path("/tmp/home")  # noqa: S108 - inside the sandbox, where /tmp is its own
RESOLV = Path("/etc/resolv.conf")


def home_of(env: Mapping[str, str]) -> Path:
    """The folder that is `$HOME` inside. One that can't be (a system folder, relative) is replaced."""
    home = Path(posixpath.normpath(env.get("HOME") or DEFAULT_HOME))
    unfit = not home.is_absolute() or home == Path("/") or is_system(home) or home.parts[1] in ("proc", "dev", "sys")
    return DEFAULT_HOME if unfit else home


def is_system(path: Path) -> bool:
    """Whether `path` is visible anyway, because it lies in a system folder that every command sees."""
    return any(path.is_relative_to(folder) for folder in SYSTEM)


def arguments(command: Command, mounts: Sequence[Mount]) -> list[str]:
    """The options for `bwrap`, up to the command. `mounts` in the order they are made."""
    home = home_of(command.env)
    size = ["--size", str(command.limits.scratch_bytes)]
    words = [*FLAGS, *(["--share-net"] if command.network else []), *_system()]
    words += ["--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    for folder in ("/tmp", "/run", "/var/tmp"):  # noqa: S108
        words += ["--perms", "1777", *size, "--tmpfs", folder]
    words += [*size, "--tmpfs", str(home)]
    if command.network:
        words += _resolver()
    for mount in mounts:
        if isinstance(mount, Empty):
            words += _nothing(mount.target)
            continue
        words += ["--bind" if mount.write else "--ro-bind", str(mount.source), str(mount.target)]
    for path in command.hidden:
        found = on_host(mounts, path)
        if found is not None and found[1].exists():
            words += _hide(path, folder=found[1].is_dir())
    for name, value in command.env.items():
        words += ["--setenv", name, value]
    words += ["--setenv", "HOME", str(home), "--remount-ro", "/", "--chdir", str(command.cwd)]
    return words


@functools.cache
def _system() -> tuple[str, ...]:
    """Mounts of the system's folders. Looked up once per process."""
    words: list[str] = []
    for folder in SYSTEM:
        path = Path(folder)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            words += ["--ro-bind", folder, folder]
    for path in sorted(secret_paths()):
        words += _hide(path, folder=path.is_dir())
    return tuple(words)


@functools.cache
def secret_paths() -> frozenset[Path]:
    """What lies below `/etc` and no command may read. Looked up once per process."""
    return frozenset(_secrets(Path("/etc")))


def _hide(path: Path, *, folder: bool) -> list[str]:
    return _nothing(path) if folder else ["--ro-bind", os.devnull, str(path)]


def _nothing(path: Path) -> list[str]:
    """An empty, closed folder. Not made read-only: that takes bwrap three times as long."""
    return ["--perms", "0555", "--size", PAGE, "--tmpfs", str(path)]


def _secrets(folder: Path) -> Iterator[Path]:
    """What lies below `folder`, can be read by this process, and is not meant for everybody."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError:
            continue
        if stat.S_ISLNK(mode):
            continue
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
        if entry.path in ETC_SECRETS or mode & needed != needed:
            if os.access(path, os.R_OK) and not _is_empty(path):
                yield path
        elif stat.S_ISDIR(mode):
            yield from _secrets(path)


def _is_empty(path: Path) -> bool:
    """Nothing to hide: each hidden path costs every command a tenth of a millisecond."""
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def _resolver() -> list[str]:
    """Name resolution with network: the file often is a link into `/run`, which is empty inside."""
    real = RESOLV.resolve()
    return [] if is_system(real) or not real.is_file() else ["--ro-bind", str(real), str(real)]
