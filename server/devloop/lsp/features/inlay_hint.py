"""textDocument/inlayHint: what a task waits for, how its run stands."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import agents
from devloop.lsp import hints, refresh
from devloop.lsp.outlooks import settled
from devloop.lsp.plan_texts import Known
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_INLAY_HINT
OPTIONS: Final = t.InlayHintOptions(resolve_provider=True)


async def handle(connection: Connection, params: t.InlayHintParams) -> Plain:
    buffer = connection.find(params.text_document.uri)
    if buffer is None or not connection.options.inlay_hints:
        return Plain([])
    await refresh.watch(connection, METHOD)
    snapshot, known = await look(connection, buffer)
    first, last = params.range.start.line + 1, params.range.end.line + 1
    found = hints.behind(known, first, last, agent=connection.options.agent_hints)
    resolves = "tooltip" in (connection.client.get("textDocument.inlayHint.resolveSupport.properties") or ())
    return Plain([_item(connection, snapshot, known, resolves, *each) for each in islice(found, hints.MOST)])


async def look(connection: Connection, buffer: Buffer) -> tuple[Snapshot, Known]:
    definitions = await asyncio.to_thread(agents.load_agents, connection.root)
    snapshot = await buffer.snapshot()
    runs = connection.board.of_plan(snapshot.plan) if snapshot.main else {}
    return snapshot, Known(snapshot.plan, await settled(buffer, snapshot.plan), runs, definitions)


def _item(
    connection: Connection, snapshot: Snapshot, known: Known, resolves: bool, at: int, kind: str, text: str
) -> dict[str, Any]:
    task = known.plan.tasks[at]
    end = connection.positions.range(snapshot.document, task.line).end
    item = {"position": {"line": end.line, "character": end.character}, "label": text, "paddingLeft": True}
    if resolves:
        return {**item, "data": {"uri": snapshot.uri, "kind": kind, "line": task.line, "id": task.id}}
    return {**item, "tooltip": hints.tooltip(known, at, kind)}
