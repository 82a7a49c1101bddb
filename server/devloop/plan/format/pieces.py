"""Small changes inside one line: spaces around markers, the spelling of tags and markers, blanks at the end.

A change is a piece: (start, end, text), columns in code points of the line without its end. What a function returns
has been read again: the line means the same with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from devloop.plan import headings, items, tags
from devloop.plan.items import Box
from devloop.plan.model import DEFAULT_MARKERS, MARKERS

Piece = tuple[int, int, str]

_TASK_LEAD: Final = re.compile(r"(?i:task)(?P<word> +)#?[0-9]+(?:\.[0-9]+){0,4}(?P<before> *):(?P<after> *)(?=[^ \t*])")
_HEAD: Final = re.compile(r" {0,3}#{1,6}(?P<gap> +)(?=\S)")


def applied(text: str, pieces: Iterable[Piece]) -> str:
    """`text` with pieces that don't overlap, in any order."""
    parts, at = [], 0
    for start, end, new in sorted(pieces):
        parts += [text[at:start], new]
        at = end
    parts.append(text[at:])
    return "".join(parts)


def trailing(text: str, *, breaks: bool) -> list[Piece]:
    """Cut blanks at the end. `breaks`: two or more spaces are a hard line break here and stay (CommonMark 0.31)."""
    end = len(text)
    if not end or text[-1] not in " \t":
        return []
    bare = len(text.rstrip(" \t"))
    if breaks and text.endswith("  "):
        return []
    return [(bare, end, "")]


def task_pieces(text: str, box: Box) -> list[Piece]:
    """Spaces behind the box, an alias of a marker, the spelling of tags; blanks at the end are not looked at."""
    found: list[Piece] = []
    status = MARKERS.get(box.mark)
    if box.mark == "/" and status is not None:
        found.append((box.column, box.column + 1, DEFAULT_MARKERS[status]))
    if box.empty:
        return found
    found += _box_gap(text, box)
    if box.form == "task" and not text.startswith(("Task ", "task "), box.body):
        pass  # in bold: the person's own style
    elif box.form == "task":
        found += _lead(text, box.body)
    written = max([box.body, *(end for _, end, _ in found)])
    for tag in box.tags:
        if tag.known and box.body + tag.start >= written:
            found += _tag(text, box.body + tag.start, box.body + tag.end, written, tag)
    return found if not found or same_box(box, items.box(applied(text, found))) else []


def criterion_pieces(text: str, box: Box) -> list[Piece]:
    """Spaces behind the box; a criterion's text is shown as it is written and stays so."""
    return [] if box.empty else _box_gap(text, box)


def _box_gap(text: str, box: Box) -> list[Piece]:
    start = box.column + (3 if box.optional else 2)
    if box.body - start > 1 and not text[start : box.body].strip(" "):
        return [(start + 1, box.body, "")]
    return []


def _lead(text: str, start: int) -> list[Piece]:
    """`Task  1.1 :text` → `Task 1.1: text`."""
    match = _TASK_LEAD.match(text, start)
    if match is None:
        return []
    found: list[Piece] = []
    for name, wanted in (("word", " "), ("before", ""), ("after", " ")):
        if match[name] != wanted:
            found.append((*match.span(name), wanted))
    return found


def _tag(text: str, start: int, end: int, body: int, tag: tags.Tag) -> list[Piece]:
    """`body`: the column up to which everything is written already."""
    found: list[Piece] = []
    before = start
    while before > body and text[before - 1] == " ":
        before -= 1
    if start - before > 1 and before > body:
        found.append((before + 1, start, ""))
    wanted = spelled(tag)
    if text[start:end] != wanted:
        found.append((start, end, wanted))
    return found


def spelled(tag: tags.Tag) -> str:
    """A known tag in devloop's spelling: `[depends:1.1, 1.2]`, `[P]`, `[US1]`, `[agent:engineer:git]` (§7)."""
    if not tag.value:
        return f"[{tag.text.upper() if tag.name in ('p', 'us') else tag.name}]"
    value = tag.value.strip()
    if tag.name == "depends":
        value = ", ".join(part for token in value.split(",") if (part := " ".join(token.split()))) or value
    elif tag.name == "agent":
        agent, colon, mode = value.partition(":")
        value = f"{agent.strip()}:{mode.strip()}" if colon and mode.strip() and agent.strip() else value
    elif tag.name in tags.SKILL:
        value = ", ".join(name[0] for name in tags.skill_names(value))
    return f"[{tag.name}:{value}]"


def same_box(old: Box, new: Box) -> bool:
    """Whether two boxes say the same, however their tags are spelled."""

    def meaning(box: Box) -> tuple[object, ...]:
        known = tuple((tag.name, spelled(tag)) for tag in box.tags if tag.known)
        unknown = tuple(tag.text for tag in box.tags if not tag.known)
        status = MARKERS.get(box.mark, box.mark)
        return status, box.ordered, box.optional, box.id, box.form, box.title, box.marked, known, unknown

    return meaning(old) == meaning(new)


def heading_pieces(text: str, *, tags: bool = True) -> list[Piece]:
    """One space behind the marks of an ATX heading; where `tags` says so, its tag in devloop's spelling."""
    if len(text) > headings.MAX_LENGTH:
        return []
    found: list[Piece] = []
    head = _HEAD.match(text)
    if head is not None and head["gap"] != " ":
        found.append((head.start("gap") + 1, head.end("gap"), ""))
    old = headings.atx(text)
    if tags and old.phase is not None and "[" in text:
        for match in headings.PTAG.finditer(text):
            wanted = f"[parallel:{match[1]}]"
            if match[0] != wanted:
                found.append((*match.span(), wanted))
    if not found:
        return found
    new = headings.atx(applied(text, found))
    same = (old.level, old.kind, old.phase, old.task_like) == (new.level, new.kind, new.phase, new.task_like)
    return found if same and (old.phase is not None or old.text == new.text) else []


def trimmed(start: int, old: str, new: str) -> Sequence[Piece]:
    """The one piece that makes `old`, which begins at column `start`, `new`: without what both have at their ends."""
    if old == new:
        return ()
    first, size = 0, min(len(old), len(new))
    while first < size and old[first] == new[first]:
        first += 1
    last = 0
    while last < size - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return ((start + first, start + len(old) - last, new[first : len(new) - last]),)
