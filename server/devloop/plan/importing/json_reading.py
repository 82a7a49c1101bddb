"""Reading JSON of which nothing is sure: every getter answers with a value of its type and says what was wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from devloop.plan.importing.model import MAX_CHARS, Told
from devloop.plan.lines import clean

MAX_FACTS: Final = 100
MAX_DEPTH: Final = 6


def load(text: str, told: Told) -> Any:
    """The value of a JSON text, None when it is none: too long, too deep, broken."""
    if len(text) > MAX_CHARS:
        told.problem(f"The file has {len(text):,} characters; {MAX_CHARS:,} are read at most")
        return None
    repeated: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(found)
        if len(values) < len(found):
            keys = Counter(key for key, _ in found)
            repeated.extend(key for key, count in keys.items() if count > 1)
        return values

    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=pairs)
    except json.JSONDecodeError as problem:
        told.problem(f"This is no JSON: {problem.msg}", line=problem.lineno)
        return None
    except (RecursionError, ValueError) as problem:
        what = "it is nested too deeply" if isinstance(problem, RecursionError) else "it has a number that is too long"
        told.problem(f"This JSON can't be read: {what}")
        return None
    for key in dict.fromkeys(repeated):
        told.problem(f"{clean(key, 60)!r} stands more than once in one object; the last one counts")
    return value


@dataclass
class Object:
    """An object of the source. `path`: where it stands. What is never asked for is `left`."""

    values: Mapping[str, Any]
    path: str
    told: Told

    def __post_init__(self) -> None:
        self.asked: set[str] = set()

    def raw(self, *names: str) -> tuple[str, Any]:
        """The first of these keys that has a value, with its place: (path, value or None)."""
        self.asked.update(names)
        for name in names:
            if self.values.get(name) is not None:
                return self.at(name), self.values[name]
        return self.at(names[0]), None

    def at(self, name: str) -> str:
        return f"{self.path}.{clean(name, 60)}" if self.path else clean(name, 60)

    def text(self, *names: str) -> str:
        """A text; numbers and truth values become one, a list of texts its lines."""
        path, value = self.raw(*names)
        if value is None:
            return ""
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return "\n".join(value)
        found = as_text(value)
        if found is None:
            self.told.problem(f"Not a text but {kind(value)}; left out", path=path)
        return found or ""

    def texts(self, *names: str) -> list[str]:
        """A list of texts; a single text counts as a list of one, an object by what it says (`said`)."""
        path, value = self.raw(*names)
        if value is None:
            return []
        if not isinstance(value, list):
            value = [value]
        found = []
        for number, each in enumerate(value):
            text = as_text(each)
            if text is None and isinstance(each, Mapping) and (text := said(each)):
                self.told.note("changed", "An object was read as its text", path=f"{path}[{number}]")
            if text is None:
                self.told.problem(f"Not a text but {kind(each)}; left out", path=f"{path}[{number}]")
            elif text.strip():
                found.append(text)
        return found

    def objects(self, *names: str) -> list[Object]:
        """A list of objects; what is none is left out."""
        path, value = self.raw(*names)
        if value is None:
            return []
        if not isinstance(value, list):
            self.told.problem(f"Not a list but {kind(value)}; left out", path=path)
            return []
        found = []
        for number, each in enumerate(value):
            if isinstance(each, Mapping):
                found.append(Object(each, f"{path}[{number}]", self.told))
            else:
                self.told.problem(f"Not an object but {kind(each)}; left out", path=f"{path}[{number}]")
        return found

    def flag(self, *names: str) -> bool:
        path, value = self.raw(*names)
        if value is not None and not isinstance(value, bool):
            self.told.problem(f"Neither true nor false but {kind(value)}; taken as false", path=path)
        return value is True

    def number(self, *names: str) -> float | None:
        path, value = self.raw(*names)
        if isinstance(value, bool) or not isinstance(value, int | float):
            if value is not None and (found := as_number(value)) is not None:
                return found
            if value is not None:
                self.told.problem(f"Not a number but {kind(value)}; left out", path=path)
            return None
        return as_number(value)

    def left(self) -> list[str]:
        """The keys nobody asked for that say something."""
        return [key for key, value in self.values.items() if key not in self.asked and value not in (None, "", [], {})]


def as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) >= 10**18:
        return None
    return str(value) if isinstance(value, str | int | float) else None


def as_number(value: Any) -> float | None:
    """A finite number of ordinary size; also one that is written as a text."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e15 else None


def said(value: Mapping[str, Any]) -> str | None:
    """What an object says that stands where a text should (prd.json, criteria of older files)."""
    for name in ("text", "description", "criterion", "title", "name", "content", "then"):
        text = value.get(name)
        if isinstance(text, str) and text.strip():
            return text
    return None


def kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "a text" if isinstance(value, str) else "nothing" if value is None else "a number"


def facts(value: Any, path: str) -> list[tuple[str, str]]:
    """All single values below, as (path, text): what a plan has no place for, kept to be read."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any, int]] = [(clean(path, 80), value, 0)]
    while waiting and len(found) < MAX_FACTS:
        where, each, depth = waiting.pop()
        if isinstance(each, Mapping) and depth < MAX_DEPTH:
            waiting += [(f"{where}.{clean(str(key), 40)}", one, depth + 1) for key, one in reversed([*each.items()])]
        elif isinstance(each, list) and all(not isinstance(one, Mapping | list) for one in each):
            found.append((where, ", ".join(text for one in each if (text := as_text(one)))))
        elif isinstance(each, list) and depth < MAX_DEPTH:
            waiting += [(f"{where}[{n}]", one, depth + 1) for n, one in reversed([*enumerate(each)])]
        elif (text := as_text(each)) is not None:
            found.append((where, text))
    return [(where.replace("`", "'"), text) for where, text in found if text]
