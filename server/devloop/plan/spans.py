"""What stands where in a line of a plan: for highlighting, hovering, jumping, renaming (plan-format §4 to §11).

The cost of a line does not depend on the length of the plan.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from devloop.plan import groups, header, headings, items, tokens
from devloop.plan.blocks import BLANK, CODE, COMMENT, FENCE, FENCED, FRONT, HEADING, HTML, ITEM, RULE, TEXT, UNDERLINE
from devloop.plan.headings import CRITERION, LOG
from devloop.plan.inline import Kind, Span, around, special, split
from devloop.plan.lines import body
from devloop.plan.model import Plan
from devloop.plan.spans_task import agent_spans, skill_spans, task_spans
from devloop.plan.tree import META, TASK, Node, SectionDraft

_CODE: Final = frozenset((CODE, FENCE, FENCED))
_SILENT: Final = frozenset((BLANK, RULE, UNDERLINE))
_LINKS: Final = frozenset(("spike reference", "source", "previous plan"))
_PID = r"([0-9]+\.[0-9]+|[0-9]+[A-Za-z]?|[A-Za-z])"
_PHASE_NAMED: Final = re.compile(rf"\bPhase[ \t]+{_PID}\b", re.IGNORECASE)  # as header.current_phase reads it
_PHASE_HEAD: Final = re.compile(rf"(Phase)[ \t*_]+{_PID}(?![\w/]|\.\w)", re.IGNORECASE)
_WORD: Final = re.compile(r"\S+")


def spans(plan: Plan, line: int) -> tuple[Span, ...]:
    """What stands in a line (1-based; none outside the plan), left to right and never overlapping."""
    document = plan.document
    if not 1 <= line <= document.count:
        return ()
    step = document.step(line - 1)
    kind = step.kind
    if kind in _SILENT:
        return ()
    text = body(document.line(line - 1))
    if kind in _CODE:
        return _whole(line, text, "code")
    if kind in (COMMENT, FRONT, HTML):
        return _whole(line, text, "comment")
    if step.quoted:
        return _plain(line, text, len(text) - len(text.lstrip("> \t")))
    node = plan.tree.nodes.get(line)
    if node is not None:
        return tuple(_item(plan, line, text, node) if kind == ITEM else _continued(plan, line, text, node))
    if kind == HEADING:
        section = section_at(plan, line)
        return tuple(_heading(line, text, section)) if section is not None else _plain(line, text, 0)
    if kind == TEXT and not step.state.stack:
        return tuple(_text(plan, line, text))
    return _plain(line, text, 0)


def span_at(plan: Plan, line: int, column: int) -> Span | None:
    """The span that holds a place; between two spans the one that ends there (a cursor behind a word is on it)."""
    before = None
    for span in spans(plan, line):
        if span.start <= column < span.end:
            return span
        if span.end == column:
            before = span
    return before


def section_at(plan: Plan, line: int) -> SectionDraft | None:
    """The heading that stands in a line or last before it."""
    at = bisect_right(plan.tree.sections, line, key=_line_of) - 1
    return plan.tree.sections[at] if at >= 0 else None


def _line_of(section: SectionDraft) -> int:
    return section.line


def _whole(line: int, text: str, kind: Kind) -> tuple[Span, ...]:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return (Span(line, start, end, kind),) if start < end else ()


def _plain(line: int, text: str, start: int) -> tuple[Span, ...]:
    """Prose: only code, links and issues are something."""
    if len(text) > items.MAX_LINE:
        return ()
    return tuple(span for span in split(line, text, start, len(text), "text") if span.kind != "text")


# Items


def _item(plan: Plan, line: int, text: str, node: Node) -> Iterator[Span] | list[Span]:
    if node.kind == TASK:
        box = plan.tree.tasks[node.index].box
        assert box is not None
        return task_spans(line, text, box)
    box = node.box
    if box is not None:
        found = [Span(line, box.column - 1, box.column + 2, "marker", box.mark)]
        found += _log(line, text, box.body) if node.kind == LOG else split(line, text, box.body, len(text), CRITERION)
        return found
    marker = items.ITEM_MARKERS.match(text)
    start = marker.end() if marker else 0
    if len(text) > items.MAX_LINE:
        return []
    if node.kind == LOG:
        return _log(line, text, start) if node.parent is None else split(line, text, start, len(text), "log-text")
    if node.kind == META:
        return _meta(plan, line, text, start, node)
    if node.parent is None and (found := list(_group(plan, line, text, start))):
        return found
    return split(line, text, start, len(text), "detail")


def _continued(plan: Plan, line: int, text: str, node: Node) -> list[Span]:
    """A line that goes on with the text of an item."""
    start = len(text) - len(text.lstrip())
    if len(text) > items.MAX_LINE:
        return []
    if node.kind == META:
        return _value(plan, line, text, start, len(text.rstrip()), node)
    kind: Kind = "log-text" if node.kind == LOG else CRITERION if node.kind == CRITERION else "detail"
    return split(line, text, start, len(text), kind)


def _meta(plan: Plan, line: int, text: str, start: int, node: Node) -> list[Span]:
    """`key: value`, or an item of the list that is a value."""
    text = text.rstrip()
    end = len(text)
    if node.parent is not None and node.parent.kind == META:
        return _value(plan, line, text, start, end, node)
    found = items.META_FORM.match(text, start)
    if found is None:
        return _value(plan, line, text, start, end, node)
    first, name = found.start("key"), found["key"].strip()
    key = Span(line, first, first + len(name), "meta-key", node.key or name.lower())
    opening = found["open"]
    if opening and found["bare"] and text.endswith(opening, start, end):
        end -= len(opening)
    return [key, *_value(plan, line, text, found.start("value"), end, node)]


def _value(plan: Plan, line: int, text: str, start: int, end: int, node: Node) -> list[Span]:
    """A piece of a metadata value; what it means depends on its key (§8)."""
    key = node.key
    if key == "depends" and is_reference_list(plan, node):
        found = tokens.prose(plan.graph.resolver, text, start, end)
        return [Span(line, token.start, token.end, "dependency", token.text) for token in found]
    if key == "files":
        inner = [
            Span(line, first, last, "path", ref.path, ref.path + _fragment(ref.lines))
            for first, last, ref in tokens.files(text, start, end)
        ]
        return around(line, text, start, end, "meta-value", inner)
    if key == "may change tests":
        named = [(first, ref.path.partition("::")[0]) for first, _, ref in tokens.files(text, start, end)]
        inner = [Span(line, first, first + len(path), "path", path, path) for first, path in named if path]
        return around(line, text, start, end, "meta-value", inner)
    if key == "skills":
        return list(skill_spans(line, text, start, end))
    if key in ("agent", "model"):
        while start < end and text[start] in "` \t":
            start += 1
        while end > start and text[end - 1] in "` \t":
            end -= 1
        if key == "agent":
            return list(agent_spans(line, text, start, end))
        return [Span(line, start, end, "model", text[start:end])] if start < end else []
    return split(line, text, start, end, CRITERION if key == "acceptance" else "meta-value")


def _fragment(lines: tuple[int, int] | None) -> str:
    if lines is None:
        return ""
    return f"#L{lines[0]}" if lines[0] == lines[1] else f"#L{lines[0]}-L{lines[1]}"


def is_reference_list(plan: Plan, node: Node) -> bool:
    """Whether a `Depends` value consists of references only; else it is prose."""
    while node.parent is not None and node.parent.kind == META:
        node = node.parent
    return bool(plan.graph.resolver.prose(", ".join([*node.texts, *node.nested])))


def _group(plan: Plan, line: int, text: str, start: int) -> Iterator[Span]:
    """`- Group A: Tasks 2.1, 2.2 (why)` in a phase."""
    if not text[start : start + 8].lstrip("*_").lower().startswith("group"):
        return
    section = section_at(plan, line)
    found = groups.GROUP.match(text, start) if section is not None and section.phase is not None else None
    if found is not None:
        yield from _group_list(line, text, found)


def _group_list(line: int, text: str, found: re.Match[str]) -> Iterator[Span]:
    yield Span(line, *found.span(1), "group", found[1])
    for token in tokens.group_tasks(text, *found.span(2)):
        yield Span(line, token.start, token.end, "task-reference", token.text)


def _log(line: int, text: str, start: int) -> Iterator[Span]:
    """A line of the log (§9)."""
    parts = [Span(line, part.start, part.end, part.kind, part.value) for part in tokens.log(text, start, len(text))]
    if not parts:
        yield from split(line, text, start, len(text), "log-text")
        return
    yield from around(line, text, parts[0].start, parts[-1].end, "log-text", parts)
    yield from split(line, text, parts[-1].end, len(text), "log-text")


# Headings and text outside items


def _heading(line: int, text: str, section: SectionDraft) -> Iterator[Span]:
    start = len(text) - len(text.lstrip(" #\t")) if section.heading_lines == 1 else len(text) - len(text.lstrip())
    end = len(text.rstrip(" \t"))
    if section.heading_lines == 1:
        bare = text[:end].rstrip("#")
        if bare.endswith((" ", "\t")):
            end = len(bare.rstrip(" \t"))
    phase = section.heading.phase
    found = _PHASE_HEAD.search(text, start, min(end, headings.MAX_LENGTH)) if phase is not None else None
    if phase is None or found is None:
        yield from split(line, text, start, end, "heading")
        return
    yield Span(line, *found.span(1), "phase-keyword", phase.id)
    yield Span(line, *found.span(2), "phase-id", phase.id)
    name = text.find(phase.name, found.end(), end) if phase.name else -1
    inner: list[Span] = []
    for tag in headings.PTAG.finditer(text, found.end(), end):
        inner.append(Span(line, tag.start() + 1, tag.start() + 9, "tag-name", "parallel"))
        inner.append(Span(line, *tag.span(1), "group", tag[1]))
    if name >= 0:
        inner += around(
            line, text, name, name + len(phase.name), "phase-name", special(line, text, name, name + len(phase.name))
        )
    at = found.end()
    for span in sorted(inner):
        if span.start >= at:
            yield span
            at = span.end


def _text(plan: Plan, line: int, text: str) -> Iterator[Span]:
    section = section_at(plan, line)
    if section is not None and line < section.line + section.heading_lines:
        if line == section.line:
            yield from _heading(line, text, section)
        else:
            yield from split(line, text, 0, len(text), "heading")
        return
    if text.lstrip(" \t").startswith("**"):
        phase = section.phase if section is not None else None
        if phase is not None or not 0 < plan.tree.header_end <= line:
            yield from _fields(plan, line, text, phase)
            return
    yield from _plain(line, text, 0)


def _fields(plan: Plan, line: int, text: str, phase: int | None) -> Iterator[Span]:
    """`**Key**: value` of the header or of a phase (§10, §11)."""
    any_field = False
    for found, end in header.field_matches(text):
        any_field = True
        name = found["key"].strip()
        start, key = found.start("key"), " ".join(name.lower().split())
        start += len(found["key"]) - len(found["key"].lstrip())
        yield Span(line, start, start + len(name), "phase-key" if phase is not None else "header-key", header.key(name))
        if found.end() < end:
            value = _phase_value if phase is not None else _header_value
            yield from value(plan, line, text, found.end(), end, key)
    if not any_field:
        yield from _plain(line, text, 0)


def _phase_value(plan: Plan, line: int, text: str, start: int, end: int, key: str) -> Iterator[Span]:
    resolver = plan.graph.resolver
    if key == "dependencies" and resolver.prose(text[start:end]):
        for token in tokens.prose(resolver, text, start, end):
            yield Span(line, token.start, token.end, "dependency", token.text)
    elif key == "parallel groups":
        for found in groups.INLINE_GROUP.finditer(text, start, end):
            yield from _group_list(line, text, found)
    else:
        yield from split(line, text, start, end, "phase-value")


def _header_value(plan: Plan, line: int, text: str, start: int, end: int, key: str) -> Iterator[Span]:
    if key == "current phase":
        inner = [
            Span(line, *found.span(), "phase-reference", found[1]) for found in _PHASE_NAMED.finditer(text, start, end)
        ]
        yield from around(line, text, start, end, "header-value", inner, header.key(key))
        return
    if key in _LINKS and (link := _lone_path(text, start, end)) is not None:
        first, last = link
        yield Span(line, first, last, "link", text[first:last], text[first:last])
        return
    yield from split(line, text, start, end, "header-value", header.key(key))


def _lone_path(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A value that is nothing but one path, perhaps in back-ticks."""
    while start < end and text[start] == "`":
        start += 1
    while end > start and text[end - 1] == "`":
        end -= 1
    part = text[start:end]
    found = _WORD.fullmatch(part)
    if found is None or "://" in part or "](" in part or "#" in part or not re.search(r"[./\\]", part):
        return None
    return start, end
