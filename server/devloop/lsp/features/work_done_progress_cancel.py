"""window/workDoneProgress/cancel: the person ends a run, or a loop, where its progress is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types as t

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.WINDOW_WORK_DONE_PROGRESS_CANCEL


def handle(connection: Connection, params: t.WorkDoneProgressCancelParams) -> None:
    progress = connection.live.progress.get(connection)
    if progress is not None:
        progress.cancel(params.token)
