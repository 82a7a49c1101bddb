"""textDocument/rename: another id for a task, everywhere in the plan that it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import Refused
from devloop.lsp.features import _names
from devloop.lsp.features.prepare_rename import refusal

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_RENAME


async def handle(connection: Connection, params: t.RenameParams) -> t.WorkspaceEdit | None:
    """Null for a document that is no plan. Raises `Refused` where no id stands, `UsageError` (see `plan.rename`) for an
    id that can't be."""
    at = await _names.place(connection, params)
    if at is None:
        return None
    plan = at.plan
    found = plans.renamable(plan, at.line, at.column)
    if found is None:
        raise refusal(at) or Refused("There is no task's id at this place.")
    task = plan.tasks[plan.graph.by_line[found.line]]
    edits = await _names.walked(plan, lambda: plans.rename(plan, task, params.new_name))
    changes = [connection.positions.edit(plan.document, edit) for edit in edits]
    return connection.workspace_edit(at.snapshot.uri, at.snapshot.version, changes)
