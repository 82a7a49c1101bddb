"""List items: checkboxes (plan-format §4 to §7), metadata bullets (§8), log lines (§9)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from devloop.plan import ids, tags
from devloop.plan.model import FileRef

MAX_LINE: Final = 64 * 1024  # longer lines are not searched (§2)

ITEM_MARKERS = re.compile(r"(?:[ \t]*(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$))*[ \t]*")
_MALFORMED = re.compile(r"\[[ \t]*\](?!\()|\[(?:[xX~!/-][ \t]+|[ \t]+[xX~!/-])\]|\[[ xX~!]\](?=[^\s(\[:*\]])")
META_FORM = re.compile(
    r"(?P<open>\*\*|__|\*|_)?(?P<key>[A-Za-z][A-Za-z /-]{0,38}?)"
    r"(?:(?P<inside>:)(?P<late>\*\*|__|\*|_)|(?P<early>\*\*|__)[ \t]*:|(?P<bare>:))(?=[ \t]|$)[ \t]*(?P<value>.*)$",
    re.DOTALL,
)
LOG_STAMP = re.compile(
    r"(?:\*\*|__|`|\[)*(?P<stamp>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"[ ]?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?)(?:\]|\*\*|__|`|:\*\*)*[ \t]*(?:[:–—-][ \t]*)?(?:\*\*[ \t]*)?"
)
_NAMES = (
    r"(?P<names>\"[^\"]*\"|[\w./#-]+"
    r"(?:(?:[ \t]*[,&–]|[ \t]+(?:and|\.\.))[ \t]*(?:Task[ \t]+|(?!Task[ \t]))[\w./#-]+)*)"
)
"""A blank before it tells a separator `and` or `..` from a part of a name: `a..b..c` is one name. If each could be
both, a row of them would be cut in every way."""
LOG_EVENTS = tuple(
    (event, re.compile(pattern, re.IGNORECASE))
    for event, pattern in (
        ("started", rf"Started (?:work on )?Tasks? {_NAMES}"),
        ("completed", rf"(?:Completed|Finished) Tasks? {_NAMES}"),
        ("committed", rf"Committed Tasks? {_NAMES}"),
        ("skipped", rf"Skipped Tasks? {_NAMES}"),
        ("discarded", rf"Discarded work on Tasks? {_NAMES}"),
        ("blocked", rf"Tasks? {_NAMES} (?:is )?blocked"),
        ("partial", rf"Tasks? {_NAMES} (?:is )?partial(?:ly done)?"),
        ("completed", rf"Tasks? {_NAMES} (?:is |are )?(?:completed?|done|finished)"),
        ("created", r"Plan created"),
        ("approved", r"Plan approved"),
        ("all_complete", r"All tasks complete"),
        ("plan_complete", r"Plan complete"),
        ("archived", r"Archived Phases? "),
        ("phase_complete", r"Phase [\w.]+ complete"),
    )
)
_LOG_DETAIL = re.compile(r"[ \t]*(?:-|–|—|:)[ \t]+")
FILE_LINES = re.compile(r":([0-9]{1,9})(?:-([0-9]{1,9}))?$")
_SEPARATING = re.compile(r"[`(),;]")
_PATH = re.compile(r"[^\s`()]+$")
_EMPHASIS = re.compile(r"(\*\*|__|\*|_)([^*].*[^*])\1", re.DOTALL)

META_KEYS: Final = {
    alias: key
    for key, aliases in {
        "acceptance": "acceptance|acceptance criteria|done when|criteria",
        "files": "files|file|files to modify",
        "may change tests": "may change tests|may change test|may change these tests|tests may change",
        "notes": "notes|note",
        "depends": "depends|dependencies|depends on",
        "verify": "verify|verification|test|tests|testing",
        "effort": "effort|estimate|size|complexity",
        "agent": "agent",
        "model": "model",
        "skills": "skills|skill",
        "owner": "owner",
        "requirements": "requirements|requirement",
    }.items()
    for alias in aliases.split("|")
}


class Box(NamedTuple):
    """A list item with a box. `column`: of the character between the brackets; `body`: column of the text after it.

    `marked`: has `[P]` or `(P)`.
    """

    mark: str
    column: int
    body: int
    ordered: bool
    optional: bool
    id: str
    form: str
    title: str
    tags: tuple[tags.Tag, ...]
    marked: bool
    empty: bool


class Bullet(NamedTuple):
    """A list item without a box. `malformed`: begins with something that is nearly one."""

    text: str
    column: int
    ordered: bool
    malformed: bool


def box(line: str) -> Box:
    """Read a line of which the scanner knows that its innermost item begins with a box."""
    at = line.index("[")
    before = line[:at].rstrip(" \t")
    optional = line[at + 3 : at + 4] == "*"
    start = at + 4 if optional else at + 3
    raw = line[start:].rstrip("\r\n")
    text = raw.strip()
    body = start + len(raw) - len(raw.lstrip())
    ordered = before[-1:] in (".", ")")
    if len(line) > MAX_LINE:
        return Box(line[at + 1], at + 1, body, ordered, optional, "", "", text, (), False, not text)
    found = tags.find(text)
    bare = tags.cut(text, found) if found else text
    lead = ids.lead(bare)
    title, marked = lead.title, any(tag.name == "p" and tag.known for tag in found)
    if title.startswith(("(P)", "(p)")) and title[3:4] in ("", " ", "\t") and lead.id:
        title, marked = title[3:].strip(), True
    elif title.endswith((" (P)", " (p)")):
        title, marked = title[:-4].rstrip(), True
    return Box(line[at + 1], at + 1, body, ordered, optional, lead.id, lead.form, title, tuple(found), marked, not text)


def bullet(line: str) -> Bullet:
    """Read a list item without a box."""
    found = ITEM_MARKERS.match(line)
    at = found.end() if found else 0
    text = line[at:].rstrip("\r\n").rstrip()
    marker = line[:at].rstrip(" \t")
    malformed = text.startswith("[") and _MALFORMED.match(text) is not None
    return Bullet(text, at, marker[-1:] in (".", ")"), malformed)


class Meta(NamedTuple):
    """`key`: canonical name or empty for an unknown one; `name`: as written."""

    key: str
    name: str
    value: str


def meta(text: str) -> Meta | None:
    """`key: value`, `**key**: value`, `**key:** value`, `_key: value_`; None for other text (§8)."""
    found = META_FORM.match(text[:MAX_LINE])
    if found is None:
        return None
    opening, name, value = found["open"] or "", found["key"].strip(), found["value"].strip()
    if found["bare"] and opening in ("_", "*"):
        if not value.endswith(opening):
            return None
        value = value[:-1].strip()
    elif found["bare"]:
        if opening:
            return None
    elif opening != (found["late"] or found["early"]):
        return None
    key = META_KEYS.get(" ".join(name.lower().split()), "")
    if not key and not opening and (len(name.split()) > 3 or not name[0].isupper()):
        return None  # a sentence with a colon
    return Meta(key, name, value)


class Log(NamedTuple):
    stamp: str
    text: str
    event: str
    tasks: tuple[str, ...]
    detail: str


def log(text: str) -> Log:
    """A log line behind its bullet, with or without box (§9)."""
    text = text[:MAX_LINE].strip()
    if re.match(r"\[[^\]]\]\*?[ \t]", text):
        text = text[3:].lstrip("*").strip()
    found = LOG_STAMP.match(text)
    stamp, rest = (found["stamp"].strip(), text[found.end() :]) if found else ("", text)
    rest = rest.strip()
    words = rest.replace("**", "").strip()
    for event, pattern in LOG_EVENTS:
        match = pattern.match(words)
        if match is not None:
            names = match.groupdict().get("names") or ""
            tail = words[match.end() :]
            dash = _LOG_DETAIL.match(tail)
            return Log(stamp, rest, event, _log_names(names), tail[dash.end() :].strip() if dash else tail.strip())
    return Log(stamp, rest, "", (), "")


def _log_names(names: str) -> tuple[str, ...]:
    if names.startswith('"'):
        return (names,)
    parts = [part.strip(" \t") for part in re.split(r",|&|\band\b", names)]
    return tuple(re.sub(r"^Task[ \t]+", "", part, flags=re.IGNORECASE).strip(" .:") for part in parts if part.strip())


def files(value: str) -> tuple[FileRef, ...]:
    """The paths of a `Files` value: commas outside back-ticks and parentheses separate, a trailing `(…)` is a note."""
    return tuple(ref for piece in pieces(value) if (ref := file(piece)) is not None)


def pieces(value: str) -> list[str]:
    """Split at commas outside back-ticks and parentheses."""
    pieces, start, ticked, depth = [], 0, False, 0
    for mark in _SEPARATING.finditer(value):
        at, char = mark.start(), mark[0]
        if char == "`":
            ticked = not ticked
        elif ticked:
            continue
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            pieces.append(value[start:at])
            start = at + 1
    pieces.append(value[start:])
    return pieces


def file(piece: str) -> FileRef | None:
    text = piece.strip()
    note = ""
    if text.endswith(")") and "(" in text:
        at = text.rindex("(")
        text, note = text[:at].strip(), text[at + 1 : -1].strip()
    span: tuple[int, int] | None = None
    if text.startswith("`") and (end := text.find("`", 1)) > 0:
        path, behind = text[1:end].strip(), text[end + 1 :].strip()
        if behind and not behind.startswith((":", "-", "–", "—", "(")):
            behind = ""
        tail = FILE_LINES.fullmatch(behind)
        if tail:
            span = (int(tail[1]), int(tail[2] or tail[1]))
    else:
        wrapped = _EMPHASIS.fullmatch(text)
        path = wrapped[2] if wrapped else text  # a star at one end alone belongs to a pattern
        if path.endswith(".") and not path.endswith(("..", "/.")):
            path = path[:-1]  # the end of a sentence
        if not path or not _PATH.match(path) or not re.search(r"[./*\\]|^[A-Z][\w-]*file$|^[A-Z]{2,}$", path):
            return None  # prose
    if span is None and (tail := FILE_LINES.search(path)):
        span = (int(tail[1]), int(tail[2] or tail[1]))
        path = path[: tail.start()]
    if not path:
        return None
    new = note.lower().split(",")[0].split(" ")[0].strip() in ("new", "create", "created")
    return FileRef(path, new, span, any(char in path for char in "*?[{"), note)


def tests(value: str) -> tuple[str, ...]:
    """What a `May change tests` value names: files and patterns as in `Files`, and single tests, `path::name`. Nothing
    is wider than it was written: a range of lines stays a part of the name, which then names no file."""
    return tuple(_test(ref) for ref in files(value))


def _test(ref: FileRef) -> str:
    return ref.path if ref.lines is None else f"{ref.path}:{ref.lines[0]}-{ref.lines[1]}"


def listed(value: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(piece.strip().strip("`") for piece in value.split(",") if piece.strip())
