"""A part of a text that may hold secrets: half a secret would not be known for one, so none is cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

_BETWEEN: Final = re.compile(r"[\s,;\"'(){}<>&|]")
_TRIES: Final = 40


def part(text: str, start: int, end: int, redact: Callable[[str], str]) -> str:
    """`text[start:end]` without secrets. Where one stands on an end, the part ends before it or begins behind it."""
    whole, end = redact(text), min(end, len(text))
    if whole == text:
        return text[start:end]

    def divides(at: int) -> bool:
        return redact(text[:at]) + redact(text[at:]) == whole

    begin = next((at for at in _places(text, start, end) if divides(at)), end)
    finish = next((at for at in reversed([*_places(text, begin, end)]) if divides(at)), begin)
    return redact(text[begin:finish])


def _places(text: str, start: int, end: int) -> Iterable[int]:
    """Where `text` may be divided, from `start` to `end`: there, and between words."""
    between = [match.end() for match in _BETWEEN.finditer(text, start, end)]
    few = between if len(between) <= 2 * _TRIES else [*between[:_TRIES], *between[-_TRIES:]]
    return [start, *few, end]
