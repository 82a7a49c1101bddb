"""textDocument/documentLink: files that tasks name, web addresses, issues, spikes.

Issues are linked where that is certain: files in `.devloop/issues/`, and `#12` when the plan's header has the address
of an issue or pull request to count from. The title of an issue's file is read when the editor asks for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Snapshot
from devloop.lsp.features._targets import LOCAL_ISSUE, File, Places
from devloop.lsp.protocol import Plain
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection
    from devloop.lsp.positions import Positions

METHOD: Final = t.TEXT_DOCUMENT_DOCUMENT_LINK
OPTIONS: Final = t.DocumentLinkOptions(resolve_provider=True)

_MAY_HOLD: Final = re.compile(r"#[0-9]|://|\]\(|[A-Z]-[0-9]{3}")
_CODE: Final = frozenset(("code", "comment"))


async def handle(connection: Connection, params: t.DocumentLinkParams) -> Plain | None:
    """Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    places = Places.of(connection.root, snapshot)
    tooltips = connection.client.can("textDocument.documentLink.tooltipSupport")
    return Plain(await asyncio.to_thread(links, snapshot, places, connection.positions, tooltips))


def links(snapshot: Snapshot, places: Places, positions: Positions, tooltips: bool) -> list[dict[str, Any]]:
    found = []
    for span in linking(snapshot.plan):
        link = _link(snapshot.uri, places, span, tooltips)
        if link is not None:
            range_ = positions.range(snapshot.document, span.line, span.start, span.end)
            start, end = range_.start, range_.end
            found.append(
                {
                    "range": {
                        "start": {"line": start.line, "character": start.character},
                        "end": {"line": end.line, "character": end.character},
                    },
                    **link,
                }
            )
    return found


def linking(plan: plans.Plan) -> Iterator[plans.Span]:
    """The spans that may lead somewhere, left to right; issues in files have their name as `value`."""
    nodes, header = plan.tree.nodes, max([0, *(each.line for each in plan.fields)])
    for line, text in enumerate(plan.document, 1):
        node = nodes.get(line)
        if not (_MAY_HOLD.search(text) or (node is not None and node.key == "files") or line <= header):
            continue
        spans = plans.spans(plan, line)
        found = [span for span in spans if span.kind in ("path", "link", "issue")]
        taken = [*found, *(span for span in spans if span.kind in _CODE)]
        for match in LOCAL_ISSUE.finditer(text):
            if not any(span.start < match.end() and match.start() < span.end for span in taken):
                found.append(plans.Span(line, *match.span(), "issue", match[0], match[0]))
        yield from sorted(found)


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
