"""Headings: phases (plan-format §10) and sections with a kind (§9)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LOG: Final = "log"
CRITERION: Final = "criterion"
PHASE: Final = "phase"

_ATX = re.compile(r"[ ]{0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$", re.DOTALL)
_GLYPHS = {"✅": "complete", "✔": "complete", "☑": "complete", "🚧": "in_progress", "⏳": "in_progress"}
_DONE_WORDS = ("COMPLETE", "DONE", "完了", "已完成")
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_NUMBERING = re.compile(r"(?:[0-9]+(?:\.[0-9]+)*[.):]?|[A-Z][.)])[ \t]+")
_PHASE = re.compile(
    r"Phase[ \t]+(?P<id>[0-9]+\.[0-9]+|[0-9]+[A-Za-z]?|[A-Za-z])(?![\w/]|\.\w)"
    r"(?P<sep>[ \t]*:|[.)](?=[ \t]|$)|[ \t]*[–—]|[ \t]+-(?=[ \t]|$))?[ \t]*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
PTAG = re.compile(r"\[parallel:[ \t]*([\w-]+)[ \t]*\]", re.IGNORECASE)
_LOG_WORDS = re.compile(r"\b(?:progress log|work ?log|change ?log|history|activity)\b", re.IGNORECASE)
_CRITERION_WORDS = re.compile(
    r"\b(?:acceptance|success criteria|definition of done|done when|exit criteria|verification|checklist"
    r"|quality gates?|review criteria)\b",
    re.IGNORECASE,
)
_TASK_HEADING = re.compile(r"(?:Task|Step)[ \t]+[0-9]+(?:\.[0-9]+)*\b|Milestone[ \t]+[0-9]+\b", re.IGNORECASE)
MAX_LENGTH: Final = 2000  # of a heading that is looked at


class PhaseHead(NamedTuple):
    """`tag`: value of `[parallel:…]`; `written`: complete, in_progress or empty, as glyph or word say."""

    id: str
    name: str
    tag: str
    written: str


class Heading(NamedTuple):
    level: int
    text: str
    kind: str  # log, criterion, phase or empty
    phase: PhaseHead | None
    task_like: bool


def atx(line: str) -> Heading:
    """The heading of an ATX line."""
    body = line.rstrip("\r\n")
    if len(body) > MAX_LENGTH:
        bare = body.lstrip(" ")
        marks = len(bare) - len(bare.lstrip("#"))
        return heading(marks, bare[marks:MAX_LENGTH])
    found = _ATX.match(body)
    if found is None:  # the scanner saw a heading in an expanded tab; take what is there
        bare = body.strip()
        return heading(len(bare) - len(bare.lstrip("#")) or 1, bare.lstrip("#").strip())
    return heading(len(found[1]), (found[2] or "").strip())


def heading(level: int, text: str) -> Heading:
    """What a heading means; levels above 4 are never phases."""
    text = text.strip()
    plain = clean(text[:MAX_LENGTH])
    phase = _phase(plain) if level <= 4 else None
    if phase is not None:
        return Heading(level, text, PHASE, phase, False)
    kind = LOG if _LOG_WORDS.search(plain) else CRITERION if _CRITERION_WORDS.search(plain) else ""
    return Heading(level, text, kind, None, level > 1 and _TASK_HEADING.match(plain) is not None)


def clean(text: str) -> str:
    """The text without emoji in front, numbering and emphasis."""
    text = _EMPHASIS.sub("", text).strip()
    text = _without_symbols(text)
    numbering = _NUMBERING.match(text)
    return _without_symbols(text[numbering.end() :]) if numbering else text


def _without_symbols(text: str) -> str:
    at = 0
    while at < len(text) and not (text[at].isalnum() or text[at] in "[(\"'`#&$"):
        at += 1
    return text[at:]


def _phase(plain: str) -> PhaseHead | None:
    found = _PHASE.match(plain)
    if found is None:
        return None
    name, rest = found["id"], found["rest"].strip()
    if name.isalpha() and not found["sep"] and rest and not (name.isupper() and not rest[0].islower()):
        return None  # "Phase a plan": prose
    tag, written = "", ""
    for match in PTAG.finditer(rest):
        tag = match[1]
    rest = PTAG.sub("", rest).strip()
    rest, written = _status(rest)
    return PhaseHead(name, rest.strip(), tag, written)


def _status(text: str) -> tuple[str, str]:
    """(text without its trailing status marks, status). The last mark counts."""
    written = ""
    while True:
        bare = text.rstrip(" \t\ufe0f")
        mark = next((glyph for glyph in _GLYPHS if bare.endswith(glyph)), None)
        if mark is not None:
            text, written = bare[: -len(mark)], written or _GLYPHS[mark]
            continue
        word = next((word for word in _DONE_WORDS if bare.endswith((word, f"({word})"))), None)
        if word is None:
            return text.rstrip(" \t"), written
        cut = bare.removesuffix(f"({word})") if bare.endswith(f"({word})") else bare.removesuffix(word)
        if cut and (cut[-1].isalnum() or cut[-1] in "-_") and word.isascii():
            return text.rstrip(" \t"), written  # NOT-DONE, UNDONE
        text, written = cut.rstrip(" \t-–—:"), written or "complete"
