"""textDocument/documentHighlight: where the task or phase under the cursor stands (write) and is named (read)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.features import _names

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT


async def handle(connection: Connection, params: t.DocumentHighlightParams) -> list[t.DocumentHighlight] | None:
    """Null where nothing is named: the editor may then do what it does by itself."""
    at = await _names.place(connection, params)
    if at is None:
        return None
    defined, named = await _names.uses(at)
    kinds = dict.fromkeys(named, t.DocumentHighlightKind.Read)
    kinds |= dict.fromkeys(defined, t.DocumentHighlightKind.Write)
    return [
        t.DocumentHighlight(_names.range_of(connection, at.plan, span), kind) for span, kind in sorted(kinds.items())
    ] or None
