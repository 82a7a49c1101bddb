"""The language server: all editors of one workspace, behind one daemon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from devloop.lsp import features
from devloop.lsp.connection import Connection
from devloop.lsp.live import Live

if TYPE_CHECKING:
    from devloop.daemon.service import Service


class Editors:
    def __init__(self, service: Service) -> None:
        self._service = service
        self.connections: set[Connection] = set()
        self.live = Live(service)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one editor to the end of its connection. One that leaves disturbs no other."""
        connection = Connection(self._service, writer, self.live, features)
        self.connections.add(connection)
        try:
            await connection.serve(reader)
        finally:
            self.connections.discard(connection)
