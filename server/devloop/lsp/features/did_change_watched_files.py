"""workspace/didChangeWatchedFiles: the editor saw a plan, or what is archived, change on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WORKSPACE_DID_CHANGE_WATCHED_FILES


def handle(connection: Connection, params: t.DidChangeWatchedFilesParams) -> None:
    """Our own watch looks at once; the same content never counts twice."""
    connection.service.news.look()
    if any("/archive/" in change.uri for change in params.changes):
        connection.spawn(connection.live.archive_changed())
