"""What stands inside running text: code spans, links, references to issues."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from devloop.plan import tags

Kind = Literal[
    "marker",
    "task-keyword",
    "task-id",
    "title",
    "tag",
    "tag-name",
    "tag-value",
    "dependency",
    "task-reference",
    "phase-reference",
    "agent",
    "mode",
    "model",
    "skill",
    "group",
    "story",
    "limit",
    "meta-key",
    "meta-value",
    "path",
    "detail",
    "criterion",
    "phase-keyword",
    "phase-id",
    "phase-name",
    "phase-key",
    "phase-value",
    "heading",
    "header-key",
    "header-value",
    "log-stamp",
    "log-event",
    "log-task",
    "log-phase",
    "log-text",
    "text",
    "issue",
    "link",
    "code",
    "comment",
]


class Span(NamedTuple):
    """What stands at one place. `line` 1-based, `start` and `end` columns in code points.

    `value`: what it says in normal form (id, path, canonical key, ...), empty where the text itself is all there is.
    `target`: where a `path` (`a.py`, `a.py#L12-L40`), a `link` (URL or path) or an `issue` leads, else empty.
    """

    line: int
    start: int
    end: int
    kind: Kind
    value: str = ""
    target: str = ""


_SPECIAL = re.compile(r"`|#[0-9]|://|\]\(")
_FOUND = re.compile(
    r"!?\[[^\[\]\r\n]*\]\((?P<dest><[^<>\r\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:[ \t]+(?:\"[^\"\r\n]*\"|'[^'\r\n]*'))?[ \t]*\)"
    r"|(?P<url>https?://[^\s<>\"'`\]|]+)"
    r"|(?<![\w/#&.-])(?P<issue>(?:[A-Za-z0-9][\w-]{0,38}/[\w.-]{1,100})?#[0-9]{1,9})(?![\w-])"
)


def split(line: int, text: str, start: int, end: int, kind: Kind, value: str = "") -> list[Span]:
    """`text[start:end]` as pieces of `kind`, around the code, links and issues in it, without blanks at its ends."""
    if _SPECIAL.search(text, start, end) is None:
        found: list[Span] = []
        _add(found, line, text, start, end, kind, value)
        return found
    return around(line, text, start, end, kind, special(line, text, start, end), value)


def around(
    line: int, text: str, start: int, end: int, kind: Kind, inner: Iterable[Span], value: str = ""
) -> list[Span]:
    """The given spans and what is left between them as `kind`."""
    found: list[Span] = []
    at = start
    for span in inner:
        if span.start < at or span.end > end:
            continue
        if at < span.start:
            _add(found, line, text, at, span.start, kind, value)
        found.append(span)
        at = span.end
    if at < end:
        _add(found, line, text, at, end, kind, value)
    return found


def _add(found: list[Span], line: int, text: str, start: int, end: int, kind: Kind, value: str) -> None:
    """A piece without blanks at its ends, unless it is nothing or mere punctuation (a title may be)."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end and (text[start].isalnum() or kind == "title" or any(map(str.isalnum, text[start:end]))):
        found.append(Span(line, start, end, kind, value))


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """`text[start:end]` without blanks at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def special(line: int, text: str, start: int, end: int) -> list[Span]:
    """Code spans, links and issues of a piece of text, in order."""
    if _SPECIAL.search(text, start, end) is None:
        return []
    part = text[start:end]
    code = tags.code_spans(part)
    found = [Span(line, start + first, start + last, "code") for first, last in code]
    for match in _FOUND.finditer(part):
        first, last = match.span()
        if code and _inside(first, last, code):
            continue
        if match["issue"]:
            found.append(Span(line, start + first, start + last, "issue", match["issue"], match["issue"]))
        elif match["url"]:
            url = _url(match["url"])
            found.append(Span(line, start + first, start + first + len(url), "link", url, url))
        else:
            found.append(Span(line, start + first, start + last, "link", match[0], match["dest"].strip("<>")))
    found.sort()
    return found


def _inside(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    at = bisect_left(spans, (end, end)) - 1  # the last one that begins before `end`
    return at >= 0 and start < spans[at][1]


def _url(url: str) -> str:
    """An address without the punctuation of the sentence around it."""
    while url and (url[-1] in ".,;:!?*_" or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url
