"""textDocument/documentLink: files that tasks name, web addresses, issues, spikes.

Issues are linked where that is certain: files in `.devloop/issues/`, and `#12` when the plan's header has the address
of an issue or pull request to count from. The title of an issue's file is read when the editor asks for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Buffer
from devloop.lsp.features._extents import LONG, changed_lines, units
from devloop.lsp.features._targets import LOCAL_ISSUE, File, Places
from devloop.lsp.positions import Positions
from devloop.lsp.protocol import Plain
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DOCUMENT_LINK
OPTIONS: Final = t.DocumentLinkOptions(resolve_provider=True)

_MAY_HOLD: Final = re.compile(r"#[0-9]|://|\]\(|[A-Z]-[0-9]{3}")
_CODE: Final = frozenset(("code", "comment"))


class Candidate(NamedTuple):
    """What may lead somewhere: whether it does is looked up each time, since files come and go."""

    span: plans.Span
    range: dict[str, Any]


@dataclass
class _Kept:
    """The candidates of a buffer's plan by line; an edit that leaves the structure alone changes those of its line."""

    plan: plans.Plan
    by_line: dict[int, list[Candidate]]


async def handle(connection: Connection, params: t.DocumentLinkParams) -> Plain | None:
    """Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    found = await _candidates(connection.positions, buffer, snapshot.plan)
    places = Places.of(connection.root, snapshot)
    tooltips = connection.client.can("textDocument.documentLink.tooltipSupport")
    return Plain(await asyncio.to_thread(links, snapshot.uri, found, places, tooltips))


async def _candidates(positions: Positions, buffer: Buffer, plan: plans.Plan) -> list[Candidate]:
    kept: _Kept | None = buffer.of_structure.get(METHOD)
    changed = changed_lines(kept.plan, plan) if kept is not None else None
    if kept is None or changed is None:
        everything = range(1, plan.document.count + 1)
        if plan.document.count > LONG:
            by_line = await asyncio.to_thread(candidates, positions, plan, everything)
        else:
            by_line = candidates(positions, plan, everything)
        kept = _Kept(plan, by_line)
        buffer.keep(METHOD, plan, kept)
    elif changed:
        for line in changed:
            kept.by_line.pop(line, None)
        kept.by_line |= candidates(positions, plan, changed)
        kept.plan = plan
    return [each for line in sorted(kept.by_line) for each in kept.by_line[line]]


def candidates(positions: Positions, plan: plans.Plan, lines: Iterable[int]) -> dict[int, list[Candidate]]:
    """What may be a link in some lines, left to right. Issues in files have their name as `target`."""
    document, nodes = plan.document, plan.tree.nodes
    header = max([0, *(each.line for each in plan.fields)])
    found: dict[int, list[Candidate]] = {}
    for line in lines:
        node, text = nodes.get(line), document.line(line - 1)
        if line <= header or _MAY_HOLD.search(text) or (node is not None and node.key in ("files", "may change tests")):
            spans = _leading(plan, line, text)
            if spans:
                found[line] = [Candidate(span, _range(positions, document, span)) for span in spans]
    return found


def _leading(plan: plans.Plan, line: int, text: str) -> list[plans.Span]:
    spans = plans.spans(plan, line)
    found = [span for span in spans if span.kind in ("path", "link", "issue")]
    taken = [*found, *(span for span in spans if span.kind in _CODE)]
    for match in LOCAL_ISSUE.finditer(text):
        if not any(span.start < match.end() and match.start() < span.end for span in taken):
            found.append(plans.Span(line, *match.span(), "issue", match[0], match[0]))
    return sorted(found)


def _range(positions: Positions, document: plans.Document, span: plans.Span) -> dict[str, Any]:
    first = units(positions, document, span.line, span.start)
    last = units(positions, document, span.line, span.end)
    return {
        "start": {"line": span.line - 1, "character": first},
        "end": {"line": span.line - 1, "character": last},
    }


def links(uri: str, found: Iterable[Candidate], places: Places, tooltips: bool) -> list[dict[str, Any]]:
    """The candidates that lead somewhere. Looks at the file system."""
    return [
        {"range": each.range, **link} for each in found if (link := _link(uri, places, each.span, tooltips)) is not None
    ]


def _link(uri: str, places: Places, span: plans.Span, tooltips: bool) -> dict[str, Any] | None:
    if span.kind == "issue" and "#" not in span.target:
        return {"data": {"uri": uri, "issue": span.target}} if places.issue(span.target) else None
    address = places.web(span)
    if address:
        return {"target": address}
    file = places.file(span)
    if file is None:
        return None
    return {"target": file.uri, "tooltip": said(file)} if tooltips else {"target": file.uri}


def said(file: File) -> str:
    """What a link to a file does, for people."""
    text = one_line(f"Open {file.relative}", 200)
    if file.lines is None:
        return text
    first, last = file.lines
    return f"{text}, line {first}" if first == last else f"{text}, lines {first} to {last}"
