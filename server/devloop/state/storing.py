"""Reading and writing the files of `.devloop/` by one set of rules (state-files §16).

What a file holds is data of others: reading never raises on it, what is wrong becomes a `Fault` with its line.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from devloop import beneath
from devloop.errors import Refused, StaleEdit
from devloop.files import held_lock
from devloop.own_files import Fault, own_file, read_text, write
from devloop.paths import StateDir
from devloop.redact import one_line

TRIES: Final = 3
Model = TypeVar("Model", bound=BaseModel)


# Reading


def parse_json(text: str, path: str) -> tuple[dict[str, Any] | None, tuple[Fault, ...]]:
    """The object that a JSON file holds, or why there is none."""
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as problem:
        return None, (Fault(path, problem.lineno, f"this is no JSON: {problem.msg}"),)
    except (ValueError, RecursionError):
        return None, (Fault(path, 1, "this is no JSON that can be read"),)
    if not isinstance(value, dict):
        return None, (Fault(path, 1, "the file has to hold one JSON object"),)
    return value, ()


def validated(
    model: type[Model], value: dict[str, Any], text: str, path: str
) -> tuple[Model | None, tuple[Fault, ...]]:
    """The value as a model; else a fault for each thing that is wrong, at its line."""
    try:
        return model.model_validate(value), ()
    except ValidationError as problem:
        lines = json_lines(text)
        return None, tuple(fault_of(error, lines, path) for error in problem.errors()[:20])


def fault_of(error: Any, lines: dict[tuple[str | int, ...], int], path: str) -> Fault:
    place = tuple(error["loc"])
    name = ".".join(str(part) for part in place) or "the file"
    while place and place not in lines:
        place = place[:-1]
    return Fault(path, lines.get(place, 1), one_line(f"{name}: {error['msg']}", 300))


_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\s]+")


def json_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line of each value of a valid JSON text, by its path; of an object's member, the line of its key."""
    found: dict[tuple[str | int, ...], int] = {}
    starts = [match.end() for match in re.finditer("\n", text)]

    def line(at: int) -> int:
        import bisect

        return bisect.bisect_right(starts, at) + 1

    def skip(at: int) -> int:
        match = _SPACE.match(text, at)
        return match.end() if match else at

    def string(at: int) -> int:
        match = _STRING.match(text, at)
        if match is None:
            raise ValueError
        return match.end()

    def value(at: int, place: tuple[str | int, ...]) -> int:
        at = skip(at)
        found.setdefault(place, line(at))
        if text[at] == '"':
            return string(at)
        if text[at] not in "{[":
            scalar = _SCALAR.match(text, at)
            return scalar.end() if scalar else at + 1
        close, count = {"{": "}", "[": "]"}[text[at]], 0
        at = skip(at + 1)
        while text[at] != close:
            key: str | int = count
            if close == "}":
                begin = at
                at = string(begin)
                key = str(json.loads(text[begin:at], strict=False))
                found[(*place, key)] = line(begin)
                at = skip(at) + 1
            at = skip(value(at, (*place, key)))
            if text[at] == ",":
                at = skip(at + 1)
            count += 1
        return at + 1

    try:
        value(1 if text.startswith("\ufeff") else 0, ())
    except (IndexError, ValueError, RecursionError):
        found.setdefault((), 1)
    return found


def major(version: object) -> int | None:
    """The first number of a version, `2` of `"2.1.0"`; None for what is none."""
    match = re.match(r"\d{1,6}", str(version))
    return int(match[0]) if match else None


# Writing


def json_text(value: dict[str, Any]) -> str:
    """UTF-8, two spaces, one final newline; what can't be encoded becomes `?`."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode() + "\n"


def stamp(when: datetime) -> str:
    """A time in JSON: UTC with Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_stamp(when: datetime) -> str:
    """A time in Markdown: local, as people read it."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


def update(root: Path, relative: str, edit: Callable[[str | None], str | None]) -> bool:
    """Read, change, write: under a lock and only if the file is still what was read, else again (three times).

    `edit` gets the text (None: no file) and answers the new one (None: leave it); it may be called more than once.
    True when something was written. Raises `StaleEdit`, `StorageError`, `Refused`.
    """
    own_file(root, relative)
    state = StateDir.of(root).make()
    with held_lock(state.path / "state-files.lock", wait=True):
        for _ in range(TRIES):
            before = read_text(root, relative)
            after = edit(before)
            if after is None or after == before:
                return False
            if _digest(before) == _digest(read_text(root, relative)):
                write(root, relative, after.encode("utf-8", "surrogateescape"))
                return True
    raise StaleEdit(f"{relative} is being changed by something else at the same time.", hint="Try again in a moment.")


def write_json(
    root: Path,
    relative: str,
    value: dict[str, Any],
    *,
    version_key: str,
    version: int,
    render: Callable[[dict[str, Any]], str] = json_text,
) -> bool:
    """Write a file that is written whole. Keys of a newer minor version that is there are kept; one of a newer major
    version is not touched (`Refused`)."""

    def edit(before: str | None) -> str:
        old = parse_json(before, relative)[0] if before else None
        kept: dict[str, Any] = {}
        if old is not None and (there := major(old.get(version_key))) is not None:
            if there > version:
                raise Refused(
                    f"{relative} was written by a newer devloop (version {one_line(str(old[version_key]), 20)}); it is "
                    "left as it is.",
                    hint="Update devloop, or move the file away.",
                )
            if there == version:
                kept = {key: each for key, each in old.items() if key not in value}
        return render({**value, **kept})

    return update(root, relative, edit)


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def markdown_files(root: Path, folder: str, limit: int = 2_000) -> Iterator[str]:
    """Names of the Markdown files in a folder of state, sorted, as paths below the root. Links are passed over."""
    own_file(root, folder)
    try:
        names = [name for name, mode in beneath.entries(root, folder) if name.endswith(".md") and stat.S_ISREG(mode)]
    except OSError:
        return
    for name in names[:limit]:
        yield f"{folder}/{name}"


def with_newlines(text: str, like: str) -> str:
    """`text` (with \\n) in the line ends of `like`."""
    return text.replace("\n", "\r\n") if "\r\n" in like else text
