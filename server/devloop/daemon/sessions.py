"""The clients that are connected, each with its own peer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping

from devloop.daemon.endpoint import same_user
from devloop.rpc import Handler, Peer

log = logging.getLogger(__name__)

MAX_UNREAD = 64 * 1024 * 1024
"""Bytes of answers that a client may leave unread."""
CLOSE_TIMEOUT_S = 1.0


class Session:
    """One client. `name` is what it called itself in its hello."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = "client"
        self.peer = Peer(reader, writer, name="client")
        self._writer = writer

    def drop(self) -> None:
        """End the connection now; what the client has not read is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.peer.close()
        except TimeoutError:
            self.drop()


class Sessions:
    """Accepts connections. `handlers_for` gives each its methods, `left` is told when a client is gone."""

    def __init__(
        self, handlers_for: Callable[[Session], Mapping[str, Handler]], left: Callable[[Session], None]
    ) -> None:
        self._handlers_for, self._left = handlers_for, left
        self._sessions: dict[Session, asyncio.Task[None] | None] = {}
        self.empty_since = time.monotonic()

    def __len__(self) -> int:
        return len(self._sessions)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if not same_user(writer.get_extra_info("socket")):
            log.warning("a connection of another user was refused")
            writer.transport.abort()
            return
        session = Session(reader, writer)
        session.peer.handlers.update(self._handlers_for(session))
        self._sessions[session] = asyncio.current_task()
        try:
            await session.peer.serve()
        except Exception:
            log.exception("a client's connection broke")
        finally:
            del self._sessions[session]
            self.empty_since = time.monotonic()
            self._left(session)

    def drop_stuck(self) -> None:
        """Disconnect clients that asked for more than they read."""
        for session in list(self._sessions):
            if session.peer.backlog > MAX_UNREAD:
                log.warning("a client did not read its answers and was disconnected")
                session.drop()

    async def close(self) -> None:
        tasks = [task for task in self._sessions.values() if task is not None]
        await asyncio.gather(*(session.close() for session in list(self._sessions)))
        if tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
