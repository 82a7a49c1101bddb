"""workspace/textDocumentContent: the text of `devloop://run/…` (LSP 3.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.live.shown import name_of, plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WORKSPACE_TEXT_DOCUMENT_CONTENT


async def handle(connection: Connection, params: t.TextDocumentContentParams) -> t.TextDocumentContentResult:
    run, kind = name_of(params.uri)
    return t.TextDocumentContentResult(plain(kind, await connection.live.shown.text(run, kind)))
