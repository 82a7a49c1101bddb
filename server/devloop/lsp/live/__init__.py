"""What editors are told without asking: checkpoints, progress, status, events, the closed plan's problems.

One `Live` for all editors of a workspace. It listens to runs and events while an editor is there, and hands what
changed to its parts. Nothing here waits for an editor: each gets what it reads, the others go on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from devloop.lsp import refresh
from devloop.lsp.live.checkpoints import Checkpoints
from devloop.lsp.live.closed_plan import ClosedPlan
from devloop.lsp.live.events import Events
from devloop.lsp.live.findings import Findings
from devloop.lsp.live.hand_off import HandOffs
from devloop.lsp.live.outside import Outside
from devloop.lsp.live.progress import Progress
from devloop.lsp.live.shield import Shield
from devloop.lsp.live.shown import Shown
from devloop.lsp.live.status import Status
from devloop.lsp.live.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from devloop.daemon.service import Service
    from devloop.lsp.buffers import Buffer
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)


class Live:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.joined: set[Editor] = set()
        """Editors that said `initialized` and are there."""
        self.checkpoints = Checkpoints(service, self.joined)
        self.closed_plan = ClosedPlan(service, self.joined)
        self.status = Status(service, self.joined)
        self.events = Events(self.joined)
        self.shown = Shown(service)
        self.outside = Outside(service.root)
        self.findings = Findings(service, self.joined, self.diagnostics_changed)
        self.hand_offs = HandOffs(service, self.began_by)
        self.shield = Shield(service, self._marks_changed)
        self.typed = Typed(service, self.joined)
        self.progress: dict[Editor, Progress] = {}
        self._ends: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def join(self, editor: Editor) -> None:
        """From now on this editor is told what happens, beginning with what goes on."""
        if editor in self.joined or editor.left.is_set():
            return
        if not self.joined:
            self._ends = [
                self.service.board.listen(self._runs_changed),
                self.service.fanout.listen(self._heard),
                self.service.key_news.listen(lambda _: self.status.changed()),
            ]
        self.joined.add(editor)
        self.progress[editor] = Progress(editor)
        editor.at_end(lambda: self.leave(editor))
        self.progress[editor].look()
        if self.checkpoints.look():
            self._marks_changed()
        else:
            self.diagnostics_changed(editor)  # what changed since it opened its files was told only to others
        self.status.greet(editor)
        self.closed_plan.look()
        self.findings.join(editor)
        self.shield.join()
        self.spawn(self.hand_offs.offer(editor))
        self.spawn(self.archive_changed())  # it may have opened files before something was archived

    def leave(self, editor: Editor) -> None:
        """This editor is told nothing more; what only it was asked is asked of others."""
        if editor not in self.joined:
            return
        self.joined.discard(editor)
        self.progress.pop(editor).close()
        self.checkpoints.leave(editor)
        self.closed_plan.leave(editor)
        self.status.leave(editor)
        self.shown.leave(editor)
        self.findings.leave(editor)
        if not self.joined:
            for end in self._ends:
                end()
            self._ends = []
            self.events.close()
            self.status.close()
            self.closed_plan.close()
            self.findings.close()
            self.shield.close()

    def began_by(self, editor: Editor, run: str, loop: str | None) -> None:
        """This editor asked for the run: it is the one to ask when the run waits."""
        self.checkpoints.began_by(editor, run, loop)

    def options_changed(self, editor: Editor) -> None:
        """The person changed settings: what they turn off goes, what they turn on comes."""
        if editor not in self.joined:
            return
        if not editor.options.progress:
            self.progress[editor].stop()
        self.progress[editor].look()
        self.checkpoints.options_changed(editor)
        self.closed_plan.look()
        self.diagnostics_changed(editor)

    def attend(self, editor: Editor, buffer: Buffer) -> None:
        """What goes on for the workspace's plan while it is open."""
        self.closed_plan.opened(editor, buffer.uri)
        find = self.service.documents.find
        editor.spawn(self.outside.watch(buffer, find, lambda: self.diagnostics_changed(editor)))
        editor.spawn(self.typed.watch(buffer))

    def forget(self, buffer: Buffer) -> None:
        """It is closed; what its text was goes on to be told, though its editor may be gone."""
        self.outside.saved(buffer)  # so that its watch ends
        if buffer.main:
            self.spawn(self.typed.closed(buffer))

    def plan_moved(self, editor: Editor) -> None:
        """Another file may be the workspace's plan by now: one that was written only after it had been opened, or that
        takes precedence over the one before."""
        main = editor.main_plan()
        if main is None:
            return  # it is just being written anew, or gone: then nothing can be run
        plans = self.service.documents.open_plans
        for buffer in list(editor.buffers.values()):
            if buffer.main and buffer.path != main:
                buffer.main = False
                plans.closed(buffer)
            elif not buffer.main and buffer.path == main:
                buffer.main = True
                plans.opened(buffer)
                self.attend(editor, buffer)
            else:
                continue
            self.diagnostics_changed(editor)
            refresh.at_once(editor)

    async def archive_changed(self) -> None:
        """What counts as done because it is archived may have changed."""
        archived = await asyncio.to_thread(self.service.documents.archived_ids)
        for editor in list(self.joined):
            for buffer in editor.buffers.values():
                if buffer.archive(archived):
                    self.diagnostics_changed(editor)

    def _runs_changed(self, runs: frozenset[str]) -> None:
        for progress in list(self.progress.values()):
            progress.look()
        if self.checkpoints.look():
            self._marks_changed()
        self.shown.look(runs)

    def _marks_changed(self) -> None:
        """A run began or ended to wait: diagnostics are looked at again."""
        self.closed_plan.look()
        for editor in list(self.joined):
            self.diagnostics_changed(editor)

    def diagnostics_changed(self, editor: Editor) -> None:
        """Something other than the text changed what diagnostics say."""
        if not editor.pulls:
            for buffer in editor.buffers.values():
                buffer.advance()
        else:
            editor.spawn(editor.ask_briefly(t.WORKSPACE_DIAGNOSTIC_REFRESH))

    def _heard(self, event: dict[str, Any]) -> None:
        kind = event.get("kind")
        self.events.offer(event)
        self.status.heard(str(kind))
        if kind == "plan.changed":
            for editor in list(self.joined):
                self.plan_moved(editor)
            self.closed_plan.look()
            self.spawn(self.archive_changed())
        elif kind == "loop.ended":
            for progress in list(self.progress.values()):
                progress.loop_ended(str((event.get("data") or {}).get("loop")))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Work for all editors, or that goes on although the one it is for is gone. What goes wrong is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("editors could not be told something", exc_info=problem)
