"""codeLens/resolve: title and command of a lens that the editor shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.errors import StaleEdit
from devloop.lsp import lenses
from devloop.lsp.features.code_lens import look
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.CODE_LENS_RESOLVE


async def handle(connection: Connection, params: t.CodeLens) -> Plain:
    lens = connection.protocol.plain(params)
    if lens.get("command") is not None:
        return Plain(lens)
    data = lens.get("data")
    buffer = connection.find(str(data.get("uri"))) if isinstance(data, dict) else None
    if buffer is None or not buffer.main or not connection.options.code_lens:
        raise StaleEdit("This lens belongs to no open plan.")
    return Plain({**lens, "command": lenses.command(await look(connection, buffer), data)})
