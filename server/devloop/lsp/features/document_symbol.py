"""textDocument/documentSymbol: phases, their tasks and subtasks, criteria and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DOCUMENT_SYMBOL
OPTIONS: Final = t.DocumentSymbolOptions(label="devloop")


async def handle(connection: Connection, params: t.DocumentSymbolParams) -> Plain | None:
    """Being written."""
    return None
