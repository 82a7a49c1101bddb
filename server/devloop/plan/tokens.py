"""References, files and log texts with the columns of their parts (plan-format §7 to §10).

What a text means is decided where plans are read (`graph`, `items`, `groups`); here the same pieces get their places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from devloop.plan import items
from devloop.plan.graph import AND, PHASE_WORD, RANGE_MARK, REMARK, TASK_WORD, Resolver
from devloop.plan.model import FileRef

_TRIM = " \t\r\n"
_GROUP_TOKEN = re.compile(r"[,;&]|\band\b")
_LOG_PHASE = re.compile(r"Phases?[ \t]+(\w+(?:\.\w+)*)", re.IGNORECASE)
_LOG_AND = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:,|&|\band\b)[ \t]*")
_LOG_TASK = re.compile(r"Task[ \t]+", re.IGNORECASE)
_BOXED = re.compile(r"\[[^\]]\]\*?[ \t]+")
_LINES_BEHIND = re.compile(r"[` \t]*(?::[0-9]{1,9}(?:-[0-9]{1,9})?)?")
_BOLD = re.compile(r"\*\*")


class Token(NamedTuple):
    """One reference: columns and its normal text (`Phase 2` also where only `2` is written)."""

    start: int
    end: int
    text: str


class Named(NamedTuple):
    """What a reference names: columns of the id alone. `ranged`: it is an end of a range."""

    kind: Literal["task", "phase"]
    start: int
    end: int
    id: str
    ranged: bool = False


def _token(text: str, start: int, end: int, extra: str = "`") -> Token | None:
    """Without blanks, back-ticks, blanks around."""
    for chars in (_TRIM, extra, _TRIM):
        while start < end and text[start] in chars:
            start += 1
        while end > start and text[end - 1] in chars:
            end -= 1
    return Token(start, end, text[start:end]) if start < end else None


def references(text: str, start: int, end: int) -> Iterator[Token]:
    """The references of a tag's value, `text[start:end]`."""
    at = start
    while at <= end:
        comma = text.find(",", at, end)
        stop = end if comma < 0 else comma
        token = _token(text, at, stop)
        if token is not None:
            yield token
        at = stop + 1


def prose(resolver: Resolver, text: str, start: int, end: int) -> Iterator[Token]:
    """The references of a metadata value of which `Resolver.prose` says that it consists of such."""
    part = REMARK.sub(lambda match: " " * len(match[0]), text[start:end])
    first, last = 0, len(part)
    for chars in (_TRIM, "*_", _TRIM):
        while first < last and part[first] in chars:
            first += 1
    for chars in (_TRIM, "*_", ".", _TRIM):
        while last > first and part[last - 1] in chars:
            last -= 1
    phase, at = False, first
    for stop, following in [*(match.span() for match in AND.finditer(part, first, last)), (last, last)]:
        token = _token(part, at, stop)
        at = following
        if token is None:
            continue
        name = token.text
        if phase and name.lower() not in resolver.by_id and name.lower() in resolver.phases:
            name = f"Phase {name}"
        phase = PHASE_WORD.match(name) is not None
        yield Token(start + token.start, start + token.end, name)


def named(resolver: Resolver, token: Token) -> tuple[Named, ...]:
    """The ids in a reference: one, or the two ends of a range. What doesn't exist is a task's id as well."""
    word = TASK_WORD.match(token.text)
    at = word.end() if word else 0
    name = token.text[at:]
    shift = token.end - len(token.text)  # the end is the same, also when `Phase` was added in front
    if name.lower() not in resolver.by_id and name.lower() not in resolver.archived:
        phase = PHASE_WORD.match(name)
        if phase is not None:
            return (Named("phase", token.end - len(phase[1]), token.end, phase[1]),)
        for mark in RANGE_MARK.finditer(name):
            left, second = name[: mark.start()], TASK_WORD.match(name, mark.end())
            begin = second.end() if second else mark.end()
            if left.lower() in resolver.by_id and name[begin:].lower() in resolver.by_id:
                first = shift + at
                return (
                    Named("task", first, first + len(left), left, True),
                    Named("task", first + begin, token.end, name[begin:], True),
                )
    return (Named("task", shift + at, token.end, name),)


