"""An open plan's diagnostics: pushed after each change, with the version they were found in.

One push at a time per document: what is typed while one is being prepared is covered by the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as t

from devloop.lsp.buffers import Buffer, Snapshot
from devloop.lsp.diagnostics import Item, listed
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection


async def publish(connection: Connection, buffer: Buffer) -> None:
    """Push the diagnostics of each version until the document is closed."""
    told: tuple[int, list[Item]] | None = None
    while not buffer.closed:
        news = buffer.advanced
        snapshot = await buffer.snapshot()
        found = (snapshot.version, items(connection, buffer, snapshot))
        if found != told and not buffer.closed:
            told = found
            params = Plain({"uri": buffer.uri, "version": found[0], "diagnostics": found[1]})
            connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
        await news.wait()


def clear(connection: Connection, buffer: Buffer) -> None:
    if not connection.pulls:
        connection.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, {"uri": buffer.uri, "diagnostics": []})


def items(connection: Connection, buffer: Buffer, snapshot: Snapshot) -> list[Item]:
    """The diagnostics of one version: its checkpoints, and at most as many problems as the person wants to see; the
    last one counts the others."""
    outside = connection.live.outside.problems(buffer, snapshot)
    found = listed(connection, snapshot, outside, buffer.chosen, beyond=connection.live.outside.beyond(buffer))
    found += connection.live.shield.rows(connection, buffer, snapshot)
    return found + connection.live.findings.rows(connection, buffer.uri, snapshot.document)
