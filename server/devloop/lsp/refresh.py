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
    from devloop.lsp.editor import Editor

INTERVAL_S: Final = 0.5
PATIENCE_S: Final = 5.0
"""An editor that shows no plan fetches nothing."""

Shown = tuple[list[object], list[object]]
_fetched: Final[WeakKeyDictionary[Editor, dict[str, asyncio.Event]]] = WeakKeyDictionary()


async def watch(editor: Editor, method: str) -> None:
    """The editor fetches (`method`). Begin, before the first lenses or hints are made; ends with the connection."""
    known = _fetched.get(editor)
    if known is not None:
        known[method].set()
        return
    if editor.left.is_set():
        return
    methods = (t.WORKSPACE_CODE_LENS_REFRESH, t.WORKSPACE_INLAY_HINT_REFRESH)
    if not any(map(editor.client.takes, methods)):
        return
    _fetched[editor] = {each: asyncio.Event() for each in (t.TEXT_DOCUMENT_CODE_LENS, t.TEXT_DOCUMENT_INLAY_HINT)}
    news = asyncio.Event()
    editor.at_end(editor.board.listen(lambda _: news.set()))
    editor.spawn(_follow(editor, news, await _shown(editor)))


def at_once(editor: Editor) -> None:
    """After the person changed what is to be shown."""
    editor.spawn(editor.ask_briefly(t.WORKSPACE_CODE_LENS_REFRESH))
    editor.spawn(editor.ask_briefly(t.WORKSPACE_INLAY_HINT_REFRESH))


async def _follow(editor: Editor, news: asyncio.Event, shown: Shown) -> None:
    while True:
        await news.wait()
        news.clear()
        before, shown = shown, await _shown(editor)
        asked = []
        if shown[0] != before[0] and editor.options.code_lens:
            asked += await _ask(editor, t.WORKSPACE_CODE_LENS_REFRESH, t.TEXT_DOCUMENT_CODE_LENS)
        if shown[1] != before[1] and editor.options.inlay_hints:
            asked += await _ask(editor, t.WORKSPACE_INLAY_HINT_REFRESH, t.TEXT_DOCUMENT_INLAY_HINT)
        await asyncio.sleep(INTERVAL_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                for fetched in asked:
                    await fetched.wait()


async def _ask(editor: Editor, refresh: str, fetch: str) -> list[asyncio.Event]:
    """Ask to fetch again; what is set when the editor does."""
    if not editor.client.takes(refresh):
        return []
    fetched = _fetched[editor][fetch]
    fetched.clear()
    await editor.ask_briefly(refresh)
    return [fetched]


async def _shown(editor: Editor) -> Shown:
    """What lenses and hints show of runs in the plans that this editor has open."""
    runs: list[RunView] = []
    for buffer in list(editor.buffers.values()):
        if buffer.main:
            runs += editor.board.of_plan((await buffer.snapshot()).plan).values()
    return [lenses.visible(run) for run in runs], [(run.id, run_texts.hint(run)) for run in runs]
