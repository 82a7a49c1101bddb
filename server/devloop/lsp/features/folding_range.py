"""textDocument/foldingRange: phases and other sections, tasks with what belongs to them, fences, comments, front
matter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.features._extents import LONG, item_ends, section_end
from devloop.lsp.protocol import Json
from devloop.plan import html
from devloop.plan.blocks import COMMENT, FENCE, FENCED, ITEM, Fence
from devloop.plan.graph import Graph

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_FOLDING_RANGE


class Wishes(NamedTuple):
    """What a client declares. `kinds`: those it knows (None: the protocol's); `texts`: for folded lines."""

    limit: int | None
    texts: bool
    kinds: frozenset[str] | None

    @classmethod
    def of(cls, connection: Connection) -> Wishes:
        client = connection.client
        limit = client.get("textDocument.foldingRange.rangeLimit")
        kinds = client.get("textDocument.foldingRange.foldingRangeKind.valueSet")
        return cls(
            limit if isinstance(limit, int) and limit >= 0 else None,
            client.can("textDocument.foldingRange.foldingRange.collapsedText"),
            frozenset(map(str, kinds)) if isinstance(kinds, list) else None,
        )


_known: Final[WeakKeyDictionary[Graph, dict[Wishes, Json]]] = WeakKeyDictionary()


class Fold(NamedTuple):
    """Lines from 1. `weight`: what is shown first when a client takes only so many; `text`: for the folded line."""

    first: int
    last: int
    kind: str = ""
    weight: int = 0
    text: str = ""


async def handle(connection: Connection, params: t.FoldingRangeParams) -> Json | None:
    """Null for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    plan = (await buffer.snapshot()).plan
    wishes = Wishes.of(connection)
    found = _known.get(plan.graph, {}).get(wishes)
    if found is None:
        long = plan.document.count > LONG
        found = await asyncio.to_thread(answer, plan, wishes) if long else answer(plan, wishes)
        _known.setdefault(plan.graph, {})[wishes] = found
    return found


def answer(plan: plans.Plan, wishes: Wishes) -> Json:
    """The folds as a client wants them."""
    found = folds(plan)
    if wishes.limit is not None and wishes.limit < len(found):
        found = sorted(sorted(found, key=lambda fold: (fold.weight, fold.first))[: wishes.limit])
    return Json(json.dumps([_plain(fold, wishes) for fold in found], separators=(",", ":")))


def _plain(fold: Fold, wishes: Wishes) -> dict[str, Any]:
    value: dict[str, Any] = {"startLine": fold.first - 1, "endLine": fold.last - 1}
    if fold.kind and (wishes.kinds is None or fold.kind in wishes.kinds):
        value["kind"] = fold.kind
    if wishes.texts and fold.text:
        value["collapsedText"] = fold.text
    return value


def folds(plan: plans.Plan) -> list[Fold]:
    """What can be folded, by line; whole lines, since a plan has nothing to fold within one."""
    document = plan.document
    found = [*_sections(plan), *_items(plan), *_blocks(document)]
    if document.front > 1:
        found.append(Fold(1, document.front, "region", 1))
    found.sort()
    return found


def _sections(plan: plans.Plan) -> Iterator[Fold]:
    phases = {phase.line: at for at, phase in enumerate(plan.phases)}
    for at, section in enumerate(plan.sections):
        first = section.line + section.heading_lines - 1
        last = section_end(plan.document, first, section.last_line)
        if last <= first or (at == 0 and section.level == 1 and section.line not in phases):
            continue
        text = ""
        if section.line in phases:
            counts = plan.stats.phases[phases[section.line]]
            text = f"{counts.done} of {counts.total} done" if counts.total else "no tasks"
        yield Fold(first, last, "region", 0 if section.line in phases or section.kind == "log" else 1, text)


def _items(plan: plans.Plan) -> Iterable[Fold]:
    ends = item_ends(plan)
    for task in plan.tasks:
        last = ends.get(task.line, task.line)
        if last > task.line:
            count = last - task.line
            text = f"{count} more line{'' if count == 1 else 's'}"
            yield Fold(task.line, last, "region", 2 if task.parent_line is None else 3, text)


def _blocks(document: plans.Document) -> Iterator[Fold]:
    """Fences and comments of more than one line."""
    begun, kind = 0, ""
    for line, step in enumerate(document.steps(), 1):
        leaf = step.state.leaf
        if begun and step.kind != (COMMENT if kind else FENCED):
            yield from _block(begun, line - 1, kind)  # it ended with the item that holds it
            begun = 0
        if not begun and (step.kind in (FENCE, COMMENT) or (step.kind == ITEM and leaf is not None)):
            if isinstance(leaf, Fence):
                begun, kind = line, ""
            elif leaf == html.COMMENT:
                begun, kind = line, "comment"
        elif begun and not isinstance(leaf, Fence) and leaf != html.COMMENT:
            yield from _block(begun, line, kind)
            begun = 0
    if begun:
        yield from _block(begun, document.count, kind)


def _block(first: int, last: int, kind: str) -> Iterator[Fold]:
    if last > first:
        yield Fold(first, last, kind, 4)
