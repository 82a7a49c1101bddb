"""textDocument/codeAction: fixes, decisions, refactorings and runs at a place.

Calm: what a cursor that comes by is told are ways out of problems and decisions that wait; everything else is there
when a person opens the menu.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import DevloopError
from devloop.lsp.features import _own_file_actions, _quick_fixes, _refactorings, _run_actions
from devloop.lsp.features._actions import KINDS, Action, Asked
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Payload

METHOD: Final = t.TEXT_DOCUMENT_CODE_ACTION
OPTIONS: Final = t.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True)

Row = dict[str, Any]
Whole = dict["Payload", Row | str]
WHOLE_S: Final = 0.5
AT_ONCE: Final = frozenset(("fix", "reply"))
"""Edits that cost no more in a long plan than in a short one; the others are found in a thread where it is long."""
_CAN: Final = "textDocument.codeAction"


async def handle(connection: Connection, params: t.CodeActionParams) -> Plain | None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        return await _own_file_actions.actions(connection, params)
    asked = _asked(connection, buffer, await buffer.snapshot(), params)
    found = list(_offered(connection, asked))
    if _refactorings.is_long(asked.plan):
        found += await asyncio.to_thread(lambda: list(_refactorings.numbers(asked)))
    else:
        found += _refactorings.numbers(asked)
    findings = connection.live.findings.actions(connection, params)
    if not connection.client.can(f"{_CAN}.codeActionLiteralSupport"):
        return Plain([*findings, *(action.command for action in found if action.command is not None)])
    whole = None if _resolves(connection) else await _whole(connection, buffer, asked.snapshot, found)
    return Plain([*findings, *(row for action in found if (row := _row(connection, action, whole)) is not None)])


def _asked(connection: Connection, buffer: Buffer, snapshot: Snapshot, params: t.CodeActionParams) -> Asked:
    start, end, context = params.range.start, params.range.end, params.context
    first = connection.positions.point(snapshot.document, start)[0] + 1
    last = connection.positions.point(snapshot.document, end)[0] + 1
    if end.character == 0 and last > first:
        last -= 1
    only = tuple(str(getattr(kind, "value", kind)) for kind in context.only) if context.only is not None else None
    invoked = context.trigger_kind is not t.CodeActionTriggerKind.Automatic or only is not None
    return Asked(snapshot, buffer, params.range, first, last, context.diagnostics, only, invoked)


def _offered(connection: Connection, asked: Asked) -> Iterator[Action]:
    yield from _run_actions.deciding(connection, asked)
    yield from _quick_fixes.offered(connection, asked)
    yield from _quick_fixes.all_at_once(connection, asked)
    yield from _run_actions.running(connection, asked)
    yield from (action for action in _refactorings.offered(connection, asked) if asked.takes(action.kind))


def _resolves(connection: Connection) -> bool:
    parts = connection.client.get(f"{_CAN}.resolveSupport.properties")
    return connection.client.can(f"{_CAN}.dataSupport") and isinstance(parts, list) and "edit" in parts


def edits_of(connection: Connection, buffer: Buffer, snapshot: Snapshot, wanted: Payload) -> tuple[plans.Edit, ...]:
    """The edits that a payload names. Raises `StaleEdit` and `Refused`. May take long, but for `AT_ONCE`."""
    match wanted.do:
        case "fix" | "fix-all":
            return _quick_fixes.edits(connection, buffer, snapshot, wanted)
        case "reply":
            return _run_actions.edits(snapshot, wanted)
        case _:
            return _refactorings.edits(snapshot, wanted)


def workspace_edit(connection: Connection, snapshot: Snapshot, edits: tuple[plans.Edit, ...]) -> Row:
    changes = [connection.positions.edit(snapshot.document, edit) for edit in edits]
    found: Row = connection.protocol.plain(connection.workspace_edit(snapshot.uri, snapshot.version, changes))
    return found


async def _whole(connection: Connection, buffer: Buffer, snapshot: Snapshot, actions: list[Action]) -> Whole:
    """The edits of all actions (or why there are none), for an editor that can't ask for them later; those that are
    not found within `WHOLE_S` seconds are not offered."""
    payloads = [action.payload for action in actions if action.payload is not None]
    near = [wanted for wanted in payloads if wanted.do in AT_ONCE]
    far = [wanted for wanted in payloads if wanted.do not in AT_ONCE]
    until = time.monotonic() + WHOLE_S

    def found(wanted: list[Payload]) -> Whole:
        made: Whole = {}
        for each in wanted:
            if time.monotonic() < until:
                try:
                    made[each] = workspace_edit(connection, snapshot, edits_of(connection, buffer, snapshot, each))
                except DevloopError as problem:
                    made[each] = problem.message
        return made

    whole = found(near)
    whole |= await asyncio.to_thread(found, far) if _refactorings.is_long(snapshot.plan) else found(far)
    return whole


def _row(connection: Connection, action: Action, whole: Whole | None) -> Row | None:
    """None for what the editor can't show. `whole`: None where the editor asks for edits when it needs them."""
    row: Row = {"title": action.title}
    if action.kind:
        row["kind"] = action.kind
    if action.diagnostics:
        row["diagnostics"] = connection.protocol.plain(list(action.diagnostics))
    disabled = action.disabled
    if action.payload is not None and whole is not None:
        edit = whole.get(action.payload)
        if edit is None:
            return None
        if isinstance(edit, str):
            disabled = edit
        else:
            row["edit"] = edit
    elif action.payload is not None:
        row["data"] = action.payload.model_dump()
    if disabled:
        return {**row, "disabled": {"reason": disabled}} if connection.client.can(f"{_CAN}.disabledSupport") else None
    if action.command is not None:
        row["command"] = action.command
    if action.preferred and connection.client.can(f"{_CAN}.isPreferredSupport"):
        row["isPreferred"] = True
    return row
