"""Asking an editor to fetch lenses and hints again when runs have changed what they show.

At most twice a second, only when something that the plan shows is different, and not before the editor has fetched
what it was asked to: some put the fetching off at each such request (VS Code), so that a slow one would never come to
it while a run works. One editor's slowness is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from lsprotocol import types as t

from devloop.lsp import lenses, run_texts

if TYPE_CHECKING:
    from devloop.daemon.run_view import RunView
    from devloop.lsp.connection import Connection

INTERVAL_S: Final = 0.5
PATIENCE_S: Final = 5.0
"""An editor that shows no plan fetches nothing."""

Shown = tuple[list[object], list[object]]
_fetched: Final[WeakKeyDictionary[Connection, dict[str, asyncio.Event]]] = WeakKeyDictionary()


async def watch(connection: Connection, method: str) -> None:
    """The editor fetches (`method`). Begin, before the first lenses or hints are made; ends with the connection."""
    known = _fetched.get(connection)
    if known is not None:
        known[method].set()
        return
    if connection.left.is_set():
        return
    methods = (t.WORKSPACE_CODE_LENS_REFRESH, t.WORKSPACE_INLAY_HINT_REFRESH)
    if not any(map(connection.client.takes, methods)):
        return
    _fetched[connection] = {each: asyncio.Event() for each in (t.TEXT_DOCUMENT_CODE_LENS, t.TEXT_DOCUMENT_INLAY_HINT)}
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
        asked = []
        if shown[0] != before[0] and connection.options.code_lens:
            asked += await _ask(connection, t.WORKSPACE_CODE_LENS_REFRESH, t.TEXT_DOCUMENT_CODE_LENS)
        if shown[1] != before[1] and connection.options.inlay_hints:
            asked += await _ask(connection, t.WORKSPACE_INLAY_HINT_REFRESH, t.TEXT_DOCUMENT_INLAY_HINT)
        await asyncio.sleep(INTERVAL_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                for fetched in asked:
                    await fetched.wait()


async def _ask(connection: Connection, refresh: str, fetch: str) -> list[asyncio.Event]:
    """Ask to fetch again; what is set when the editor does."""
    if not connection.client.takes(refresh):
        return []
    fetched = _fetched[connection][fetch]
    fetched.clear()
    await connection.ask_briefly(refresh)
    return [fetched]


async def _shown(connection: Connection) -> Shown:
    """What lenses and hints show of runs in the plans that this editor has open."""
    runs: list[RunView] = []
    for buffer in list(connection.buffers.values()):
        if buffer.main:
            runs += connection.board.of_plan((await buffer.snapshot()).plan).values()
    return [lenses.visible(run) for run in runs], [(run.id, run_texts.hint(run)) for run in runs]
