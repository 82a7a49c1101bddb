"""Lists of which only the beginning is told: in the same words wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def more(left: int) -> str:
    """`and 3 more`; "" where nothing was left out."""
    return f"and {left} more" if left > 0 else ""


def some(items: Iterable[T], most: int, told: Callable[[T], str] = str, between: str = ", ") -> str:
    """`a, b and 3 more`, or `a; b; and 3 more`: the first `most` of `items`, each as `told` says it."""
    found = list(items)
    shown = between.join(map(told, found[:most]))
    return f"{shown}{between.strip(', ')} {more(len(found) - most)}" if len(found) > most else shown


def rows(items: Iterable[T], most: int, told: Callable[[T], str] = str) -> list[str]:
    """The same as lines: the first `most` of `items`, and what was left out."""
    found = list(items)
    return [*map(told, found[:most]), *filter(None, [more(len(found) - most)])]
