"""What is typed into the open plan, told as `plan.changed` at a pause: lists of tasks elsewhere show the buffer too."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from devloop.errors import DevloopError
from devloop.lsp.live import events

if TYPE_CHECKING:
    from collections.abc import Set

    from devloop.daemon.service import Service
    from devloop.lsp.buffers import Buffer
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

PAUSE_S: Final = 0.3
LONGEST_S: Final = 1.5
"""Whoever types without a pause is told of all the same, this often."""
LONG_LINES: Final = 5_000
LONG_PAUSE_S: Final = 2.0
"""A long plan costs more to be looked at; nobody may feel that while typing."""


class Typed:
    def __init__(self, service: Service, joined: Set[Editor]) -> None:
        self._service, self._joined = service, joined

    async def watch(self, buffer: Buffer) -> None:
        """Tell of each new text of the workspace's plan until the buffer is closed or is that plan no more."""
        version = buffer.version if await asyncio.to_thread(self._is_saved, buffer) else -1
        while buffer.main and not buffer.closed:
            advanced = buffer.advanced
            if buffer.version == version:
                await advanced.wait()
                continue
            await self._pause(buffer)
            version = buffer.version
            await self.tell()

    def _is_saved(self, buffer: Buffer) -> bool:
        """Whether the file says the same: an editor may open what it kept unsaved from last time."""
        try:
            return self._service.documents.read_file().data == buffer.document.data
        except DevloopError:
            return False

    async def _pause(self, buffer: Buffer) -> None:
        """Until nothing comes for a moment, or it took long enough."""
        long = buffer.document.count > LONG_LINES
        pause, longest = (LONG_PAUSE_S, 2 * LONG_PAUSE_S) if long else (PAUSE_S, LONGEST_S)
        loop = asyncio.get_running_loop()
        end = loop.time() + longest
        while not buffer.closed and (left := min(pause, end - loop.time())) > 0:
            version = buffer.version
            try:
                async with asyncio.timeout(left):
                    while buffer.version == version and not buffer.closed:
                        await buffer.advanced.wait()
            except TimeoutError:
                return

    async def tell(self) -> None:
        """The plan as it is now; nobody hears of a text that was told before (`PlanNews.changed`)."""
        if not any(editor.client.takes(events.METHOD) for editor in self._joined):
            return
        try:
            found = await asyncio.to_thread(self._service.documents.read)
        except DevloopError as problem:
            log.info("the typed plan could not be read: %s", problem.message)
            return
        self._service.news.changed(found)

    async def closed(self, buffer: Buffer) -> None:
        """An editor closed it: what it had changed and not saved is no more."""
        await asyncio.to_thread(self._service.documents.closed, buffer)
        await self.tell()
