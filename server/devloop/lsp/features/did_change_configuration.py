"""workspace/didChangeConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp import configuration, options

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WORKSPACE_DID_CHANGE_CONFIGURATION


def handle(connection: Connection, params: t.DidChangeConfigurationParams) -> None:
    """An editor that can be asked is asked; what others send along counts."""
    if connection.client.takes(t.WORKSPACE_CONFIGURATION):
        connection.spawn(configuration.fetch(connection))
    else:
        plain = connection.protocol.plain(params)
        configuration.take(connection, options.section(plain.get("settings")))
