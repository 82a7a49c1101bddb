"""A hand-off that a fresh start left: an editor asks once whether to go on with it (state-files §3)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import beneath, own_files
from devloop.errors import DevloopError, Unavailable
from devloop.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from devloop.daemon.resuming import HandOff
    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

FILE: Final = ".devloop/next-action.json"
RESUME, LATER = "Resume", "Not now"


class HandOffs:
    def __init__(self, service: Service, began_by: Callable[[Editor, str, str | None], None]) -> None:
        self._service, self._began_by = service, began_by
        self._asked: set[str] = set()
        """Files that some editor was told of, by their content."""

    async def offer(self, editor: Editor) -> None:
        """Ask, or go on at once, as the person set it. Nothing while a run is open: that comes first."""
        try:
            await self._offer(editor)
        except DevloopError as problem:
            log.info("the hand-off was not offered: %s", problem.message)

    async def _offer(self, editor: Editor) -> None:
        able = editor.options.trusted and editor.options.checkpoint_messages
        known = await asyncio.to_thread(self._content) if able else None
        if known is None or known in self._asked:
            return
        from devloop import settings
        from devloop.daemon import resuming

        environment = self._service.environment.variables
        wanted = (await asyncio.to_thread(settings.load, self._service.root, environment)).loop.resume
        if wanted == "never" or known in self._asked:
            return
        self._asked.add(known)
        if (await self._service.call("devloop/runs", {"limit": 1, "open": True}))["runs"]:
            return
        _, plan = await asyncio.to_thread(self._service.documents.plan)
        found = await asyncio.to_thread(resuming.look, self._service.root, plan)
        if found is not None and ((found.usable and wanted == "auto") or await self._yes(editor, found)):
            await self._resume(editor)

    def _content(self) -> str | None:
        """What the file holds, as a hash; None where there is none. Blocks."""
        try:
            return hashlib.sha256(beneath.read(self._service.root, FILE, own_files.MAX_BYTES)).hexdigest()
        except OSError:
            return None

    async def _yes(self, editor: Editor, found: HandOff) -> bool:
        if found.state == "invalid":
            kind, text, titles = t.MessageType.Warning, found.message, []
        elif found.usable or found.state.startswith("stale"):
            about = f"task {one_line(found.task.id, 40)}" if found.task is not None else "the next task"
            kind, titles = t.MessageType.Info, [RESUME, LATER]
            text = f"Resume with {about}? {found.message}"
        else:
            return False
        actions = [t.MessageActionItem(title) for title in titles]
        try:
            asked = t.ShowMessageRequestParams(kind, one_line(text, 400), actions)
            chosen = await editor.ask(t.WINDOW_SHOW_MESSAGE_REQUEST, asked)
        except Unavailable:
            return False
        return chosen is not None and chosen.title == RESUME

    async def _resume(self, editor: Editor) -> None:
        params: dict[str, Any] = {"limit": None, "decide": None, "hand_off": True}
        answer = await self._service.call("devloop/continue", params)
        for run in answer.get("runs") or filter(None, [answer.get("run")]):
            self._began_by(editor, str(run), answer.get("loop"))
