"""textDocument/didSave. With the text, so that a buffer and what was written can be compared, and so that the pipe need
not keep every change since the document was opened."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DID_SAVE
OPTIONS: Final = t.SaveOptions(include_text=True)

log = logging.getLogger(__name__)


def handle(connection: Connection, params: t.DidSaveTextDocumentParams) -> None:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        if (own := connection.own_files.get(params.text_document.uri)) is not None:
            own.advance(anew=True)
            if connection.pulls:
                connection.live.diagnostics_changed(connection)
        return
    if params.text is not None and params.text != buffer.document.text:
        log.warning("what an editor saved is not what it showed us; the saved text counts")
        buffer.change(buffer.version, [t.TextDocumentContentChangeWholeDocument(params.text)], connection.positions)
    connection.live.plan_moved(connection)
    if buffer.main:
        connection.service.documents.open_plans.saved(buffer)
        connection.live.outside.saved(buffer)
