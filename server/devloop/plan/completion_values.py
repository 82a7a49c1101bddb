"""The range and the prefix of a value that is being typed: the same behind a tag's colon as in a task's metadata."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from devloop.plan import candidates, items, tags
from devloop.plan.candidates import Candidate
from devloop.plan.model import Plan

CompletionKind = Literal[
    "none",
    "marker",
    "dependency",
    "group",
    "agent",
    "mode",
    "model",
    "skill",
    "limit",
    "tag-name",
    "header-key",
    "header-value",
    "meta-key",
    "path",
    "task-template",
    "phase-template",
]

_WORD_BEHIND: Final = re.compile(r"[\w.#/-]*")
LIST_BEHIND: Final = re.compile(r"[^\[\]|]*")
"""The rest of a list, or of a header field."""
_RANGE_START: Final = re.compile(r"(.*?)(?:(?<![ \t])[ \t]+)?(?:\.\.|[-–—])[ \t]*", re.DOTALL)
_TASK_WORD: Final = re.compile(r"tasks?[ \t]+", re.IGNORECASE)
_PATH_BEHIND: Final = re.compile(r"[^\s`,;()]*")
_TICKED_BEHIND: Final = re.compile(r"[^`]*")


class Completion(NamedTuple):
    """`start`, `end`: columns of what a candidate replaces; `prefix`: the part of it in front of the place.

    `subject`: what it is about: the agent of a mode, the key of a header value,
    the skills that stand in the list already. `closed`: a `]` follows.
    """

    kind: CompletionKind
    start: int
    end: int
    prefix: str
    candidates: tuple[Candidate, ...] = ()
    subject: str = ""
    closed: bool = False


def at(
    kind: CompletionKind,
    text: str,
    column: int,
    start: int,
    found: tuple[Candidate, ...] = (),
    behind: re.Pattern[str] = _WORD_BEHIND,
    subject: str = "",
) -> Completion:
    """From `start` to the end of the word the place is in."""
    rest = behind.match(text, column)
    end = rest.end() if rest else column
    while end > column and text[end - 1] in " \t`":
        end -= 1
    return Completion(kind, start, end, text[start:column], found, subject, text[end:].lstrip().startswith("]"))


def agent(text: str, column: int, start: int) -> Completion:
    while start < column and text[start] == "`":
        start += 1
    colon = text.find(":", start, column)
    if colon < 0:
        return at("agent", text, column, start)
    first = colon + 1
    while first < column and text[first] in " \t":
        first += 1
    return at("mode", text, column, first, subject=text[start:colon].strip())


def skill(text: str, column: int, start: int) -> Completion:
    """One of a list of names; `subject`: the others."""
    names = list(tags.skill_names(text, start, text.find("]", column) if "]" in text[column:] else len(text)))
    here = next((name for name in names if name.start() <= column <= name.end()), None)
    others = ",".join(name[0].lower() for name in names if name is not here)
    first, last = here.span() if here is not None else (column, column)
    return Completion("skill", first, last, text[first:column], (), others, "]" in text[column:])


def dependency(plan: Plan, text: str, column: int, start: int, index: int | None, phase: int | None) -> Completion:
    """One of a list of references, or the second half of a range."""
    part = text[start:column]
    split = max(part.rfind(","), part.rfind(";"), part.rfind("&"), part.rfind(" and ") + 4 if " and " in part else -1)
    first = start + split + 1
    while first < column and text[first] in " \t`":
        first += 1
    word = _TASK_WORD.match(text, first, column)
    first = word.end() if word else first
    half = _RANGE_START.match(text, first, column)
    if half is not None and half[1].lower() in plan.graph.by_id and text[first:column].lower() not in plan.graph.by_id:
        first = half.end()
    place = at("dependency", text, column, first)
    behind = LIST_BEHIND.match(text, place.end)
    listed = f"{text[start : start + max(split, 0)]},{behind[0] if behind else ''}"
    return place._replace(candidates=candidates.dependencies(plan, index, phase, listed, place.prefix))


def path(text: str, column: int, start: int) -> Completion | None:
    """A piece of a `Files` value, or of one like it, between commas: without back-ticks, note and line range."""
    pieces = items.pieces(text[start:column])
    first = column - len(pieces[-1])
    while first < column and text[first] in " \t":
        first += 1
    ticked = text.startswith("`", first, column)
    if ticked:
        first += 1
        if "`" in text[first:column]:
            return None  # behind the path
    elif re.search(r"[()\s]", text[first:column]):
        return None
    close = text.find("`", column) >= 0
    found = at("path", text, column, first, behind=_TICKED_BEHIND if ticked and close else _PATH_BEHIND)
    return found._replace(closed=ticked and text.startswith("`", found.end))
