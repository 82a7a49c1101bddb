"""Ids under the cursor and everywhere else: what definition, references, highlight and rename share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from lsprotocol import types as t

from devloop import plan as plans
from devloop.lsp.buffers import Buffer, Snapshot
from devloop.lsp.features._extents import LONG

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

T = TypeVar("T")


class Asked(Protocol):
    """What requests about a place have in common."""

    @property
    def text_document(self) -> t.TextDocumentIdentifier: ...

    @property
    def position(self) -> t.Position: ...


class Place(NamedTuple):
    """A position of a request in the newest version. `line` from 1, `column` in code points."""

    buffer: Buffer
    snapshot: Snapshot
    line: int
    column: int

    @property
    def plan(self) -> plans.Plan:
        return self.snapshot.plan


async def place(connection: Connection, params: Asked) -> Place | None:
    """None for a document that is no plan."""
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return None
    snapshot = await buffer.snapshot()
    line, column = connection.positions.point(snapshot.document, params.position)
    return Place(buffer, snapshot, line + 1, column)


async def uses(at: Place) -> tuple[list[plans.Span], list[plans.Span]]:
    """(definitions, references) of what is named at a place, each in the order of lines."""
    plan = at.plan
    things = plans.named_at(plan, at.line, at.column)
    defined = {span for thing in things if (span := plans.defining(plan, thing)) is not None}
    named = set[plans.Span]()
    for thing in things:
        named.update(await walked(plan, partial(plans.references, plan, thing)))
    return sorted(defined), sorted(named)


async def walked(plan: plans.Plan, work: Callable[[], T]) -> T:
    """What walks through a whole plan; in a thread when that is long."""
    return await asyncio.to_thread(work) if plan.document.count > LONG else work()


def range_of(connection: Connection, plan: plans.Plan, span: plans.Span) -> t.Range:
    return connection.positions.range(plan.document, span.line, span.start, span.end)
