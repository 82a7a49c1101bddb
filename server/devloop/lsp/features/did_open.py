"""textDocument/didOpen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp import own_files, publishing

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DID_OPEN


def handle(connection: Connection, params: t.DidOpenTextDocumentParams) -> None:
    buffer = connection.open(params.text_document)
    if buffer is None:
        own_files.open_document(connection, params.text_document)
    connection.live.findings.documents_changed()
    if buffer is None:
        return
    if not connection.pulls:
        connection.spawn(publishing.publish(connection, buffer))
    if buffer.main:
        connection.live.attend(connection, buffer)
