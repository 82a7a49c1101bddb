"""textDocument/documentSymbol: headings and phases, their tasks and steps, criteria, the log.

The answer is kept as text, piece by piece: after a keystroke that changes no structure only the pieces of that line
are written again.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Snapshot
from devloop.lsp.features._extents import LONG, changed_lines, end_units, units
from devloop.lsp.features._outline import Entry, outline
from devloop.lsp.positions import Positions
from devloop.lsp.protocol import Json
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DOCUMENT_SYMBOL
OPTIONS: Final = t.DocumentSymbolOptions(label="devloop")

NAME: Final = 200
_KINDS: Final = {"phase": 3, "section": 15, "log": 18, "task": 12, "step": 8, "criterion": 17}
_STATES: Final = {
    "pending": "",
    "in_progress": "in progress",
    "complete": "done",
    "blocked": "blocked",
    "skipped": "skipped",
    "deferred": "deferred",
    "unknown": "unknown marker",
}


@dataclass
class _Kept:
    """What was answered last for a buffer. `by_line`: the entries that begin or end in a line."""

    plan: plans.Plan
    writer: _Writer
    roots: list[Entry]
    by_line: dict[int, list[Entry]]


async def handle(connection: Connection, params: t.DocumentSymbolParams) -> Json | None:
    """Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    kept: _Kept | None = buffer.of_structure.get(METHOD)
    changed = changed_lines(kept.plan, snapshot.plan) if kept is not None else None
    if kept is None or changed is None:
        writer = _Writer.of(connection, snapshot)
        if snapshot.document.count > LONG:
            kept = await asyncio.to_thread(_built, snapshot.plan, writer)
        else:
            kept = _built(snapshot.plan, writer)
        buffer.keep(METHOD, snapshot.plan, kept)
    elif changed:
        for line in changed:
            for entry in kept.by_line.get(line, ()):
                entry.forget()
        kept.plan = snapshot.plan
    return Json(kept.writer.document(snapshot.plan, kept.roots))


def _built(plan: plans.Plan, writer: _Writer) -> _Kept:
    roots = outline(plan)
    by_line: dict[int, list[Entry]] = {}
    waiting = list(roots)
    while waiting:
        entry = waiting.pop()
        for line in {entry.line, entry.end}:
            by_line.setdefault(line, []).append(entry)
        waiting += entry.children
    writer.document(plan, roots)
    return _Kept(plan, writer, roots, by_line)


@dataclass(frozen=True)
class _Writer:
    """Writes entries for one client. `flat`: it knows no hierarchy; `tags`: it knows the tag for what is left out."""

    positions: Positions
    uri: str
    flat: bool
    tags: bool

    @classmethod
    def of(cls, connection: Connection, snapshot: Snapshot) -> _Writer:
        known = connection.client.get("textDocument.documentSymbol.tagSupport.valueSet")
        hierarchical = connection.client.can("textDocument.documentSymbol.hierarchicalDocumentSymbolSupport")
        return cls(connection.positions, snapshot.uri, not hierarchical, isinstance(known, list) and 1 in known)

    def document(self, plan: plans.Plan, roots: list[Entry]) -> str:
        return "[" + ",".join([entry.text or self._write(plan, entry) for entry in roots]) + "]"

    def _write(self, plan: plans.Plan, entry: Entry) -> str:
        kind, name, detail, column, deprecated = described(plan, entry)
        shown = _text(one_line(name, NAME) or "(no title)")
        positions, document = self.positions, plan.document
        last, end = entry.end - 1, end_units(positions, document, entry.end)
        note = ('"tags":[1],' if self.tags else '"deprecated":true,') if deprecated else ""
        inner = ",".join([child.text or self._write(plan, child) for child in entry.children])
        start = f'"start":{{"line":{entry.line - 1},"character":0}}'
        range_ = f'{{{start},"end":{{"line":{last},"character":{end}}}}}'
        if self.flat:
            holder = f',"containerName":{_text(_holder(plan, entry))}' if entry.parent is not None else ""
            place = f'{{"uri":{_text(self.uri)},"range":{range_}}}'
            own = f'{{"name":{shown},"kind":{kind},{note}"location":{place}{holder}}}'
            entry.text = f"{own},{inner}" if inner else own
            return entry.text
        first = units(positions, document, entry.line, column)
        stop = end if entry.end == entry.line else end_units(positions, document, entry.line)
        said = f'"detail":{_text(one_line(detail, NAME))},' if detail else ""
        entry.text = (
            f'{{"name":{shown},{said}"kind":{kind},{note}"range":{range_},'
            f'"selectionRange":{{"start":{{"line":{entry.line - 1},"character":{first}}},'
            f'"end":{{"line":{entry.line - 1},"character":{stop}}}}}' + (f',"children":[{inner}]}}' if inner else "}")
        )
        return entry.text


def described(plan: plans.Plan, entry: Entry) -> tuple[int, str, str, int, bool]:
    """(symbol kind, name, detail, column where the name begins, left out on purpose)."""
    if entry.kind == "task":
        task = plan.tasks[entry.index]
        box = plan.tree.tasks[entry.index].box
        name = f"{task.id} {task.title}".rstrip() if task.explicit else task.title
        kind = _KINDS["task" if task.parent_line is None else "step"]
        return kind, name, _STATES[task.status], box.body if box else 0, task.status == "skipped"
    if entry.kind == "criterion":
        criterion = plan.criteria[entry.index]
        node = plan.tree.nodes.get(entry.line)
        detail = "met" if criterion.done else ""
        return _KINDS["criterion"], criterion.text, detail, node.box.body if node and node.box else 0, False
    if entry.kind == "phase":
        phase = plan.phases[entry.index]
        counts = plan.stats.phases[entry.index]
        progress = f"{counts.done} of {counts.total} done" if counts.total else "no tasks"
        name = f"Phase {phase.id}: {phase.name}" if phase.name else f"Phase {phase.id}"
        return _KINDS["phase"], name, f"{progress} · {phase.goal}" if phase.goal else progress, 0, False
    section = plan.sections[entry.index]
    if entry.kind == "log":
        count = sum(section.line < line.line <= section.last_line for line in plan.log)
        return _KINDS["log"], section.text, f"{count} line{'' if count == 1 else 's'}", 0, False
    return _KINDS["section"], section.text, "", 0, False


def _holder(plan: plans.Plan, entry: Entry) -> str:
    assert entry.parent is not None
    return one_line(described(plan, entry.parent)[1], NAME)


_text: Final = json.encoder.encode_basestring
