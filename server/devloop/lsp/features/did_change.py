"""textDocument/didChange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DID_CHANGE


def handle(connection: Connection, params: t.DidChangeTextDocumentParams) -> None:
    buffer = connection.find(params.text_document.uri)
    if buffer is not None:
        buffer.change(params.text_document.version, params.content_changes, connection.positions)
    elif (own := connection.own_files.get(params.text_document.uri)) is not None:
        own.change(params.text_document.version, params.content_changes, connection.positions)
