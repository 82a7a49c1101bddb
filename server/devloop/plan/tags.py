"""Tags in the first line of an item (plan-format §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Nothing is looked at twice, however many blanks there are: no repetition gives back what it took.
_TAG = re.compile(r"(?<![\\!])\[([A-Za-z][\w-]*+)[ \t]*+(?::[ \t]*+([^\[\]]*+))?\](?![(\[:])")
_TICKS = re.compile(r"`+")
_STORY = re.compile(r"us[0-9]+$")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)[ \t]*(s|sec|m|min|h|d)?$", re.IGNORECASE)
_SKILL = re.compile(r"[^\s,`*]+")
_SKILLS = re.compile(r"[\w, \t-]+")
_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

WITH_VALUE = ("parallel", "depends", "model", "agent", "skill", "skills", "budget", "turns", "timeout")
SKILL = ("skill", "skills")
BARE = ("background", "sequential")
KNOWN = WITH_VALUE + BARE


class Tag(NamedTuple):
    """`name` in lower case (`p` and `us` for `[P]` and `[US1]`), `text` without brackets, columns within the text.

    `known` is False for a tag that is left in the title.
    """

    name: str
    value: str
    text: str
    start: int
    end: int
    known: bool


def find(text: str) -> list[Tag]:
    """The tags of a text outside code spans, in order."""
    if "[" not in text:
        return []
    code = code_spans(text)
    found = []
    for match in _TAG.finditer(text):
        start, end = match.span()
        if any(first < end and start < last for first, last in code):
            continue
        name, value = match[1].lower(), None if match[2] is None else match[2].rstrip(" \t")
        known = _known(name, value)
        if known or value is not None:
            kind = "us" if known and _STORY.match(name) else name
            found.append(Tag(kind, value or "", match[0][1:-1].strip(), start, end, known))
    return found


def code_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of the code spans: a run of back-ticks up to the next run of the same length (CommonMark 6.1)."""
    if "`" not in text:
        return []
    runs = [match.span() for match in _TICKS.finditer(text)]
    later: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    spans, index = [], 0
    while index < len(runs):
        start, end = runs[index]
        same = later[end - start]
        while same and same[-1] <= index:
            same.pop()
        if same:
            index = same[-1]
            spans.append((start, runs[index][1]))
        index += 1
    return spans


def _known(name: str, value: str | None) -> bool:
    if value is None:
        return name == "p" or name in BARE or _STORY.match(name) is not None
    if name not in WITH_VALUE or not value:
        return False
    if name == "budget":
        return usd(value) is not None
    if name == "turns":
        return value.isascii() and value.isdigit() and len(value) <= 9
    if name == "timeout":
        return seconds(value) is not None
    if name in SKILL:
        return _SKILLS.fullmatch(value) is not None and bool(skills(value))
    if name == "parallel":
        return re.fullmatch(r"[\w-]+", value) is not None
    return True


def cut(text: str, tags: list[Tag]) -> str:
    """The text without its known tags and without the blanks they leave behind."""
    parts, at = [], 0
    for tag in tags:
        if tag.known:
            parts.append(text[at : tag.start].rstrip(" \t"))
            at = tag.end
    parts.append(text[at:])
    return "".join(parts).strip() if at else text.strip()


def usd(value: str) -> float | None:
    """A sum of money: `2.50`, `$2.50`."""
    bare = value.strip().lstrip("$").strip()
    return float(bare) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", bare) else None


def seconds(value: str) -> float | None:
    """A duration in seconds: `90s`, `30m`, `2h`; without a unit minutes."""
    found = _DURATION.match(value.strip())
    if found is None or len(found[1]) > 9:
        return None
    return float(found[1]) * _SECONDS[(found[2] or "m").lower()]


def skills(value: str) -> tuple[str, ...]:
    """The names in a list of skills, separated by commas or blanks, in small letters."""
    return tuple(match[0].lower() for match in skill_names(value))


def skill_names(text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """Where the names of `skills` stand in a piece of text."""
    return _SKILL.finditer(text, start, len(text) if end is None else end)


def nearest(name: str, known: tuple[str, ...] = KNOWN, limit: int = 2) -> str | None:
    """The known name within this edit distance, the nearest first."""
    best = min(known, key=lambda other: distance(name, other), default=None)
    return best if best is not None and distance(name, best) <= limit else None


def distance(left: str, right: str) -> int:
    """Levenshtein distance; texts that differ much in length are simply far apart."""
    if abs(len(left) - len(right)) > 4 or len(left) > 64 or len(right) > 64:
        return 64
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