def group_tasks(text: str, start: int, end: int) -> Iterator[Token]:
    """The tasks of `Tasks 2.1, 2.2 (why)` in a phase's list of groups."""
    part = REMARK.sub(lambda match: " " * len(match[0]), text[start:end][:4000])
    at = 0
    for stop, following in [*(match.span() for match in _GROUP_TOKEN.finditer(part)), (len(part), len(part))]:
        word = TASK_WORD.match(part, at + len(part[at:stop]) - len(part[at:stop].lstrip()))
        token = _token(part, min(word.end(), stop) if word else at, stop, ".`* \t")
        at = following
        if token is not None:
            yield Token(start + token.start, start + token.end, token.text)


def files(text: str, start: int, end: int) -> Iterator[tuple[int, int, FileRef]]:
    """(start, end, file) of the paths of a `Files` value; the span goes from the path to its line range."""
    at = start
    for piece in items.pieces(text[start:end]):
        ref = items.file(piece)
        if ref is not None:
            first = at + piece.find(ref.path)
            last = first + len(ref.path)
            if ref.lines is not None:
                behind = items.FILE_LINES.search(text, last, _note_start(text, last, at + len(piece)))
                last = behind.end() if behind else last
            yield first, last, ref
        at += len(piece) + 1


def _note_start(text: str, start: int, end: int) -> int:
    """Where the text behind a path ends: before its note, its closing back-tick, blanks."""
    found = _LINES_BEHIND.match(text, start, end)
    return found.end() if found else start


class LogPart(NamedTuple):
    kind: Literal["log-stamp", "log-event", "log-task", "log-phase"]
    start: int
    end: int
    value: str


def log(text: str, start: int, end: int) -> list[LogPart]:
    """Stamp, event and the tasks of a log line; `text[start:end]` is what stands behind its bullet."""
    end = min(end, start + items.MAX_LINE)
    while start < end and text[start].isspace():
        start += 1
    if boxed := _BOXED.match(text, start, end):
        start = boxed.end()
    found: list[LogPart] = []
    part = text[start:end]
    stamp = items.LOG_STAMP.match(part)
    if stamp is not None:
        found.append(LogPart("log-stamp", start + stamp.start("stamp"), start + stamp.end("stamp"), stamp["stamp"]))
        start += stamp.end()
    while start < end and text[start].isspace():
        start += 1
    bold = [match.start() for match in _BOLD.finditer(text, start, end)]
    words = text[start:end].replace("**", "")
    lead = len(words) - len(words.lstrip())
    words = words.strip()

    def column(at: int) -> int:
        """The place in the line of a place in `words`."""
        place = start + lead + at
        for mark in bold:
            if mark > place:
                break
            place += 2
        return place

    for event, pattern in items.LOG_EVENTS:
        match = pattern.match(words)
        if match is not None:
            found += [
                LogPart(part.kind, column(part.start), column(part.end - 1) + 1, part.value)
                for part in _event(event, words, match)
            ]
            break
    return found


def _event(event: str, words: str, match: re.Match[str]) -> Iterator[LogPart]:
    if "names" in match.re.groupindex:
        first, last = match.span("names")
        yield LogPart("log-event", match.start(), match.start() + len(words[match.start() : first].rstrip()), event)
        yield from _log_tasks(words, first, last)
        behind = words[last : match.end()]
        if behind.strip():
            yield LogPart("log-event", last + len(behind) - len(behind.lstrip()), match.end(), event)
        return
    phase = _LOG_PHASE.search(words, match.start())
    stop = phase.start() if phase is not None and event in ("archived", "phase_complete") else match.end()
    if words[match.start() : stop].strip():
        yield LogPart("log-event", match.start(), match.start() + len(words[match.start() : stop].rstrip()), event)
    if phase is not None and event in ("archived", "phase_complete"):
        yield LogPart("log-phase", phase.start(), phase.end(), phase[1])
        if event == "phase_complete" and words[phase.end() : match.end()].strip():
            yield LogPart("log-event", match.end() - len("complete"), match.end(), event)


def _log_tasks(words: str, start: int, end: int) -> Iterator[LogPart]:
    if words.startswith('"', start):
        yield LogPart("log-task", start, end, words[start:end])
        return
    at = start
    for stop, following in [*(match.span() for match in _LOG_AND.finditer(words, start, end)), (end, end)]:
        word = _LOG_TASK.match(words, at, stop)
        token = _token(words, word.end() if word else at, stop, " .:")
        at = following
        if token is not None:
            yield LogPart("log-task", token.start, token.end, token.text)
