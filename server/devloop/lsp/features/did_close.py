"""textDocument/didClose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp import own_files, publishing

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DID_CLOSE


def handle(connection: Connection, params: t.DidCloseTextDocumentParams) -> None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        own_files.close_document(connection, params.text_document.uri)
    else:
        connection.forget(buffer)
        publishing.clear(connection, buffer)
        if buffer.main:
            connection.live.closed_plan.look()
    connection.live.findings.documents_changed()
