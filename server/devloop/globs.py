"""Path patterns: `*`, `?`, `[…]`, `**` for any number of folders, `{a,b}`. Linear in the path, whatever the pattern."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from fnmatch import translate

MAX_ALTERNATIVES = 64

Segments = tuple[str, ...]


def matches(pattern: str, parts: Sequence[str]) -> bool:
    """Whether the whole relative path `parts` matches `pattern`."""
    return any(_match(segments, tuple(parts)) for segments in expanded(pattern))


def covers(pattern: str, parts: Sequence[str]) -> bool:
    """Whether `pattern`, read as a line of .gitignore, names this path or a folder above it. Case does not count."""
    anchored = "/" in pattern.strip("/") or pattern.startswith("/")
    rule = pattern.strip("/").lower()
    if not rule:
        return False
    lowered = [part.lower() for part in parts]
    rule = rule if anchored else f"**/{rule}"
    return any(matches(rule, lowered[:depth]) for depth in range(1, len(lowered) + 1))


@functools.lru_cache(maxsize=256)
def expanded(pattern: str) -> tuple[Segments, ...]:
    """The alternatives of `{a,b}` as segments; `.` and empty segments are dropped."""
    waiting = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) <= MAX_ALTERNATIVES:
        text = waiting.pop()
        found = re.search(r"\{([^{}]*,[^{}]*)\}", text)
        if found is None:
            done.append(text)
        else:
            waiting += [text[: found.start()] + word + text[found.end() :] for word in found[1].split(",")]
    return tuple(tuple(part for part in text.split("/") if part not in ("", ".")) for text in done + waiting)


def _match(segments: Segments, parts: tuple[str, ...]) -> bool:
    """Part by part: how many of the segments are used up then. It ends with the first part that none of them fits."""
    reached = _passing(segments, {0})
    for part in parts:
        here = reached - {len(segments)}
        after = {at if segments[at] == "**" else at + 1 for at in here if _fits(segments[at], part)}
        if not after:
            return False
        reached = _passing(segments, after)
    return len(segments) in reached


def _fits(segment: str, part: str) -> bool:
    return segment == "**" or _segment(segment)(part) is not None


def _passing(segments: Segments, reached: set[int]) -> set[int]:
    """The same, where `**` stands for no folder at all."""
    found = set(reached)
    for at in reached:
        while at < len(segments) and segments[at] == "**" and at + 1 not in found:
            at += 1
            found.add(at)
    return found


@functools.lru_cache(maxsize=1024)
def _segment(segment: str):  # type: ignore[no-untyped-def]
    return re.compile(translate(segment)).match
