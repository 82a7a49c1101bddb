"""textDocument/prepareRename: whether a task's id stands here, and what the input begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import Refused
from devloop.lsp.features import _names

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_PREPARE_RENAME


async def handle(connection: Connection, params: t.PrepareRenameParams) -> t.PrepareRenamePlaceholder | None:
    """Null where nothing can be renamed. Raises `Refused` where a person may wonder why."""
    at = await _names.place(connection, params)
    if at is None:
        return None
    found = plans.renamable(at.plan, at.line, at.column)
    if found is not None:
        range_ = connection.positions.range(at.plan.document, at.line, found.start, found.end)
        return t.PrepareRenamePlaceholder(range_, found.placeholder)
    problem = refusal(at)
    if problem is not None:
        raise problem
    return None


def refusal(at: _names.Place) -> Refused | None:
    """Why the task that is named at a place can't be renamed there; None when none is named."""
    span = plans.span_at(at.plan, at.line, at.column)
    if span is None:
        return None
    if span.kind == "log-task":
        return Refused("The log is history: a task is not renamed there.", hint="Rename it where it stands.")
    if span.kind not in ("dependency", "task-reference"):
        return None
    things = plans.named_at(at.plan, at.line, at.column)
    if len(things) > 1 and all(isinstance(thing, plans.Task) for thing in things):
        lines = ", ".join(str(thing.line) for thing in things[:5])
        return Refused(f"Several tasks have this id (lines {lines}).", hint="Rename one of them where it stands.")
    return None
