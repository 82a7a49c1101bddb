"""inlayHint/resolve: the tooltip of a hint that a person looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import StaleEdit
from devloop.lsp import hints
from devloop.lsp.features.inlay_hint import look
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.INLAY_HINT_RESOLVE


async def handle(connection: Connection, params: t.InlayHint) -> Plain:
    hint = connection.protocol.plain(params)
    data = hint.get("data")
    buffer = connection.find(str(data.get("uri"))) if isinstance(data, dict) else None
    if buffer is None:
        return Plain(hint)
    _, known = await look(connection, buffer)
    try:
        task = plans.locate(known.plan, plans.TaskRef.from_json(data))
    except StaleEdit:
        return Plain(hint)  # it was made for an older text, and disappears with the next answer
    text = hints.tooltip(known, known.plan.graph.by_line[task.line], str(data.get("kind")))
    return Plain({**hint, "tooltip": text} if text else hint)
