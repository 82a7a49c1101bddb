"""workspace/executeCommand: see `lsp.commands`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.commands import execute
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WORKSPACE_EXECUTE_COMMAND


async def handle(connection: Connection, params: t.ExecuteCommandParams) -> Plain:
    plain = connection.protocol.plain(params)
    return Plain(await execute(connection, params.command, plain.get("arguments")))
