"""Texts that are shown in part. Half a secret would not be known for one, so a text is clean before it is cut: of all
that a redactor of this process knows, and of every shape. Whoever cuts knows neither where the text comes from nor who
may clean it later, so the cutting itself sees to it; text that is short enough stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from devloop.redact.characters import printable, shown_name
from devloop.redact.redactor import Redactor

_BETWEEN: Final = re.compile(r"[\s,;\"'(){}<>&|]")
_TRIES: Final = 40


def clean(text: str) -> str:
    """`text` without what any redactor of this process hides; where there is none, without shapes."""
    for redactor in Redactor.living() or (Redactor(),):
        text = redactor.text(text)
    return text


def cut(text: str, limit: int, ending: str = "…") -> str:
    """The beginning of `text`: at most `limit` characters, `ending` among them where something was left out."""
    return text if len(text) <= limit else _begun(clean(text), limit, ending)


def tail(text: str, limit: int, beginning: str = "…") -> str:
    """The end of `text`: at most `limit` characters, `beginning` among them where something was left out."""
    if len(text) > limit and len(text := clean(text)) > limit:
        text = beginning + text[len(text) - max(limit - len(beginning), 0) :]
    return text


def one_line(text: str, limit: int = 200) -> str:
    """`printable` text on one line, cut to `limit` characters."""
    flat = _flat(text)
    return flat if len(flat) <= limit else _begun(_flat(clean(text)), limit)


def file_name(path: str, limit: int = 200) -> str:
    """A file's name in a list, on one line: what is not drawn is shown as `\\u{…}`, so that no name looks like another.
    For eyes alone: `limit` may cut it."""
    shown = shown_name(path)
    return shown if len(shown) <= limit else _begun(shown_name(clean(path)), limit)


def _begun(text: str, limit: int, ending: str = "…") -> str:
    return text if len(text) <= limit else text[: max(limit - len(ending), 0)] + ending


def _flat(text: str) -> str:
    return " ".join(printable(text).split())


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
