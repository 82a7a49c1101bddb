"""JSON-RPC 2.0 with LSP framing over asyncio streams: what every process of devloop speaks to the next.

A `Peer` is one end of one connection. Both ends may ask and notify. Requests are answered in whatever order their
handlers finish; notifications are handled in arrival order. A handler that raises `DevloopError` gives the other side
that same error; anything else is logged here and reaches the other side as one sentence without a traceback.

Framing: `Content-Length: N\\r\\n\\r\\n` and N bytes of UTF-8 JSON (LSP 3.17, base protocol).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from devloop.errors import DevloopError, Unavailable, from_json

log = logging.getLogger(__name__)

MAX_MESSAGE = 64 * 1024 * 1024
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INTERNAL_ERROR = -32700, -32600, -32601, -32603
REQUEST_CANCELLED = -32800
DEVLOOP_ERROR = -32000
"""One code for the whole error tree; `data.kind` tells which."""

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


class ProtocolError(Exception):
    """The other side sent something that is no message. Unless it is a `BrokenBody` the connection can't go on."""


class BrokenBody(ProtocolError):
    """A whole message that is not JSON; the next one begins where it should."""


def encode(message: Mapping[str, Any]) -> bytes:
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message, or None at the end of the stream. Raises `ProtocolError` on bytes that are no message."""
    length = -1
    try:
        while (line := await reader.readline()) not in (b"\r\n", b"\n"):
            if not line:
                return None
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                if not value.strip().isdigit():
                    raise ProtocolError("Content-Length is not a number")
                length = int(value)
    except (asyncio.LimitOverrunError, ValueError) as problem:
        raise ProtocolError("header line too long") from problem
    if not 0 <= length <= MAX_MESSAGE:
        raise ProtocolError(f"missing or oversized Content-Length ({length})")
    try:
        message = json.loads(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None
    except (ValueError, RecursionError) as problem:
        raise BrokenBody("body is not JSON") from problem
    if not isinstance(message, dict):
        raise BrokenBody("message is not an object")
    return message


class Peer:
    """One end of a connection. `handlers` maps method names to coroutines that take the params object."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler] | None = None,
        *,
        name: str = "peer",
    ) -> None:
        self.name = name
        self.handlers: dict[str, Handler] = dict(handlers or {})
        self.closed = asyncio.Event()
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._waiting: dict[int | str, asyncio.Future[Any]] = {}
        self._serving: dict[int | str, asyncio.Task[None]] = {}

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask and wait. Raises the other side's `DevloopError`, or `Unavailable` when the connection is gone.

        Cancelling the caller tells the other side to stop working on it.
        """
        if self.closed.is_set():
            raise Unavailable(f"The connection to the {self.name} is closed.")
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params or {})})
            return await future
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": number})
            raise
        finally:
            self._waiting.pop(number, None)

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": dict(params or {})})

    @property
    def backlog(self) -> int:
        """Bytes that the other side has not read yet; a slow client is dropped by whoever watches this."""
        return self._writer.transport.get_write_buffer_size()

    def _send(self, message: Mapping[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def serve(self, first: dict[str, Any] | None = None) -> None:
        """Read and dispatch until the other side leaves; afterwards every pending request has failed.

        `first`: a message that was read from the stream already.
        """
        try:
            if first is not None:
                await self._dispatch(first)
            while (message := await read_message(self._reader)) is not None:
                await self._dispatch(message)
        except ProtocolError as problem:
            log.warning("%s: closing the connection: %s", self.name, problem)
            self._send(_error(None, PARSE_ERROR, str(problem)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await self.close()

    async def close(self) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Unavailable(f"The connection to the {self.name} was lost."))
                future.exception()
        for task in list(self._serving.values()):
            task.cancel()
        self._writer.close()
        with contextlib.suppress(ConnectionError, OSError):
            await self._writer.wait_closed()

    async def _dispatch(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            self._answered(message)
        elif not isinstance(method, str) or not isinstance(message.get("params", {}), dict):
            self._send(_error(number, INVALID_REQUEST, "not a request"))
        elif method == "$/cancelRequest":
            task = self._serving.get(message.get("params", {}).get("id", ""))
            if task is not None:
                task.cancel()
        elif number is None:
            await self._notified(method, message.get("params", {}))
        elif not isinstance(number, (int, str)):
            self._send(_error(None, INVALID_REQUEST, "id must be a number or a string"))
        else:
            task = asyncio.create_task(self._answer(number, method, message.get("params", {})))
            self._serving[number] = task
            task.add_done_callback(lambda _: self._serving.pop(number, None))

    def _answered(self, message: dict[str, Any]) -> None:
        future = self._waiting.get(message.get("id", ""))
        if future is None or future.done():
            return
        error = message.get("error")
        if error is None:
            future.set_result(message.get("result"))
            return
        data = error.get("data") if isinstance(error, dict) else None
        if isinstance(data, dict) and "kind" in data:
            future.set_exception(from_json(data))
        else:
            text = error.get("message", "unknown error") if isinstance(error, dict) else str(error)
            future.set_exception(DevloopError(str(text)))

    async def _notified(self, method: str, params: dict[str, Any]) -> None:
        handler = self.handlers.get(method)
        if handler is None:
            return
        try:
            await handler(params)
        except Exception:
            log.exception("%s: notification %s failed", self.name, method)

    async def _answer(self, number: int | str, method: str, params: dict[str, Any]) -> None:
        handler = self.handlers.get(method)
        try:
            if handler is None:
                self._send(_error(number, METHOD_NOT_FOUND, f"unknown method {method}"))
                return
            self._send({"jsonrpc": "2.0", "id": number, "result": await handler(params)})
        except asyncio.CancelledError:
            self._send(_error(number, REQUEST_CANCELLED, "cancelled"))
        except DevloopError as problem:
            self._send(_error(number, DEVLOOP_ERROR, problem.message, problem.to_json()))
        except Exception:
            log.exception("%s: request %s failed", self.name, method)
            self._send(_error(number, INTERNAL_ERROR, f"{method} failed inside devloop; the log says more."))


def _error(number: Any, code: int, message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": error}
