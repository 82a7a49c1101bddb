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
    """Row by row: which prefixes of `parts` do the segments so far match."""
    reach = [True] + [False] * len(parts)
    for segment in segments:
        if segment == "**":
            first = reach.index(True) if True in reach else len(reach)
            reach = [position >= first for position in range(len(reach))]
        else:
            fits = _segment(segment)
            reach = [False] + [reach[i] and fits(part) is not None for i, part in enumerate(parts)]
    return reach[-1]


@functools.lru_cache(maxsize=1024)
def _segment(segment: str):  # type: ignore[no-untyped-def]
    return re.compile(translate(segment)).match
