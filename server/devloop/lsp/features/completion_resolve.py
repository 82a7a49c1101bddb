"""completionItem/resolve: what an item stands for, when the editor shows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs
from lsprotocol import types as t

from devloop import agents
from devloop import plan as plans
from devloop.daemon import skill_list
from devloop.lists import some
from devloop.lsp import hovers, meanings, skill_texts
from devloop.lsp.outlooks import outlook
from devloop.lsp.plan_texts import Known
from devloop.lsp.texts import Sheet

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Data

METHOD: Final = t.COMPLETION_ITEM_RESOLVE


async def handle(connection: Connection, item: t.CompletionItem) -> t.CompletionItem:
    """The item as it came when there is nothing more to say. Raises `UsageError` for data that is not ours."""
    if item.data is None or item.documentation is not None:
        return item
    from devloop.lsp.features import _payload

    data = _payload.item(connection.protocol.plain(item.data))
    formats = connection.client.get("textDocument.completion.completionItem.documentationFormat")
    sheet = Sheet(isinstance(formats, list) and "markdown" in formats)
    if data.kind == "dependency":
        await _task(connection, sheet, data)
    elif data.kind == "agent":
        _agent(connection, sheet, data.name)
    elif data.kind == "skill":
        known = await asyncio.to_thread(skill_list.look, connection.root)
        skill_texts.skill(sheet, known, data.name, None)
    else:
        sheet.add(sheet.text(_meaning(data), 400))
    if not sheet:
        return item
    kind = t.MarkupKind.Markdown if sheet.markdown else t.MarkupKind.PlainText
    return attrs.evolve(item, documentation=t.MarkupContent(kind, sheet.value))


async def _task(connection: Connection, sheet: Sheet, data: Data) -> None:
    """The same as when the pointer rests on the task."""
    buffer = connection.find(data.uri)
    if buffer is None:
        return
    snapshot = await buffer.snapshot()
    plan = snapshot.plan
    task = next((plan.tasks[at] for at in plan.graph.by_id.get(data.name.lower(), ())), None)
    span = plans.defining(plan, task) if task is not None else None
    if span is not None:
        runs = connection.board.of_plan(plan) if snapshot.main else {}
        known = await asyncio.to_thread(agents.load_agents, connection.root)
        hovers.fill(sheet, Known(plan, outlook(buffer, plan), runs, known), span, span.start)


def _agent(connection: Connection, sheet: Sheet, name: str) -> None:
    agent = agents.load_agents(connection.root).get(name)
    if agent is not None:
        sheet.add(sheet.text(agent.description, 400))
        sheet.add("Mode:" if len(agent.modes) == 1 else "Modes:", some((sheet.text(m.name) for m in agent.modes), 8))
        sheet.add("Tools:", sheet.text(", ".join(agent.tools), 400))


def _meaning(data: Data) -> str:
    name = data.name
    match data.kind:
        case "marker":
            return meanings.MARKERS.get(name, "")
        case "tag-name":
            return meanings.TAGS.get(name, "")
        case "meta-key":
            return meanings.META.get(name.lower(), "")
        case "header-key":
            return meanings.HEADER.get(name, "") or meanings.PHASE.get(name.lower(), "")
        case _:
            return ""
