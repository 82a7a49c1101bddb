"""$/progress in one editor: a bar for each open run, and one for a loop over several tasks (LSP 3.18).

The editor is asked to create each bar; one that it refuses, or does not answer for, is not shown. A bar ends with its
run, and nothing of it is kept after that.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.daemon import wording
from devloop.errors import DevloopError, Unavailable
from devloop.lsp.client import ANSWER_S
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.daemon.run_view import RunView
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

GAP_S: Final = 2.0
"""How long after a run its loop may take to begin the next one."""
MAX_BACKLOG: Final = 1024 * 1024
"""Bytes that an editor may leave unread before reports to it are left out; the next one says all."""
GOES_ON: Final = ("accepted", "landed")


@dataclass(eq=False)
class _Bar:
    title: str
    text: tuple[int, str]
    """Percentage and message as they are now."""
    token: str = field(default_factory=lambda: f"devloop-{uuid.uuid4()}")
    begun: bool = False
    refused: bool = False
    told: tuple[int, str] | None = None
    highest: int = 0
    """Percentages only rise (LSP 3.18, Work Done Progress Report), though a run may go back to work."""
    end: str | None = None
    """What it ends with, once it is over."""
    pause: asyncio.TimerHandle | None = None
    """Until a loop without a run counts as over."""


class Progress:
    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._runs: dict[str, _Bar] = {}
        self._loops: dict[str, _Bar] = {}

    @property
    def tokens(self) -> list[str]:
        """The bars that are open."""
        return [bar.token for bar in (*self._runs.values(), *self._loops.values())]

    def look(self) -> None:
        """Begin, report and end what the runs say now. Does nothing where the editor wants no progress."""
        board = self._editor.board
        if self._wanted():
            for view in board.open:
                self._run(view)
                if view.loop and (view.loop_limit or 0) > 1:
                    self._loop(view)
        for run in list(self._runs):
            known = board.run(run)
            if known is None or not known.open:
                self._end(self._runs, run, _outcome(known))
        at_work = {view.loop for view in board.open}
        for loop in list(self._loops):
            if loop not in at_work:
                self._pause(loop)

    def loop_ended(self, loop: str) -> None:
        if loop in self._loops and all(view.loop != loop for view in self._editor.board.open):
            self._end(self._loops, loop, "the loop has ended")

    def cancel(self, token: str | int) -> None:
        """The person wants it to end. A token that is not (any more) open means nothing."""
        runs = [run for run, bar in self._runs.items() if bar.token == token]
        loops = {loop for loop, bar in self._loops.items() if bar.token == token}
        runs += [view.id for view in self._editor.board.open if view.loop in loops]
        for run in runs:
            self._editor.spawn(self._cancel(run))

    def stop(self) -> None:
        """The person wants no progress any more."""
        for bars in (self._runs, self._loops):
            for key in list(bars):
                self._end(bars, key, "not shown any more")

    def close(self) -> None:
        """The editor is gone."""
        for bar in self._loops.values():
            if bar.pause is not None:
                bar.pause.cancel()
        self._runs.clear()
        self._loops.clear()

    def _wanted(self) -> bool:
        return self._editor.options.progress and self._editor.client.takes(t.PROGRESS)

    def _run(self, view: RunView) -> None:
        self._show(self._runs, view.id, one_line(view.name, 100), (view.percentage, view.line))

    def _loop(self, view: RunView) -> None:
        assert view.loop is not None and view.loop_limit is not None
        done = min(view.loop_done, view.loop_limit)
        about = one_line(f"task {done + 1} of {view.loop_limit}: {view.task} {view.title}", 120)
        self._show(
            self._loops,
            view.loop,
            f"devloop: {wording.many(view.loop_limit, 'task')}",
            (done * 100 // view.loop_limit, about),
        )
        bar = self._loops[view.loop]
        if bar.pause is not None:
            bar.pause.cancel()
            bar.pause = None

    def _show(self, bars: dict[str, _Bar], key: str, title: str, text: tuple[int, str]) -> None:
        bar = bars.get(key)
        if bar is None:
            bar = bars[key] = _Bar(title, text)
            self._editor.spawn(self._begin(bars, key, bar))
        bar.text = text
        if bar.begun and bar.told != text and self._editor.backlog <= MAX_BACKLOG:
            self._report(bar, {"kind": "report", "percentage": text[0], "message": text[1]})

    async def _begin(self, bars: dict[str, _Bar], key: str, bar: _Bar) -> None:
        try:
            params = t.WorkDoneProgressCreateParams(bar.token)
            await self._editor.ask(t.WINDOW_WORK_DONE_PROGRESS_CREATE, params, seconds=ANSWER_S)
        except Unavailable:
            bar.refused = True
            if bar.end is not None:
                bars.pop(key, None)
            return
        value = {"kind": "begin", "title": bar.title, "cancellable": True}
        self._report(bar, {**value, "percentage": bar.text[0], "message": bar.text[1]})
        bar.begun = True
        if bar.end is not None:
            self._end(bars, key, bar.end)

    def _end(self, bars: dict[str, _Bar], key: str, how: str) -> None:
        """Also where the editor is only just creating it: then it ends as soon as it has begun."""
        bar = bars[key]
        bar.end = how
        if bar.pause is not None:
            bar.pause.cancel()
            bar.pause = None
        if bar.begun:
            self._report(bar, {"kind": "end", "message": how})
        if bar.begun or bar.refused:
            del bars[key]

    def _pause(self, loop: str) -> None:
        """No run of this loop is open: its next one is about to begin, or it is over."""
        bar = self._loops[loop]
        if bar.pause is None and bar.end is None:
            again = asyncio.get_running_loop()
            bar.pause = again.call_later(GAP_S, self._over, loop)

    def _over(self, loop: str) -> None:
        if loop in self._loops:
            self._end(self._loops, loop, "the loop has ended")

    def _report(self, bar: _Bar, value: dict[str, Any]) -> None:
        bar.told = bar.text
        bar.highest = max(bar.highest, bar.text[0])
        if "percentage" in value:
            value = {**value, "percentage": bar.highest}
        self._editor.notify(t.PROGRESS, {"token": bar.token, "value": value})

    async def _cancel(self, run: str) -> None:
        try:
            await self._editor.service.call("devloop/cancel", {"run": run})
        except DevloopError as problem:
            log.info("a run could not be cancelled from an editor: %s", problem.message)
            text = one_line(problem.sentences, 400)
            self._editor.notify(t.WINDOW_SHOW_MESSAGE, t.ShowMessageParams(t.MessageType.Warning, text))


def _outcome(view: RunView | None) -> str:
    if view is None:
        return "ended"
    reason = f": {view.reason}" if view.reason and view.outcome not in GOES_ON else ""
    return one_line(f"{view.outcome or 'ended'}{reason}", 200)
