"""How many inputs a fuzz test reads: few in the suite, very many with `pytest --fuzz-long`.

    @settings(max_examples=examples(200, 100_000))          a Hypothesis test

    @pytest.mark.parametrize("part", parts(8))              inputs made from numbers, where Hypothesis is too slow
    def test_…(part: Part, record_property) -> None:
        part.inputs("plan inputs", 300, 1_000_000, record_property, check)      # calls check(random) for each

`--fuzz-long` runs the tests of those files alone that call one of the two, each test on whichever worker is free. What
ran is printed at the end. An input of a `Part` is named by its number, which a failure shows: `Part.only(number)`
makes it again. `DEVLOOP_FUZZ_FIRST` is the number to begin with, so another night sees other inputs.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import settings

VARIABLE = "DEVLOOP_FUZZ_LONG"
PROPERTY = "fuzz"

_long = os.environ.get(VARIABLE) == "1"
_first = int(os.environ.get("DEVLOOP_FUZZ_FIRST", "0"))
_files: set[str] = set()


def configure(long: bool) -> None:
    """Called before any test module is imported, in each worker too."""
    global _long
    _long = _long or long
    settings.register_profile("devloop", deadline=None)  # a loaded machine is no failure
    settings.load_profile("devloop")


def is_long() -> bool:
    return _long


def examples(short: int, long: int) -> int:
    """The number of inputs: `short` in the suite, `long` with `--fuzz-long`."""
    _files.add(sys._getframe(1).f_code.co_filename)
    return long if _long else short


@dataclass(frozen=True)
class Part:
    """One of `of` shares of the inputs."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number + 1}-of-{self.of}"

    def inputs(
        self, label: str, short: int, long: int, record: Callable[[str, object], None], check: Callable[[Random], None]
    ) -> None:
        """Call `check` with a source of randomness for each input of this share. Whatever is made of it follows from
        the input's number alone, which a failure names."""
        begin, count, total = time.monotonic(), 0, long if _long else short
        try:
            for number in range(_first + self.number, _first + total, self.of):
                count += 1
                try:
                    check(self.only(number))
                except BaseException as problem:
                    problem.add_note(f"{label}: this was input {number}, Part.only({number}) makes it again")
                    raise
        finally:
            record(PROPERTY, [label, count, time.monotonic() - begin])

    @staticmethod
    def only(number: int) -> Random:
        return Random(number * 0x9E3779B97F4A7C15 + 1)


def parts(of: int) -> list[Any]:
    """Shares for `parametrize`: one in the suite, `of` with `--fuzz-long`."""
    _files.add(sys._getframe(1).f_code.co_filename)
    count = of if _long else 1
    return [pytest.param(Part(number, count), id=str(Part(number, count))) for number in range(count)]


def chosen(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests of a long run and those that are left out of it. None is cut off by the clock."""
    kept = [item for item in items if str(item.path) in _files]
    for item in kept:
        item.add_marker(pytest.mark.timeout(0))
    return kept, [item for item in items if str(item.path) not in _files]


def counted(item: pytest.Item) -> None:
    """In a long run, count the inputs that Hypothesis gives to this test, for the figures at the end."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is None:
        return
    begin = time.monotonic()
    inner = getattr(handle.inner_test, "counted", handle.inner_test)  # another parameter's test is this one, too
    said: list[Any] = [item.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " "), 0, 0.0]
    item.user_properties.append((PROPERTY, said))

    @functools.wraps(inner)
    def count(*args: Any, **named: Any) -> Any:
        said[1] += 1
        said[2] = time.monotonic() - begin
        return inner(*args, **named)

    count.counted = inner  # type: ignore[attr-defined]
    handle.inner_test = count


def figures(measured: Iterable[tuple[str, Any]]) -> list[str]:
    """Lines for people: `plan inputs: 1,000,000 in 912 s` (seconds of all shares together)."""
    found: dict[str, list[float]] = {}
    for name, value in measured:
        if name == PROPERTY and _long:
            sums = found.setdefault(value[0], [0, 0.0])
            sums[0] += value[1]
            sums[1] += value[2]
    return [f"{label}: {int(count):,} in {seconds:,.0f} s" for label, (count, seconds) in found.items()]
