"""Asking an editor to fetch lenses and hints again when runs have changed what they show.

At most twice a second, and only when something that the plan shows is different. One editor's slowness is its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from lsprotocol import types as t

from devloop.lsp import lenses, run_texts

if TYPE_CHECKING:
    from devloop.daemon.run_view import RunView
    from devloop.lsp.connection import Connection

INTERVAL_S: Final = 0.5

Shown = tuple[list[object], list[object]]
_watched: Final[WeakSet[Connection]] = WeakSet()


async def watch(connection: Connection) -> None:
    """Begin, before the first lenses or hints are made for an editor; ends with the connection."""
    if connection in _watched or connection.left.is_set():
        return
    methods = (t.WORKSPACE_CODE_LENS_REFRESH, t.WORKSPACE_INLAY_HINT_REFRESH)
    if not any(map(connection.client.takes, methods)):
        return
    _watched.add(connection)
    news = asyncio.Event()
    connection.at_end(connection.board.listen(lambda _: news.set()))
    connection.spawn(_follow(connection, news, await _shown(connection)))


def at_once(connection: Connection) -> None:
    """After the person changed what is to be shown."""
    connection.spawn(connection.ask_briefly(t.WORKSPACE_CODE_LENS_REFRESH))
    connection.spawn(connection.ask_briefly(t.WORKSPACE_INLAY_HINT_REFRESH))


async def _follow(connection: Connection, news: asyncio.Event, shown: Shown) -> None:
    while True:
        await news.wait()
        news.clear()
        before, shown = shown, await _shown(connection)
        if shown[0] != before[0] and connection.options.code_lens:
            await connection.ask_briefly(t.WORKSPACE_CODE_LENS_REFRESH)
        if shown[1] != before[1] and connection.options.inlay_hints:
            await connection.ask_briefly(t.WORKSPACE_INLAY_HINT_REFRESH)
        await asyncio.sleep(INTERVAL_S)


async def _shown(connection: Connection) -> Shown:
    """What lenses and hints show of runs in the plans that this editor has open."""
    runs: list[RunView] = []
    for buffer in list(connection.buffers.values()):
        if buffer.main:
            runs += connection.board.of_plan((await buffer.snapshot()).plan).values()
    return [lenses.visible(run) for run in runs], [(run.id, run_texts.hint(run)) for run in runs]
