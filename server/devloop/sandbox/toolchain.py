"""Which folders an interpreter or tool needs to run inside, when it lies outside the system's folders."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from devloop.sandbox.command import Mount
from devloop.sandbox.profile import is_system

MAX_HOPS = 40


def toolchain_mounts(executables: Iterable[Path]) -> tuple[Mount, ...]:
    """The fewest read-only mounts with which `executables` (absolute paths) start inside.

    Follows each chain of links by name, because programs look for their folder by the name they were called with: a
    virtual environment as a whole, the interpreter it stands on (`home` in `pyvenv.cfg`), an installation's prefix
    (`lib/pythonX.Y/os.py`, `lib/node_modules`), the interpreter of a script (`#!`); of anything else just the file.
    What lies in a system folder needs no mount. Never yields a home folder or what contains one, nor a file that can't
    be executed. What `pyvenv.cfg` names is taken only when it is an interpreter: whoever writes that file would choose
    what commands see otherwise.
    """
    found: dict[Path, Mount] = {}
    seen: set[Path] = set()
    for executable in executables:
        _follow(Path(os.path.normpath(Path.cwd() / executable)), found, seen)
    kept = list(found.values())
    return tuple(mount for mount in kept if not any(_covers(other, mount) for other in kept if other != mount))


def _follow(path: Path, found: dict[Path, Mount], seen: set[Path]) -> None:
    for _ in range(MAX_HOPS):
        if path in seen or not _is_program(path):
            return
        seen.add(path)
        _mount(path, found, seen)
        real_folder = path.parent.resolve()
        if real_folder != path.parent:
            _follow(real_folder / path.name, found, seen)
        if not path.is_symlink():
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
    for interpreter in _interpreter(path):
        _follow(interpreter, found, seen)


def _mount(path: Path, found: dict[Path, Mount], seen: set[Path]) -> None:
    folder = path.parent.parent
    if path.parent.name in ("bin", "sbin", "Scripts") and (folder / "pyvenv.cfg").is_file() and not _holds_home(folder):
        _add(folder, found)
        for base in _bases(folder):
            _follow(base, found, seen)
    elif path.parent.name in ("bin", "sbin") and _is_prefix(folder) and not _holds_home(folder):
        _add(folder, found)
    else:
        _add(path, found)


def _add(target: Path, found: dict[Path, Mount]) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        if not is_system(target):
            found.setdefault(target, Mount(target.resolve(strict=True), target))


def _bases(environment: Path) -> Iterator[Path]:
    """The interpreters that a virtual environment stands on."""
    with contextlib.suppress(OSError, ValueError):
        for line in (environment / "pyvenv.cfg").read_text("utf-8", "replace").splitlines():
            name, _, value = (part.strip() for part in line.partition("="))
            if name == "home" and Path(value).is_absolute():
                yield from (path for path in sorted(Path(value).glob("python*")) if _is_interpreter_of_prefix(path))
            elif name == "base-executable" and Path(value).is_absolute() and _is_interpreter_of_prefix(Path(value)):
                yield Path(value)


_PYTHON = re.compile(r"python(3(\.\d+)?)?[a-z]*")


def _is_interpreter_of_prefix(path: Path) -> bool:
    """Whether `path` is called like an interpreter and leads to one: `PREFIX/bin/python3.X`, which can be executed,
    with the standard library in `PREFIX/lib`."""
    with contextlib.suppress(OSError, RuntimeError):
        real = path.resolve(strict=True)
        named = all(_PYTHON.fullmatch(name) for name in (path.name, real.name))
        return named and _is_program(real) and real.parent.name == "bin" and _has_library(real.parent.parent)
    return False


def _is_program(path: Path) -> bool:
    return os.access(path, os.X_OK) and path.is_file()


def _is_prefix(folder: Path) -> bool:
    return _has_library(folder) or (folder / "lib" / "node_modules").is_dir()


def _has_library(prefix: Path) -> bool:
    return any(prefix.glob("lib/python3*/os.py"))


def _holds_home(folder: Path) -> bool:
    """Whether `folder` is or contains the person's home, or is the shared `~/.local`."""
    with contextlib.suppress(RuntimeError):
        home = Path.home()
        return any(place.is_relative_to(folder) for place in (home, home.resolve())) or folder == home / ".local"
    return False


def _interpreter(path: Path) -> Iterator[Path]:
    """What runs a script, by its first line."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        first = stream.readline(512)
        words = first[2:].split() if first.startswith(b"#!") else []
        if words and words[0].startswith(b"/"):
            yield Path(os.fsdecode(words[0]))


def _covers(outer: Mount, inner: Mount) -> bool:
    """Whether `inner` shows nothing that `outer` does not show at the same place."""
    if outer.target == inner.target or not inner.target.is_relative_to(outer.target):
        return False
    return outer.source / inner.target.relative_to(outer.target) == inner.source
