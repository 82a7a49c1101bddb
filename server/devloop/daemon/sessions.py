"""The clients that are connected, each with its own peer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from devloop.errors import DevloopError
from devloop.hello import HELLO, same_user
from devloop.redact import one_line
from devloop.rpc import (
    DEVLOOP_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    Handler,
    Peer,
    ProtocolError,
    encode,
    error,
    is_id,
    read_message,
)

log = logging.getLogger(__name__)

MAX_UNREAD = 64 * 1024 * 1024
"""Bytes of answers that a client may leave unread."""
CLOSE_TIMEOUT_S = 1.0
FIRST_MESSAGE_S = 10.0
MAX_FIRST = 1024 * 1024
"""Bytes of a connection's first message."""
MAX_CLIENTS, MAX_STRANGERS = 256, 64
"""Connections at once, and those among them that have not said hello yet."""

FrontEnd = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves a connection to its end, in another protocol than the terminal's."""


class Session:
    """One client. `name` is what it called itself in its hello."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = "client"
        self.greeted = False
        self.peer = Peer(reader, writer, name="client")
        self._reader, self._writer = reader, writer

    @property
    def backlog(self) -> int:
        return self.peer.backlog

    async def serve(self, front_ends: Mapping[str, FrontEnd]) -> None:
        """Serve to the end. Nothing is done for a connection whose first message is no hello. One that names a
        `protocol` hands the connection to that front-end, once it is answered; without one this is a terminal."""
        first = await self._first()
        if first is None:
            return
        number, params = first["id"], first.get("params")
        if first["method"] != HELLO or not isinstance(params, dict):
            await self._refuse(first)
            return
        self.greeted = True
        front_end = front_ends.get(str(params.get("protocol")))
        if front_end is None:
            await self.peer.serve(first)
            return
        try:
            answer = await self.peer.handlers[HELLO](params)
        except DevloopError as problem:
            self._say(error(number, DEVLOOP_ERROR, problem.message, problem.to_json()))
            return
        self._say({"jsonrpc": "2.0", "id": number, "result": answer})
        await front_end(self._reader, self._writer)

    async def _first(self) -> dict[str, Any] | None:
        """The first message, when it is a request."""
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                first = await read_message(self._reader, MAX_FIRST)
        except (ProtocolError, TimeoutError, ConnectionError) as problem:
            log.warning("a connection said nothing that can be understood: %s", one_line(str(problem), 200))
            self._say(error(None, PARSE_ERROR, one_line(str(problem) or "no message came", 200)))
            return None
        if first is not None and not (is_id(first.get("id")) and isinstance(first.get("method"), str)):
            self._say(error(None, INVALID_REQUEST, f"the first message has to be a request, {HELLO}"))
            return None
        return first

    async def _refuse(self, first: Mapping[str, Any]) -> None:
        number, method = first["id"], first["method"]
        log.warning("a connection began with %s and was refused", one_line(method, 80))
        try:
            if method == "initialize":  # an editor that was pointed here: what it has to be told is a sentence
                await self.peer.handlers[method]({})
            self._say(error(number, INVALID_REQUEST, f"the first message has to be {HELLO}"))
        except DevloopError as problem:
            self._say(error(number, DEVLOOP_ERROR, problem.message, problem.to_json()))

    def _say(self, message: Mapping[str, Any]) -> None:
        self._writer.write(encode(message))

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
        self,
        handlers_for: Callable[[Session], Mapping[str, Handler]],
        left: Callable[[Session], None],
        front_ends: Mapping[str, FrontEnd] | None = None,
    ) -> None:
        self._handlers_for, self._left = handlers_for, left
        self.front_ends = dict(front_ends or {})
        """By the name of their protocol."""
        self._sessions: dict[Session, asyncio.Task[None] | None] = {}
        self._shut = False
        self.empty_since = time.monotonic()

    def __len__(self) -> int:
        return len(self._sessions)

    def shut(self) -> None:
        """The daemon ends. Who knocked just now hears nothing instead of a hello, and asks the next daemon."""
        self._shut = True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if self._shut:
            writer.transport.abort()
            return
        if not same_user(writer.get_extra_info("socket")):
            log.warning("a connection of another user was refused")
            writer.transport.abort()
            return
        if len(self._sessions) >= MAX_CLIENTS or sum(not each.greeted for each in self._sessions) >= MAX_STRANGERS:
            log.warning("a connection was refused: there are %d", len(self._sessions))
            writer.transport.abort()
            return
        session = Session(reader, writer)
        session.peer.handlers.update(self._handlers_for(session))
        self._sessions[session] = asyncio.current_task()
        try:
            await session.serve(self.front_ends)
        except Exception:
            log.exception("a client's connection broke")
        finally:
            del self._sessions[session]
            self.empty_since = time.monotonic()
            self._left(session)
            await session.close()

    def drop_stuck(self) -> None:
        """Disconnect clients that asked for more than they read."""
        for session in list(self._sessions):
            if session.backlog > MAX_UNREAD:
                log.warning("a client did not read its answers and was disconnected")
                session.drop()

    async def close(self) -> None:
        tasks = [task for task in self._sessions.values() if task is not None]
        await asyncio.gather(*(session.close() for session in list(self._sessions)))
        if tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
