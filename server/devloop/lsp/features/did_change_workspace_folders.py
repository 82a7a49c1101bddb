"""workspace/didChangeWorkspaceFolders: an editor that removes our folder is told nothing more about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

from devloop.lsp.editor import place_of

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS


def handle(connection: Connection, params: t.DidChangeWorkspaceFoldersParams) -> None:
    """One daemon serves one folder; others have their own."""
    if any(_ours(connection, folder) for folder in params.event.removed):
        connection.live.leave(connection)
    if any(_ours(connection, folder) for folder in params.event.added):
        connection.live.join(connection)


def _ours(connection: Connection, folder: t.WorkspaceFolder) -> bool:
    return place_of(folder.uri) == connection.root.resolve()
