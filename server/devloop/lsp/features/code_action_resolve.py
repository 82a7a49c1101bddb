"""codeAction/resolve: the edits of an action that the person chose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.features._actions import read, stale
from devloop.lsp.features._refactorings import is_long
from devloop.lsp.features.code_action import AT_ONCE, edits_of, workspace_edit
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.CODE_ACTION_RESOLVE


async def handle(connection: Connection, params: t.CodeAction) -> Plain:
    """The action as it came when nothing is left to find. Raises `UsageError` for one that is not ours, `StaleEdit`
    when the text is another one by now, `Refused` when it can't be done."""
    action = connection.protocol.plain(params)
    if action.get("edit") is not None or action.get("data") is None:
        return Plain(action)
    wanted = read(connection, action["data"])
    buffer = connection.find(wanted.uri)
    if buffer is None or buffer.version != wanted.version:
        raise stale()
    snapshot = await buffer.snapshot()
    if snapshot.version != wanted.version:
        raise stale()
    if wanted.do not in AT_ONCE and is_long(snapshot.plan):
        edits = await asyncio.to_thread(edits_of, connection, buffer, snapshot, wanted)
    else:
        edits = edits_of(connection, buffer, snapshot, wanted)
    if buffer.version != wanted.version:
        raise stale()
    return Plain({**action, "edit": workspace_edit(connection, snapshot, edits)})
