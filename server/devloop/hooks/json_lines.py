"""JSON whose values know their lines: the standard library's reader tells a line only when it fails."""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

MAX_DEPTH: Final = 40
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}


class Broken(Exception):
    """Why a text is no JSON; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class Node:
    """`value`: a scalar, a list of nodes or a dictionary of nodes. `keys`: the lines of an object's keys."""

    value: Any
    line: int
    keys: dict[str, int] = field(default_factory=dict)

    @property
    def plain(self) -> Any:
        """The value as `json.loads` gives it."""
        if isinstance(self.value, dict):
            return {key: each.plain for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain for each in self.value]
        return self.value

    def get(self, *names: str) -> Node | None:
        """The first of these keys that an object has with a value that is not null."""
        if isinstance(self.value, dict):
            for name in names:
                found = self.value.get(name)
                if isinstance(found, Node) and found.value is not None:
                    return found
        return None


def read(text: str) -> tuple[Node, list[tuple[str, int]]]:
    """The value, and the keys that stand more than once in an object (the last one counts). Raises `Broken`."""
    reader = _Reader(text)
    node, end = reader.value(reader.skip(0), 0)
    end = reader.skip(end)
    if end != len(text):
        raise Broken("there is more behind its end", reader.line(end))
    return node, reader.repeated


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.repeated: list[tuple[str, int]] = []
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def line(self, at: int) -> int:
        return bisect.bisect_left(self._ends, at) + 1

    def skip(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        assert found is not None
        return found.end()

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        if depth > MAX_DEPTH:
            raise Broken("it is nested too deeply", self.line(at))
        match self.text[at : at + 1]:
            case "{":
                return self._object(at, depth)
            case "[":
                return self._list(at, depth)
            case '"':
                text, end = self._string(at)
                return Node(text, self.line(at)), end
            case _:
                return self._scalar(at)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self.text, at + 1, True)
        except json.JSONDecodeError as problem:
            raise Broken(f"a text is broken: {problem.msg}", self.line(problem.pos)) from None
        return str(text), int(end)

    def _scalar(self, at: int) -> tuple[Node, int]:
        for word, value in _WORDS.items():
            if self.text.startswith(word, at):
                return Node(value, self.line(at)), at + len(word)
        found = _NUMBER.match(self.text, at)
        if found is None:
            what = "it ends too early" if at >= len(self.text) else f"a value should stand at {self.text[at]!r}"
            raise Broken(what, self.line(at))
        try:
            return Node(json.loads(found[0]), self.line(at)), found.end()
        except ValueError:  # more digits than Python converts
            raise Broken("a number is too long", self.line(at)) from None

    def _list(self, at: int, depth: int) -> tuple[Node, int]:
        line, found = self.line(at), []
        at = self.skip(at + 1)
        if self.text[at : at + 1] == "]":
            return Node([], line), at + 1
        while True:
            node, at = self.value(at, depth + 1)
            found.append(node)
            at, over = self._next(at, "]")
            if over:
                return Node(found, line), at

    def _object(self, at: int, depth: int) -> tuple[Node, int]:
        line = self.line(at)
        found: dict[str, Node] = {}
        keys: dict[str, int] = {}
        at = self.skip(at + 1)
        if self.text[at : at + 1] == "}":
            return Node({}, line), at + 1
        while True:
            if self.text[at : at + 1] != '"':
                raise Broken('a key in quotes, or "}", should stand here', self.line(at))
            key_line = self.line(at)
            key, at = self._string(at)
            at = self.skip(at)
            if self.text[at : at + 1] != ":":
                raise Broken('":" should stand here', self.line(at))
            node, at = self.value(self.skip(at + 1), depth + 1)
            if key in found:
                self.repeated.append((key, key_line))
            found[key], keys[key] = node, key_line
            at, over = self._next(at, "}")
            if over:
                return Node(found, line, keys), at

    def _next(self, at: int, end: str) -> tuple[int, bool]:
        """The place behind a comma, or behind the end."""
        at = self.skip(at)
        found = self.text[at : at + 1]
        if found == end:
            return at + 1, True
        if found != ",":
            raise Broken(f'"," or "{end}" should stand here', self.line(at))
        return self.skip(at + 1), False
