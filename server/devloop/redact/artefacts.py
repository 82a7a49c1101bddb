"""What must not be committed or sent: secrets in lines that are new (layer 3; security §9.3). Pure.

Found by known value, by shape, and by what another scanner said of the same lines. A finding names file, line and rule,
never the value; its id is a keyed hash of path and value, so that a person can accept exactly this one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from devloop.redact import patterns
from devloop.redact.characters import printable
from devloop.redact.pem import Pem
from devloop.redact.redactor import PLACEHOLDER, Redactor

PLACEHOLDER_RULE: Final = "redacted-placeholder"
ITS_NAME: Final = "its name"
MAX_FOUND: Final = 200

_WORDS: Final = re.compile(rb"[ -~]{12,}|(?:[ -~]\0){12,}|(?:\0[ -~]){12,}")

Lines = Sequence[tuple[str, int, str]]
"""New lines: path, number from 1, text without its end. Those of a file stand together, in order."""


@dataclass(frozen=True)
class Leak:
    """`line` from 1; 0 for the path itself. `id`: twelve hex digits."""

    path: str
    line: int
    rule: str
    id: str

    @property
    def said(self) -> str:
        if self.rule == PLACEHOLDER_RULE:
            return "a placeholder of devloop's stands where a secret was"
        return f"{'this' if self.line else ITS_NAME} looks like a secret ({self.rule})"


@dataclass(frozen=True)
class Hit:
    """`value` is the secret: it goes into an id and nowhere else."""

    path: str
    line: int
    rule: str
    value: str

    def __repr__(self) -> str:
        return f"Hit({self.path!r}, {self.line}, {self.rule!r})"


def words(path: str, data: bytes) -> Iterator[tuple[str, int, str]]:
    """What can be read in a file that git takes for binary: runs of ASCII, in UTF-16 as well. By lines all the same."""
    number, counted = 1, 0
    for found in _WORDS.finditer(data):
        number += data.count(b"\n", counted, found.start())
        counted = found.start()
        yield path, number, found[0].replace(b"\0", b"").decode("ascii")


def files(lines: Lines) -> Iterator[tuple[str, list[int], str]]:
    """By file: its path, the numbers of its new lines, and these as one text."""
    found: dict[str, list[tuple[int, str]]] = {}
    for path, number, text in lines:
        found.setdefault(path, []).append((number, text))
    for path, each in found.items():
        yield path, [number for number, _ in each], "\n".join(text for _, text in each)


def hits(lines: Lines, redactor: Redactor) -> Iterator[Hit]:
    """By known value and by shape."""
    for path, numbers, text in files(lines):
        among = patterns.possible(printable(text))
        for number, line in zip(numbers, text.split("\n"), strict=True):
            bare = printable(line)
            if redactor.values(bare) != bare:
                yield Hit(path, number, "known-value", bare)
            for pattern, begin, end in patterns.matches(bare, among):
                yield Hit(path, number, pattern.name, bare[begin:end])
            for found in PLACEHOLDER.finditer(line):
                yield Hit(path, number, PLACEHOLDER_RULE, found[0])
        yield from _keys(path, numbers, text)


def seams(lines: Lines, redactor: Redactor) -> Iterator[Hit]:
    """In words: what shows where one line goes on in the next, as where somebody's mail or editor broke it."""
    for path, numbers, text in files(lines):
        each = [printable(line).strip() for line in text.split("\n")]
        for number, first, second in zip(numbers, each, each[1:], strict=False):
            joined = first + second
            if redactor.values(joined) != joined and redactor.values(first) + redactor.values(second) == joined:
                yield Hit(path, number, "known-value", joined)
            for pattern, begin, end in patterns.matches(joined, patterns.IN_RUNS):
                alone = (at for _, at, _ in patterns.matches(first, (pattern,)))
                if begin < len(first) < end and begin not in alone:
                    yield Hit(path, number, pattern.name, joined[begin:end])


def names(paths: Iterable[str]) -> list[tuple[str, str]]:
    """What can be read in names, as `(path, text)`: each folder's and file's on these paths, once, and each path as a
    whole. A name with a line's end in it is read with and without that."""
    found: dict[tuple[str, str], None] = {}
    for path in paths:
        parts = path.split("/")
        for at, part in enumerate(parts):
            found |= dict.fromkeys(("/".join(parts[: at + 1]), text) for text in (*part.split("\n"), _joined(part)))
        found[path, _joined(path)] = None
    return [each for each in found if each[1]]


def _joined(name: str) -> str:
    return name.replace("\n", "").replace("\r", "")


def name_without(redactor: Redactor, path: str, values: Iterable[str] = ()) -> str:
    """A path as it is told: without secrets, and without these values."""
    joined = _joined(path)
    clean = redactor.text(path)
    if joined != path and (whole := redactor.text(joined)) != joined:
        clean = whole
    for value in values:
        if value in joined and value not in clean and _joined(clean) != clean:
            clean = redactor.text(joined)
        clean = clean.replace(value, redactor.told("secret", value))
    return clean


def in_names(found: Iterable[Hit], looked: Sequence[tuple[str, str]]) -> tuple[Hit, ...]:
    """What was found in `names`, looked at as the lines of one text, by path: of what lies below a folder with a secret
    in its name the folder alone."""
    own, whole = set[Hit](), set[Hit]()
    for hit in found:
        path, text = looked[hit.line - 1]
        (whole if "/" in path and text == _joined(path) else own).add(Hit(path, 0, hit.rule, hit.value))
    named = {hit.path for hit in own}
    more = {hit for hit in whole if hit.path not in named}  # where no part of it tells one: it goes over a slash
    shapes = {hit.path for hit in own | more if hit.rule != "known-value"}  # what a shape says of it is said once
    once = [hit for hit in own | more if hit.rule != "known-value" or hit.path not in shapes]
    return tuple(hit for hit in once if not any(parent in named for parent in _above(hit.path)))


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _keys(path: str, numbers: Sequence[int], text: str) -> Iterator[Hit]:
    found: list[str] = []
    begun = 0

    def told(block: str) -> str:
        found.append(block)
        return ""

    pem = Pem(told)
    for number, line in zip(numbers, text.split("\n"), strict=True):
        was_open = pem.open
        pem.lines(f"{line}\n")
        for block in found:
            yield Hit(path, begun if was_open else number, "private-key", "".join(block.split()))
        found.clear()
        begun = number if pem.open and not was_open else begun
    pem.end()
    for block in found:
        yield Hit(path, begun, "private-key", "".join(block.split()))


def leaks(found: Iterable[Hit], key: bytes, accepted: Mapping[str, object] | Iterable[str] = ()) -> tuple[Leak, ...]:
    """What nobody accepted, each value of a line once, at most `MAX_FOUND`."""
    known, seen = frozenset(accepted), set[tuple[str, int, str]]()
    answer: list[Leak] = []
    for hit in sorted(found, key=lambda each: (each.path, each.line)):
        digest = hmac.new(key, f"{hit.path}\0{hit.value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        leak = Leak(hit.path, hit.line, hit.rule, digest.hexdigest()[:12])
        if leak.id not in known and (leak.path, leak.line, leak.id) not in seen and len(answer) < MAX_FOUND:
            seen.add((leak.path, leak.line, leak.id))
            answer.append(leak)
    return tuple(answer)
