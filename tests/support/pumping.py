"""Texts that make a regular expression try again and again, made from the expression itself: up to each repetition the
shortest text that gets there, then what the repetition takes, very often, then something that nothing takes."""

from __future__ import annotations

import re
import re._constants as c
import re._parser as sre
from collections.abc import Iterator
from typing import Any

ODD = "\x00"


def pumps(pattern: re.Pattern[Any], most: int = 60) -> Iterator[tuple[str, str]]:
    """(what leads to a repetition, what it repeats), without an end."""
    tree = sre.parse(
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1"),
        pattern.flags & ~re.DEBUG,
    )
    seen = set()
    for found in _repeated(tree, ""):
        if found not in seen and found[1]:
            seen.add(found)
            yield found
        if len(seen) >= most:
            return


def _repeated(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    for operation, argument in tree:
        if operation in (c.MAX_REPEAT, c.MIN_REPEAT) or operation is getattr(c, "POSSESSIVE_REPEAT", None):
            _, high, body = argument
            if high > 20:
                for each in _samples(body):
                    yield before, each
            yield from _repeated(body, before)
        for part in _parts(operation, argument):
            yield from _repeated(part, before)
        before += _one(operation, argument)


def _parts(operation: Any, argument: Any) -> list[Any]:
    if operation is c.SUBPATTERN:
        return [argument[3]]
    if operation is c.BRANCH:
        return list(argument[1])
    if operation in (c.ASSERT, c.ASSERT_NOT):
        return [argument[1]]
    if operation is getattr(c, "ATOMIC_GROUP", None):
        return [argument]
    return []


def _samples(body: Any) -> list[str]:
    """Different texts that a repeated part takes: several of its alternatives, alone and one after the other."""
    texts = [_text(body)]
    for operation, argument in body:
        if operation is c.IN:
            texts += [char for char in " \t-a1\"'`*.[](:/\\|," if _takes(argument, char)][:5]
        for part in _parts(operation, argument):
            texts += _samples(part)
    return list(dict.fromkeys(text for text in texts if text))[:8]


def _text(tree: Any) -> str:
    return "".join(_one(operation, argument) for operation, argument in tree)


def _one(operation: Any, argument: Any) -> str:
    """The shortest text, or nearly, that this takes."""
    if operation is c.LITERAL:
        return chr(argument)
    if operation is c.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if operation is c.ANY:
        return "a"
    if operation is c.IN:
        return next(
            (char for char in "a1 -:.\t[`x_\n" + "".join(map(chr, range(33, 127))) if _takes(argument, char)), "é"
        )
    if operation is c.BRANCH:
        return min((_text(part) for part in argument[1]), key=len)
    if operation is c.SUBPATTERN:
        return _text(argument[3])
    if operation in (c.MAX_REPEAT, c.MIN_REPEAT) or operation is getattr(c, "POSSESSIVE_REPEAT", None):
        return _text(argument[2]) * argument[0]
    if operation is getattr(c, "ATOMIC_GROUP", None):
        return _text(argument)
    return ""


def _takes(items: Any, char: str) -> bool:
    classes = {c.CATEGORY_DIGIT: r"\d", c.CATEGORY_SPACE: r"\s", c.CATEGORY_WORD: r"\w"}
    classes |= {c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_NOT_SPACE: r"\S", c.CATEGORY_NOT_WORD: r"\W"}
    negated, hit = False, False
    for operation, argument in items:
        if operation is c.NEGATE:
            negated = True
        elif operation is c.LITERAL:
            hit = hit or argument == ord(char)
        elif operation is c.RANGE:
            hit = hit or argument[0] <= ord(char) <= argument[1]
        elif operation is c.CATEGORY:
            hit = hit or re.match(classes[argument], char) is not None
    return hit != negated
