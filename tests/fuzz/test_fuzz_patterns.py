"""No text makes a regular expression of devloop's take forever."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import devloop
from devloop.plan import items
from devloop.plan.header import nearly_field
from support.fuzz import examples
from support.pumping import ODD, pumps

SIZE = 8_000
"""Characters, up to which a pattern that goes through the text once takes a millisecond or less. One that begins anew
at every place of it takes a hundred of them, and one that tries every way to cut it would not come back."""
LIMIT_S = 0.05
MOST_S = 1.0
"""Of the processor, after which one is slow for sure."""
MOST = examples(3, 60)
"""Repetitions that are tried of one pattern."""
ANYWHERE = ("search", "finditer", "findall", "sub", "subn", "split")
AT_A_PLACE = ("match", "fullmatch")
ELSEWHERE = re.compile(r"devloop\.gates\.plugin\b|.*\b__main__$|devloop\.store\.migrations\b")
"""Modules that belong into another process."""


@functools.cache
def patterns() -> dict[tuple[Any, int, bool], str]:
    """Every expression that a module of devloop keeps or uses as it stands, whether it is looked for anywhere in a
    text, and its name. One that is asked for at one place alone may begin with blanks."""
    found: dict[tuple[Any, int, bool], str] = {}
    for info in pkgutil.walk_packages(devloop.__path__, "devloop.", onerror=lambda _: None):
        if not ELSEWHERE.match(info.name):
            module = importlib.import_module(info.name)
            source = Path(str(module.__file__)).read_text("utf-8")
            for name, value in [*vars(module).items()]:
                for pattern, inside in held(value):
                    anywhere = inside or any(f"{name}.{way}(" in source for way in ANYWHERE)
                    found.setdefault((pattern.pattern, pattern.flags, anywhere), f"{info.name}.{name}")
            for pattern, anywhere, line in used(source):
                found.setdefault((pattern.pattern, pattern.flags, anywhere), f"{info.name}:{line}")
    return found


def held(value: object, depth: int = 0) -> Iterator[tuple[re.Pattern[Any], bool]]:
    """The patterns that a value is or holds, and whether it holds them."""
    if isinstance(value, re.Pattern):
        yield value, depth > 0
    elif depth < 3 and isinstance(value, (tuple, list, set, frozenset)):
        for each in value:
            yield from held(each, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from held(each, depth + 1)


def used(source: str) -> Iterator[tuple[re.Pattern[Any], bool, int]]:
    """What is written where it is used, `re.sub("…", …)`: the pattern, whether anywhere in a text, the line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=way), args=[ast.Constant(value=text), *_]):
                if way in (*ANYWHERE, *AT_A_PLACE):
                    said = " ".join(map(ast.unparse, (*node.args, *node.keywords)))
                    flags = sum(flag for flag in re.RegexFlag if flag and f"re.{flag.name}" in said)
                    yield re.compile(text, flags & ~re.DEBUG), way in ANYWHERE, node.lineno


def slowest(pattern: re.Pattern[Any], anywhere: bool) -> tuple[float, str]:
    """Seconds of the text that costs most, and how it is made. Nothing is tried after one that costs too much."""
    worst = (0.0, "")
    for before, again in pumps(pattern, MOST):
        text: Any = before + again * (SIZE // len(again))
        for tried in (text + ODD, text):
            subject = tried.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else tried
            for way in (pattern.search,) if anywhere else (pattern.match, pattern.fullmatch):
                worst = max(worst, (seconds(way, subject), f"{before!r} and {again!r}, again and again"))
                if worst[0] > MOST_S:
                    return worst
    return worst


def seconds(way: Callable[[Any], object], subject: Any) -> float:
    """Of the processor. One that would not come back is stopped, where the system can do that."""
    begin = time.process_time()
    if not hasattr(signal, "setitimer"):
        way(subject)
        return time.process_time() - begin
    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 2 * MOST_S)
        way(subject)
    except TimeoutError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.process_time() - begin


def stop(*_: object) -> None:
    raise TimeoutError


@pytest.mark.slow
def test_no_text_makes_a_pattern_take_forever() -> None:
    assert len(patterns()) > 500
    slow = {}
    for (source, flags, anywhere), name in patterns().items():
        pattern = re.compile(source, flags)
        first, how = slowest(pattern, anywhere)
        if first > MOST_S or (first > LIMIT_S and slowest(pattern, anywhere)[0] > LIMIT_S):  # twice: others run too
            slow[name] = how
    assert not slow, "\n".join(f"{name}: {how}" for name, how in slow.items())


def test_one_that_would_not_come_back_is_stopped_and_named() -> None:
    cost, how = slowest(re.compile(r"(?:b|(?:[a.]+(?:(?:\.\.)?[a.]+)*)) c"), anywhere=False)
    assert cost > MOST_S and "'a'" in how


@pytest.mark.parametrize("again", ["a..", ".", "and", "a and Task and and ", "a..a and ", "a, "])
def test_no_line_of_the_history_is_cut_into_names_in_every_way(again: str) -> None:
    for end in ("", " x", " is blocked!"):
        for head in ("Task ", "Completed Tasks "):
            assert seconds(items.log, f"{head}a{again * 3_000}a{end}") < MOST_S


def test_what_a_line_of_the_history_names_is_found() -> None:
    for text, tasks in (
        ("Task 1.1 and Task 1.2, 1.3..1.5 are done", ("1.1", "1.2", "1.3..1.5")),
        ("Tasks 1.1,1.2 & 2.1 completed", ("1.1", "1.2", "2.1")),
        ("Completed Task command", ("command",)),
        ("Started Tasks a.b/c-d and and", ("a.b/c-d",)),
    ):
        assert items.log(text).tasks == tasks


def test_no_blanks_of_a_line_that_is_nearly_a_field_are_shared_out_in_every_way() -> None:
    for mark in ("", ":", "**", "**:", ":**", " **: **"):
        assert seconds(nearly_field, "Status" + mark.join(" " * 140 for _ in range(2))) < LIMIT_S
    assert nearly_field("- **Status**" + " " * 90 + ":" + " " * 90 + "Done") == ("Status", "Done")


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
