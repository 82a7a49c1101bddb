"""textDocument/references: every place that names a task or a phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.features import _names

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_REFERENCES


async def handle(connection: Connection, params: t.ReferenceParams) -> list[t.Location] | None:
    """Null for a document that is no plan; empty where nothing is named."""
    at = await _names.place(connection, params)
    if at is None:
        return None
    defined, named = await _names.uses(at)
    found = sorted([*defined, *named]) if params.context.include_declaration else named
    return [t.Location(at.snapshot.uri, _names.range_of(connection, at.plan, span)) for span in found]
