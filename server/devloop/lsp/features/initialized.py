"""initialized: from here on the server may ask the editor by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp import configuration

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.INITIALIZED


def handle(connection: Connection, params: t.InitializedParams) -> None:
    connection.spawn(configuration.begin(connection))
