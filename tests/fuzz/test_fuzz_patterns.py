"""No text makes a regular expression of devloop's take forever."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import time
from pathlib import Path
from typing import Any

import pytest

import devloop
from support.fuzz import examples
from support.pumping import ODD, pumps

SIZE = 1_000
"""Characters, up to which a pattern that goes through the text once takes microseconds, and one that begins anew at
every place of it milliseconds. One that tries every way to cut it would not come back."""
LIMIT_S = 0.05
MOST = examples(3, 60)
"""Repetitions that are tried of one pattern."""
ANYWHERE = ("search", "finditer", "findall", "sub", "subn", "split")
PACKAGES = ("plan", "gates", "redact", "hooks", "agents", "skills", "tools")


@functools.cache
def patterns() -> dict[tuple[Any, int, bool], str]:
    """Every expression that a module of devloop keeps, whether it is looked for anywhere in a text, and its name. One
    that is asked for at one place alone may begin with blanks."""
    found: dict[tuple[Any, int, bool], str] = {}
    source = ""

    def look(name: str, value: object, depth: int = 0) -> None:
        if isinstance(value, re.Pattern):
            own = name.rpartition(".")[2]
            anywhere = depth > 0 or any(f"{own}.{way}(" in source for way in ANYWHERE)
            found.setdefault((value.pattern, value.flags, anywhere), name)
        elif depth < 3 and isinstance(value, (tuple, list, set, frozenset)):
            for each in value:
                look(name, each, depth + 1)
        elif depth < 3 and isinstance(value, dict):
            for each in (*value, *value.values()):
                look(name, each, depth + 1)

    for package in PACKAGES:
        root = importlib.import_module(f"devloop.{package}")
        for info in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if not info.name.startswith("devloop.gates.plugin"):  # it belongs into another process
                module = importlib.import_module(info.name)
                source = Path(str(module.__file__)).read_text()
                for name, value in list(vars(module).items()):
                    look(f"{info.name}.{name}", value)
    assert devloop.__version__
    return found


def slowest(pattern: re.Pattern[Any], anywhere: bool) -> tuple[float, str]:
    """Seconds of the text that costs most, and how it is made."""
    worst = (0.0, "")
    for before, again in pumps(pattern, MOST):
        text: Any = before + again * (SIZE // len(again))
        for tried in (text + ODD, text):
            subject = tried.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else tried
            for way in (pattern.search,) if anywhere else (pattern.match, pattern.fullmatch):
                begin = time.process_time()
                way(subject)
                worst = max(worst, (time.process_time() - begin, f"{before!r} and {again!r}, again and again"))
    return worst


@pytest.mark.slow
def test_no_text_makes_a_pattern_take_forever() -> None:
    assert len(patterns()) > 200
    slow = {}
    for (source, flags, anywhere), name in patterns().items():
        pattern = re.compile(source, flags)
        first, how = slowest(pattern, anywhere)
        if first > LIMIT_S and slowest(pattern, anywhere)[0] > LIMIT_S:  # measured twice: others run too
            slow[name] = how
    assert not slow


@pytest.mark.parametrize("bad", [r"(a+)+$", r"(a|a)*b", r"^(\w+\s?)*$", r"(.*)*x"])
def test_one_that_would_is_found(bad: str) -> None:
    """The same way of looking, with a shorter text: these double with every character."""
    pattern = re.compile(bad)
    costs = []
    for size in (16, 22):
        worst = 0.0
        for before, again in pumps(pattern):
            begin = time.process_time()
            pattern.search(before + again * (size // len(again)) + ODD)
            worst = max(worst, time.process_time() - begin)
        costs.append(worst)
    assert costs[1] > 10 * costs[0]
