"""How much of a sweep one run of the suite does. With `--long` all of it; else a part, and further runs the rest.

    @settings(max_examples=often(300))       Hypothesis: a third, and new ones in every run
    for place in some(places, 2):            two of them; which two follows from the turn

The turn is a number that is another one every day. It is printed at the end of a run; `DEVLOOP_TEST_TURN=…` has the
same ones done again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TypeVar

VARIABLE = "DEVLOOP_TEST_TURN"

_long = False
_turn = 0
T = TypeVar("T")


def configure(long: bool) -> None:
    """Called before any test module is imported, in each worker too; workers are given the number by the first."""
    global _long, _turn
    _long = long
    _turn = int(os.environ.setdefault(VARIABLE, str(int(time.time() // 86_400))))


def often(examples: int) -> int:
    """So many inputs with `--long`, a third of them without."""
    return examples if _long else max(examples // 3, min(examples, 50))


def some(places: Sequence[T], count: int) -> list[T]:
    """`count` of the places, in their order: with every turn the next ones, so that all are seen after a few."""
    if _long or count >= len(places):
        return list(places)
    begin = _turn * count
    chosen = {(begin + at) % len(places) for at in range(count)}
    return [place for at, place in enumerate(places) if at in chosen]


def number() -> int:
    """The turn's number, to draw from: the same inputs again and again on one day, others on the next."""
    return _turn


def figure() -> str:
    """What to say at the end of a run."""
    return "" if _long else f"places that are tried in turns: this was {VARIABLE}={_turn}"
