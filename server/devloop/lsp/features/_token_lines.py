"""Semantic tokens of single lines and of chunks of lines. No method of its own (see `_token_results`).

A token is five numbers (LSP 3.18, Semantic Tokens): lines since the token before, columns since it began when both
stand in one line, length, type, modifiers. Only what a theme for Markdown can't see itself is told: ids, references,
tags, states. Code, prose and titles stay with the editor's own colours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from devloop import plan as plans
from devloop.lsp.positions import BOM, Positions, width
from devloop.plan.blocks import COMMENT
from devloop.plan.document import Chunk
from devloop.plan.spans import is_reference_list
from devloop.plan.tree import META, Node, SectionDraft

TYPES: Final = (
    "namespace",
    "class",
    "enumMember",
    "parameter",
    "variable",
    "property",
    "keyword",
    "comment",
    "string",
    "number",
    "event",
    "decorator",
    "type",
)
MODIFIERS: Final = ("declaration", "deprecated")
"""All of them are the protocol's own: themes know them."""
_DECLARATION: Final = 1
_DEPRECATED: Final = 2
_OTHERWISE: Final = {"decorator": "keyword"}  # younger than the other types

_OF_KIND: Final[Mapping[str, tuple[str, int]]] = {
    "marker": ("enumMember", 0),
    "task-keyword": ("keyword", 0),
    "task-id": ("variable", _DECLARATION),
    "dependency": ("variable", 0),
    "task-reference": ("variable", 0),
    "log-task": ("variable", 0),
    "tag": ("decorator", 0),
    "tag-name": ("decorator", 0),
    "story": ("decorator", 0),
    "tag-value": ("string", 0),
    "agent": ("class", 0),
    "mode": ("enumMember", 0),
    "model": ("type", 0),
    "skill": ("class", 0),
    "group": ("parameter", 0),
    "limit": ("number", 0),
    "meta-key": ("property", 0),
    "header-key": ("property", 0),
    "phase-key": ("property", 0),
    "path": ("string", 0),
    "link": ("string", 0),
    "phase-keyword": ("keyword", 0),
    "phase-id": ("namespace", _DECLARATION),
    "phase-reference": ("namespace", 0),
    "log-phase": ("namespace", 0),
    "log-stamp": ("number", 0),
    "log-event": ("event", 0),
    "issue": ("number", 0),
    "comment": ("comment", 0),
}

Line = tuple[int, ...]
"""The tokens of one line, the first as if it stood in the line of the token before."""


@dataclass(frozen=True)
class Scheme:
    """How tokens are written for one client: `types` holds only what it knows, `modifiers` masks what it doesn't."""

    positions: Positions
    types: Mapping[str, int]
    modifiers: int

    @classmethod
    def of(cls, positions: Positions, types: Any, modifiers: Any) -> Scheme:
        """Of the names that a client declares; something else than a list means that it said nothing."""
        known = set(types) if isinstance(types, list) else set(TYPES)
        numbers = {}
        for name in TYPES:
            used = name if name in known else _OTHERWISE.get(name, name)
            if used in known:
                numbers[name] = TYPES.index(used)
        mask = (1 << len(MODIFIERS)) - 1
        if isinstance(modifiers, list):
            mask = sum(1 << at for at, name in enumerate(MODIFIERS) if name in modifiers)
        return cls(positions, numbers, mask)

    def line(self, plan: plans.Plan, line: int) -> Line:
        """The tokens of a line (from 1)."""
        document = plan.document
        spans = plans.spans(plan, line)
        if not spans or (spans[0].kind == "comment" and document.step(line - 1).kind != COMMENT):
            return ()  # front matter and HTML have colours of their own
        text = document.line(line - 1)
        encoding = self.positions.encoding
        plain = text.isascii() or encoding == "utf-32"
        skipped = spans[0].kind == "marker" and spans[0].value == "-"
        found: list[int] = []
        before, behind, wide = 0, 0, 0
        if line == 1 and document.bom:
            behind = width(BOM, encoding)
        for span in spans:
            name, modifiers = _OF_KIND.get(span.kind, ("", 0))
            if skipped and span.kind in ("marker", "title"):
                name, modifiers = name or "comment", _DEPRECATED
            number = self.types.get(name)
            if number is None or span.start >= span.end:
                continue
            if plain:
                start, length = span.start + behind, span.end - span.start
            else:
                behind += width(text[wide : span.start], encoding)
                wide = span.start
                start, length = behind, width(text[span.start : span.end], encoding)
            found += (0, start - before, length, number, modifiers & self.modifiers)
            before = start
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Encoded:
    """The tokens of a chunk. `first`: lines from the chunk's beginning to its first token (-1: it has none);
    `after`: lines from its last token to its end; `lines`: the tokens by line; `context`: what they depend on besides
    the chunk."""

    chunk: Chunk
    context: Hashable
    lines: tuple[Line, ...]
    data: tuple[int, ...]
    first: int
    after: int

    @property
    def size(self) -> int:
        return len(self.chunk.lines)

    @cached_property
    def text(self) -> str:
        """The numbers as JSON, without the first one, which depends on what is before the chunk."""
        return ",".join(map(str, self.data[1:]))


def encoded(chunk: Chunk, context: Hashable, lines: Iterable[Line]) -> Encoded:
    """Put the tokens of a chunk's lines together."""
    kept = tuple(lines)
    data: list[int] = []
    first, last = -1, 0
    for offset, line in enumerate(kept):
        if line:
            at = len(data)
            data += line
            if first < 0:
                first = offset
            else:
                data[at] = offset - last
            last = offset
    return Encoded(chunk, context, kept, tuple(data), first, len(kept) - last)


def context(plan: plans.Plan, base: int, chunk: Chunk) -> Hashable:
    """What the spans of a chunk's lines depend on besides their text: items around them, sections, the header's end.

    `base` is the number of lines before the chunk. Two equal contexts of one chunk give the same spans.
    """
    count = len(chunk.lines)
    nodes = plan.tree.nodes
    found = [_of_node(plan, node) if (node := nodes.get(base + at)) else None for at in range(1, count + 1)]
    end = plan.tree.header_end
    header = 0 if not end else min(max(end - base, -1), count + 1) or -1
    return tuple(found), tuple(_sections(plan, base, count)), header


def _of_node(plan: plans.Plan, node: Node) -> tuple[Any, ...]:
    parent = node.parent
    if node.kind != META:
        return (node.kind, parent is None)
    return (META, node.key, parent is not None and parent.kind == META, _refers(plan, node))


def _refers(plan: plans.Plan, node: Node) -> bool:
    return node.key == "depends" and is_reference_list(plan, node)


def _sections(plan: plans.Plan, base: int, count: int) -> Iterator[tuple[Any, ...]]:
    """The section that a chunk begins in and those that begin in it."""
    sections = plan.tree.sections
    at = bisect_right(sections, base, key=_line_of)
    if at:
        before = sections[at - 1]
        rest = before.line + before.heading_lines - 1 - base  # lines of the heading that stand in this chunk
        yield (max(rest, 0), before.phase is None, before.heading.phase if rest > 0 else None)
    while at < len(sections) and sections[at].line <= base + count:
        section = sections[at]
        yield (section.line - base, section.heading_lines, section.phase is None, section.heading.phase)
        at += 1


def _line_of(section: SectionDraft) -> int:
    return section.line
