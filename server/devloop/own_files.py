"""Files of a project that devloop reads: reading them inside of the repository only, and what is wrong in one.

A `Fault` is what the terminal, `doctor` and an editor say of a file, wherever the file belongs to.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from devloop import beneath
from devloop.errors import Refused, StorageError
from devloop.files import storage_error

MAX_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class LineEdit:
    """A change within one line (from 1): the columns `start` to `end`, in characters from 0, become `text`. Without
    `end` up to the end of the line; `text` may hold line ends."""

    line: int
    start: int
    end: int | None
    text: str


@dataclass(frozen=True)
class Fix:
    """A way out of a fault. `certain`: nobody has to choose."""

    title: str
    edits: tuple[LineEdit, ...]
    certain: bool = True


@dataclass(frozen=True)
class Fault:
    """Something wrong in a file. `path` is relative to the root, `line` 1-based. `code` names its kind."""

    path: str
    line: int
    message: str
    severity: Literal["error", "warning"] = "error"
    code: str = "state-file"
    fixes: tuple[Fix, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant, by its letters; None when none is near."""
    import difflib  # here: whoever has nothing to report does not pay for it

    by_form = {each.replace("-", "_").lower(): each for each in known}
    found = difflib.get_close_matches(name.replace("-", "_").lower(), list(by_form), n=1, cutoff=0.7)
    return by_form[found[0]] if found else None


def renamed(text: str, line: int, old: str, new: str, *, within: int = 0) -> tuple[Fix, ...]:
    """The fix that writes `new` for the word `old` in a line of `text`, or in the first of the `within` lines after it
    that has the word; nothing when none has."""
    word = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")
    for at, each in enumerate(text.split("\n")[line - 1 : line + within], line):
        found = word.search(each)
        if found is not None:
            return (Fix(f"Write “{new}” for “{old}”", (LineEdit(at, found.start(), found.end(), new),)),)
    return ()


def own_file(root: Path, relative: str) -> Path:
    """The path of a file, for showing and for asking about it. Raises `Refused` where a link leads out of the
    repository, `StorageError` for one that leads to itself. What is read or written goes by `read_text` and `write`."""
    path = root / relative
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (RuntimeError, OSError):  # which of them depends on Python's version
        raise _loop(relative) from None
    if not inside:
        raise _outside(relative)
    return path


def read_text(root: Path, relative: str) -> str | None:
    """The file's text (bytes that are no UTF-8 as surrogates); None when there is none. Raises `StorageError`, and
    `Refused` for what is no file, too large or outside."""
    data = read_bytes(root, relative)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def read_bytes(root: Path, relative: str) -> bytes | None:
    """The file's bytes; otherwise as `read_text`. It is opened once, and never outside of the repository."""
    try:
        return beneath.read(root, relative, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except beneath.TooLarge:
        raise Refused(f"{relative} is larger than {MAX_BYTES // 1024**2} MiB.") from None
    except OSError as problem:
        raise _told(problem, relative, "read") from problem


def write(root: Path, relative: str, data: bytes, *, mode: int | None = None, new: bool = False) -> None:
    """Write all of the file or nothing, and never outside of the repository; missing folders are made.

    The mode of a file that is there stays. `new`: raises `FileExistsError` where there is anything by that name.
    Raises `StorageError`, and `Refused` for what is no file or outside.
    """
    try:
        beneath.write(root, relative, data, mode=mode, new=new)
    except FileExistsError:
        if new:
            raise
        raise StorageError(f"A part of {relative} is no directory.", hint="Move that file away first.") from None
    except OSError as problem:
        raise _told(problem, relative, "written") from problem


def _told(problem: OSError, relative: str, done: str) -> Refused | StorageError:
    if isinstance(problem, beneath.Outside):
        return _outside(relative)
    if isinstance(problem, beneath.NoFile):  # a pipe would be waited for, without an end
        return Refused(f"{relative} is no file.", hint="Move it away first.")
    if problem.errno == errno.ELOOP:
        return _loop(relative)
    return storage_error(problem, f"{relative} could not be {done}")


def _outside(relative: str) -> Refused:
    return Refused(f"{relative} leads outside the repository; devloop neither reads nor writes there.")


def _loop(relative: str) -> StorageError:
    return StorageError(f"{relative} is a link that leads to itself.", hint="Move it away first.")
