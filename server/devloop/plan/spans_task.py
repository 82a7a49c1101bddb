"""What stands where in a task's line: box, id in every form of plan-format §6, tags of §7, title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from devloop.plan import ids, items, tags, tokens
from devloop.plan.inline import Kind, Span, split, trimmed

_PAR: Final = re.compile(r"\([Pp]\)")
_VALUES: Final[dict[str, Kind]] = {
    "parallel": "group",
    "model": "model",
    "budget": "limit",
    "turns": "limit",
    "timeout": "limit",
}
_WORDS: Final = ("task", "step")


def task_spans(line: int, text: str, box: items.Box) -> list[Span]:
    """The spans of a line (without its end) of which `box` was read, left to right."""
    found = [Span(line, box.column - 1, box.column + 2, "marker", box.mark)]
    if box.empty:
        return found
    end = len(text.rstrip())
    if len(text) > items.MAX_LINE:
        found.append(Span(line, box.body, end, "title"))
        return found
    inner: list[Span] = []
    for tag in box.tags:
        if tag.known:
            inner += tag_spans(line, text, tag, box.body)
    holes = [(box.body + tag.start, box.body + tag.end) for tag in box.tags if tag.known]
    start = box.body
    lead, behind = _lead(line, text, box)
    if lead:  # a tag can stand within an id: then the id is what stands there
        inner = [tag for tag in inner if not any(part.start < tag.end and tag.start < part.end for part in lead)]
        inner += lead
        if box.form != "anchor":
            start = max(start, behind)
    if box.marked and (mark := _par(text, start, end, holes)) is not None:
        inner.append(Span(line, *mark, "tag", "P"))
        holes.append(mark)
    if box.form == "anchor" and lead:
        holes.append((lead[-1].start - 2, lead[-1].end + 1))
    found += _with_title(line, text, start, end, inner, holes)
    return found


def tag_spans(line: int, text: str, tag: tags.Tag, body: int) -> Iterator[Span]:
    """The parts of a known tag; `body` is the column its own columns count from."""
    start, end = body + tag.start, body + tag.end
    if not tag.value:
        kind: Kind = "story" if tag.name == "us" else "tag"
        yield Span(line, start, end, kind, tag.text.upper() if tag.name in ("us", "p") else tag.name)
        return
    name = start + 1
    yield Span(line, name, name + len(tag.name), "tag-name", tag.name)
    first = text.index(":", name) + 1
    while text[first] in " \t":
        first += 1
    last = first + len(tag.value.rstrip())
    if tag.name == "depends":
        for token in tokens.references(text, first, last):
            yield Span(line, token.start, token.end, "dependency", token.text)
    elif tag.name in tags.SKILL:
        yield from skill_spans(line, text, first, last)
    elif tag.name == "agent":
        yield from agent_spans(line, text, first, last)
    else:
        yield Span(line, first, last, _VALUES.get(tag.name, "tag-value"), tag.value.strip())


def skill_spans(line: int, text: str, start: int, end: int) -> Iterator[Span]:
    """Each name in a list of skills."""
    for name in tags.skill_names(text, start, end):
        yield Span(line, *name.span(), "skill", name[0].lower())


def agent_spans(line: int, text: str, start: int, end: int) -> Iterator[Span]:
    """`agent` or `agent:mode`."""
    colon = text.find(":", start, end)
    stop = end if colon < 0 else colon
    kinds: tuple[tuple[int, int, Kind], ...] = ((start, stop, "agent"), (stop + 1, end, "mode"))
    for first, last, kind in kinds:
        part = text[first:last]
        name = part.strip()
        if name:
            first += part.index(name)
            yield Span(line, first, first + len(name), kind, name)


class _Cut:
    """A task's text without its known tags, as ids are looked for in it, with the columns it came from."""

    def __init__(self, text: str, box: items.Box) -> None:
        body = text[box.body :].rstrip()
        known = [tag for tag in box.tags if tag.known]
        if not known:
            self.text, self.starts = body, [(0, box.body)]
            return
        parts, starts, size, at = [], [], 0, 0
        for first, last in [*((tag.start, tag.end) for tag in known), (len(body), len(body))]:
            part = body[at:first].rstrip(" \t") if first < len(body) else body[at:first]
            starts.append((size, box.body + at))
            parts.append(part)
            size += len(part)
            at = last
        whole = "".join(parts)
        lead = len(whole) - len(whole.lstrip())
        self.text = whole.strip()
        self.starts = [(new - lead, old) for new, old in starts]

    def column(self, at: int) -> int:
        """The column of a place in `text`."""
        new, old = next(start for start in reversed(self.starts) if start[0] <= at or start is self.starts[0])
        return old + at - new

    def span(self, line: int, place: tuple[int, int], kind: Kind, value: str) -> Span:
        return Span(line, self.column(place[0]), self.column(place[1] - 1) + 1, kind, value)


