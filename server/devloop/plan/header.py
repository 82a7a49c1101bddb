"""Header fields (plan-format §11) and the status of the plan (§12)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from devloop.plan.model import Field

_FIELD = re.compile(r"\*\*(?P<key>[^*:|]{1,40}?)[ \t]*(?:\*\*[ \t]*:|:[ \t]*\*\*)[ \t]*")
_NEXT = re.compile(r"(?<=[ \t])\|[ \t]++(?=\*\*)")
_PREFIX = re.compile(r"(?:(?:Devloop|Implementation)[ \t]+)?Plan[ \t]*(?::|[ \t][-–—][ \t])[ \t]*(?=\S)", re.IGNORECASE)
_TITLE = re.compile(r"title[ \t]*:[ \t]*(.+)$")
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")
_NEAR = re.compile(
    r"[ \t]{0,3}(?:[-*+][ \t]+)?(?P<open>\*\*|__|\*|_)?(?P<key>[A-Za-z](?:[A-Za-z ]{0,29}?[A-Za-z])??)[ \t]*"
    r"(?:(?P<close>\*\*|__|\*|_)[ \t]*)?(?:(?P<mark>:|[-–—=](?=[ \t]))[ \t]*)?(?:(?P<late>\*\*|__|\*|_)[ \t]*)?"
    r"(?<=[ \t])(?P<value>\S.*)$",
    re.DOTALL,
)
"""No blank can belong to two of its parts, or a long row of them would be cut in every way."""
MAX_VALUE: Final = 4000

_KEYS: Final = {
    "last updated": "Updated",
    "date": "Updated",
    "updated": "Updated",
    "created": "Created",
    "status": "Status",
    "current phase": "Current Phase",
    "complexity": "Complexity",
    "estimate": "Estimate",
    "estimated size": "Estimate",
    "goal": "Goal",
    "overview": "Overview",
}

_STATUS: Final = {
    written: status
    for status, words in {
        "planning": "draft|planning|pending|proposed|not started|todo",
        "in_progress": "in progress|active|active development|started|wip|ongoing|implementing",
        "paused": "paused|on hold|deferred",
        "blocked": "blocked|waiting",
        "review": "review|in review|testing|validation",
        "complete": "complete|completed|done|finished|shipped|merged|完了|已完成",
        "archived": "archived|superseded|abandoned",
    }.items()
    for written in words.split("|")
}
WRITTEN: Final = {
    "planning": "Planning",
    "in_progress": "In Progress",
    "paused": "Paused",
    "blocked": "Blocked",
    "review": "Review",
    "complete": "Complete",
    "archived": "Archived",
}


def fields(line: str, number: int) -> list[Field]:
    """The fields of a paragraph line (its 1-based number is given), several separated by ` | `."""
    text = line.rstrip("\r\n")
    found: list[Field] = []
    for match, end in field_matches(text):
        value = text[match.end() : end]
        found.append(Field(key(match["key"]), value, number, match.end(), end))
    return found


def key(name: str) -> str:
    """The canonical name of a field: `Last Updated` is `Updated`; other names stay as they are written."""
    return _KEYS.get(" ".join(name.lower().split()), name.strip())


def field_matches(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """(match whose group `key` is the key and whose end is the begin of the value, end of the value) of every field."""
    if len(text) > MAX_VALUE:
        return
    at = len(text) - len(text.lstrip(" \t"))
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is None or not match["key"].strip():
            return
        split = _NEXT.search(text, match.end() + 1)
        end = split.start() if split else len(text)
        yield match, match.end() + len(text[match.end() : end].rstrip())
        at = split.end() if split else end


def nearly_field(line: str) -> tuple[str, str] | None:
    """(canonical key, value) of a line that looks like a header field and is none: `Status: x`, `- **Status**: x`."""
    text = line.rstrip("\r\n")
    if len(text) > 300 or fields(line, 1):
        return None
    found = _NEAR.match(text)
    if found is None:
        return None
    name = " ".join(found["key"].lower().split())
    marked = bool(found["open"]) and bool(found["close"] or found["late"])
    if name not in ("status", "created", "updated", "last updated", "current phase"):
        return None
    if not marked and found["mark"] != ":":
        return None
    return _KEYS[name], found["value"].strip().strip("*_").strip()


def name_of(title: str) -> str:
    """The plan's name: its H1 without `Devloop Plan:`, `Plan:`, `Implementation Plan:`."""
    return _PREFIX.sub("", title, count=1).strip() if _PREFIX.match(title) else title.strip()


def front_title(lines: list[str]) -> str:
    """`title` of the front matter."""
    for line in lines[:200]:
        found = _TITLE.match(line[:MAX_VALUE].rstrip("\r\n"))
        if found:
            return found[1].strip().strip("\"'").strip()
    return ""


def status(text: str) -> str:
    """The canonical status of a written one; empty when unknown. Case, emoji, `✓`, text in parentheses don't matter."""
    bare = re.sub(r"\([^)]*\)?", " ", text[:200])
    bare = "".join(char if char.isalnum() else " " for char in bare).lower()
    words = bare.split()
    whole = " ".join(words)
    if whole in _STATUS:
        return _STATUS[whole]
    if words and re.search(r"[-–—:,;/|]", text):  # "Complete - all phases"
        first = re.split(r"[-–—:,;/|]", text.strip(), maxsplit=1)[0].rstrip(" \t")
        if first and first != text:
            return status(first)
    return ""


class Current(NamedTuple):
    """What `Current Phase` says: phase ids in the order named, or that none is left."""

    phases: tuple[str, ...]
    none_left: bool


def current_phase(text: str) -> Current:
    names = tuple(
        re.findall(r"\bPhase[ \t]+([0-9]+\.[0-9]+|[0-9]+[A-Za-z]?|[A-Za-z])\b", text[:MAX_VALUE], re.IGNORECASE)
    )
    return Current(
        names, not names and re.match(r"\W*(?:Done|Complete|None|完了|已完成)", text, re.IGNORECASE) is not None
    )


def is_date(text: str) -> bool:
    """Whether a value begins with a date devloop can read (`YYYY-MM-DD`, with a time or without)."""
    found = _STAMP.match(text.strip())
    if found is None:
        return False
    try:
        if len(found[0]) > 10:
            datetime.fromisoformat(found[0])
        else:
            date.fromisoformat(found[0])
    except ValueError:
        return False
    return True
