"""textDocument/hover: what stands at a place of the plan, and how the task there stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import agents
from devloop import plan as plans
from devloop.daemon import skill_list
from devloop.lsp import hovers
from devloop.lsp.outlooks import settled
from devloop.lsp.plan_texts import Known
from devloop.lsp.texts import Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from devloop.daemon.run_view import RunView
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_HOVER
OPTIONS: Final = t.HoverOptions()
DETAILS_S: Final = 0.2
"""How long a hover waits for the verdicts of a run that ended before the daemon began."""


async def handle(connection: Connection, params: t.HoverParams) -> t.Hover | None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    line, column = connection.positions.point(snapshot.document, params.position)
    span = plans.span_at(snapshot.plan, line + 1, column)
    if span is None:
        return None
    sheet = Sheet(_markdown(connection))
    if (path := hovers.path_at(snapshot.plan, span)) is not None:
        said = await asyncio.to_thread(hovers.look, connection.root, _places(connection, snapshot, span), *path)
        sheet.add(sheet.code(path[0]), "–", sheet.text(said))
    else:
        known = Known(
            snapshot.plan,
            await settled(buffer, snapshot.plan, waiters=True),
            await _runs(connection, snapshot, span.line),
            await asyncio.to_thread(agents.load_agents, connection.root),
            await asyncio.to_thread(skill_list.look, connection.root),
        )
        hovers.fill(sheet, known, span, column)
    if not sheet:
        return None
    kind = t.MarkupKind.Markdown if sheet.markdown else t.MarkupKind.PlainText
    place = connection.positions.range(snapshot.document, span.line, span.start, span.end)
    return t.Hover(t.MarkupContent(kind, sheet.value), place)


def _markdown(connection: Connection) -> bool:
    formats = connection.client.get("textDocument.hover.contentFormat")
    return isinstance(formats, list) and "markdown" in formats


def _places(connection: Connection, snapshot: Snapshot, span: plans.Span) -> list[Path]:
    beside = [snapshot.path.parent] if span.kind == "link" and snapshot.path is not None else []
    return [*beside, connection.root]


async def _runs(connection: Connection, snapshot: Snapshot, line: int) -> dict[int, RunView]:
    """The newest runs by line; the one of this line with its verdicts, when they can be had at once."""
    if not snapshot.main:
        return {}
    found = connection.board.of_plan(snapshot.plan)
    view = found.get(line)
    if view is None or (view.detailed and not view.unproven) or connection.service.engine.state != "running":
        return found
    asked = connection.spawn(connection.board.details(view.id))
    done, _ = await asyncio.wait({asked}, timeout=DETAILS_S)
    return {**found, line: asked.result() or view} if done else found
