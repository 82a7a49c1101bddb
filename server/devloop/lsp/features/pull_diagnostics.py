"""textDocument/diagnostic: the same diagnostics that are pushed, when the editor asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.lsp import diagnostics, own_files, publishing
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DIAGNOSTIC
OPTIONS: Final = t.DiagnosticOptions(
    inter_file_dependencies=False, workspace_diagnostics=False, identifier=diagnostics.SOURCE
)


async def handle(connection: Connection, params: t.DocumentDiagnosticParams) -> Plain:
    buffer = connection.find(params.text_document.uri)
    if buffer is None:
        found = await own_files.diagnostics(connection, params.text_document.uri)
        return found or Plain({"kind": "full", "items": []})
    result = str(buffer.version)
    items: list[dict[str, Any]] = publishing.items(connection, buffer, await buffer.snapshot())
    return Plain({"kind": "full", "resultId": result, "items": items})