def _lead(line: int, text: str, box: items.Box) -> tuple[list[Span], int]:
    """The spans of the id and the column behind it and its punctuation."""
    if not box.form:
        return [], 0
    if box.form != "anchor":
        found = ids.LEAD.match(text, box.body)
        tag = next((tag for tag in box.tags if tag.known), None)
        if found is not None and found[box.form] and (tag is None or found.end() <= box.body + tag.start):
            first, last = found.span(box.form)
            name = Span(line, first, last, "task-id", box.id)
            if box.form in _WORDS:
                word = box.body + len(found["bold"] or "")
                return [Span(line, word, word + 4, "task-keyword", box.form), name], found.end()
            return [name], found.end()
    cut = _Cut(text, box)  # tags stand in front of the id
    if box.form == "anchor":
        found = ids.ANCHOR.search(cut.text)
        return ([cut.span(line, found.span(1), "task-id", box.id)], 0) if found else ([], 0)
    found = ids.LEAD.match(cut.text)
    if found is None:
        return [], 0
    place = found.span(box.form)
    spans = []
    if box.form in _WORDS:
        word = len(found["bold"] or "")
        spans.append(cut.span(line, (word, word + 4), "task-keyword", box.form))
    spans.append(cut.span(line, place, "task-id", box.id))
    return spans, cut.column(found.end() - 1) + 1


def _par(text: str, start: int, end: int, holes: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Where `(P)` stands: directly behind the id or at the end of the title."""
    found = [match.span() for match in _PAR.finditer(text, start, end)]
    for place in (found[-1:] + found[:1]) if found else ():
        rest = [hole for hole in holes if hole[0] >= place[1]]
        behind = text[place[1] : end]
        for first, last in reversed(rest):
            behind = behind[: first - place[1]] + behind[last - place[1] :]
        if not behind.strip() or not text[start : place[0]].strip(" \t*"):
            return place
    return None


def _with_title(
    line: int, text: str, start: int, end: int, inner: list[Span], holes: list[tuple[int, int]]
) -> list[Span]:
    """The inner spans and the pieces of the title between them."""
    at, count = start, len(inner)
    for first, last in sorted([*holes, *[(span.start, span.end) for span in inner]]) if count or holes else ():
        if first > at:
            _title(inner, line, text, at, first)
        at = max(at, last)
    if at < end:
        _title(inner, line, text, at, end)
    if count:
        inner.sort()
    return inner


def _title(found: list[Span], line: int, text: str, start: int, end: int) -> None:
    start, end = trimmed(text, start, end)
    if text.startswith("**", start, end) and text.find("**", start + 2, end) in (-1, end - 2):
        start, end = trimmed(text, start + 2, end)
    if text.endswith("**", start, end) and text.find("**", start, end) == end - 2:
        start, end = trimmed(text, start, end - 2)
    if start < end:
        found += split(line, text, start, end, "title")
