"""textDocument/definition: from where a task or phase is named to where it stands; from the name of a file, agent
or skill to the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import agents
from devloop import plan as plans
from devloop.daemon import skill_list
from devloop.lsp import skill_texts
from devloop.lsp.features import _names, _targets
from devloop.lsp.features._extents import item_ends, section_end

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DEFINITION


async def handle(connection: Connection, params: t.DefinitionParams) -> list[t.Location] | list[t.LocationLink] | None:
    """Null where nothing is named. A range of tasks leads to all of them."""
    at = await _names.place(connection, params)
    span = plans.span_at(at.plan, at.line, at.column) if at is not None else None
    if at is None or span is None:
        return None
    if span.kind in ("path", "link"):
        return await _file(connection, at, span)
    if span.kind in _MADE:
        made = await asyncio.to_thread(_MADE[span.kind], connection.root, at, span)
        return _at(connection, at, span, made) if made is not None else None
    found = plans.definition(at.plan, span, at.column)
    if not found:
        return None
    uri, plan = at.snapshot.uri, at.plan
    if not connection.client.can("textDocument.definition.linkSupport"):
        return [t.Location(uri, _names.range_of(connection, plan, each)) for each in found]
    origin = _names.range_of(connection, plan, _under(plan, span, at.column))
    return [
        t.LocationLink(uri, _whole(connection, plan, each.line), _names.range_of(connection, plan, each), origin)
        for each in found
    ]


def _under(plan: plans.Plan, span: plans.Span, column: int) -> plans.Span:
    """The part of a span that a place is in: an end of a range."""
    for name in plans.named(plan, span):
        if name.start <= column <= name.end:
            return span._replace(start=name.start, end=name.end)
    return span


def _whole(connection: Connection, plan: plans.Plan, line: int) -> t.Range:
    """A task with what belongs to it, or the lines of a phase."""
    last = item_ends(plan).get(line, line)
    for phase in plan.phases:
        if phase.line == line:
            last = section_end(plan.document, line, phase.end_line)
    return connection.positions.lines(plan.document, line, last)


async def _file(
    connection: Connection, at: _names.Place, span: plans.Span
) -> list[t.Location] | list[t.LocationLink] | None:
    places = _targets.Places.of(connection.root, at.snapshot)
    found = await asyncio.to_thread(places.file, span)
    if found is None:
        return None
    return _at(connection, at, span, found)


def _at(
    connection: Connection, at: _names.Place, span: plans.Span, found: _targets.File
) -> list[t.Location] | list[t.LocationLink]:
    first, last = found.lines or (1, 1)
    range_ = t.Range(t.Position(first - 1, 0), t.Position(last if found.lines else 0, 0))
    if not connection.client.can("textDocument.definition.linkSupport"):
        return [t.Location(found.path.as_uri(), range_)]
    origin = _names.range_of(connection, at.plan, span)
    return [t.LocationLink(found.path.as_uri(), range_, range_, origin)]


def _agent(root: Path, at: _names.Place, span: plans.Span) -> _targets.File | None:
    """The file of the agent that is named here, or of which a mode is."""
    said = [each for each in plans.spans(at.plan, span.line) if each.kind == "agent" and each.start <= span.start]
    found = agents.load_agents(root).get(said[-1].value) if said else None
    if found is None or not found.path:
        return None
    path = root / found.path  # of one that ships it is absolute
    return _targets.File(path, found.path) if path.is_file() else None


def _skill(root: Path, at: _names.Place, span: plans.Span) -> _targets.File | None:
    """Also of one that is not trusted: a person reads it before."""
    found = skill_texts.find(skill_list.look(root), span.value)
    return _targets.File(found.path, found.name) if found is not None else None


_MADE: Final[dict[str, Callable[[Path, _names.Place, plans.Span], _targets.File | None]]] = {
    "agent": _agent,
    "mode": _agent,
    "skill": _skill,
}
