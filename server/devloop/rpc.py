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
from typing import Any, TypeGuard

from devloop.errors import DevloopError, Unavailable, from_json

log = logging.getLogger(__name__)

MAX_MESSAGE = 64 * 1024 * 1024
MAX_HEADER = 16 * 1024
MAX_SERVING = 1000
"""Requests of one side that are worked on at once."""
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INTERNAL_ERROR = -32700, -32600, -32601, -32603
REQUEST_CANCELLED = -32800
DEVLOOP_ERROR = -32000
"""One code for the whole error tree; `data.kind` tells which."""

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


class ProtocolError(Exception):
    """The other side sent something that is no message. Unless it is a `BrokenBody` the connection can't go on."""


class BrokenBody(ProtocolError):
    """A whole message that is none; the next one begins where it should. `code` is the protocol's error."""

    def __init__(self, message: str, code: int = PARSE_ERROR) -> None:
        super().__init__(message)
        self.code = code


def encode(message: Mapping[str, Any]) -> bytes:
    """Raises `ValueError` for a number that JSON does not have."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    body = text.encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


async def read_message(reader: asyncio.StreamReader, limit: int = MAX_MESSAGE) -> dict[str, Any] | None:
    """The next message, or None at the end of the stream. Raises `ProtocolError` on bytes that are no message."""
    length = await _header(reader)
    if length is None:
        return None
    if length > limit:
        raise ProtocolError(f"oversized message: {length} bytes, {limit} are the most")
    try:
        return parse(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None


async def _header(reader: asyncio.StreamReader) -> int | None:
    """The length that a header says; None at the end of the stream. No request of HTTP gets through, whatever its
    other headers say: its first line is none of these."""
    length, seen = None, 0
    try:
        while (line := await reader.readline()) not in (b"\r\n", b"\n"):
            if not line.endswith(b"\n"):
                return None
            seen += len(line)
            name, colon, value = line.partition(b":")
            if seen > MAX_HEADER or not colon or b" " in name.strip():
                raise ProtocolError("a header that is too long, or none")
            if name.strip().lower() == b"content-length":
                said = value.strip()
                if not said.isdigit() or len(said) > 18 or (length is not None and length != int(said)):
                    raise ProtocolError("Content-Length is not one number")
                length = int(said)
    except (asyncio.LimitOverrunError, ValueError) as problem:
        raise ProtocolError("header line too long") from problem
    if length is None:
        raise ProtocolError("missing Content-Length")
    return length


def _number(text: str) -> float:
    found = float(text)
    if found in (float("inf"), float("-inf")):
        raise ValueError("beyond every number")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_decode = json.JSONDecoder(parse_float=_number, parse_constant=_no_number).decode


def parse(body: bytes) -> dict[str, Any]:
    """The object in a message's body. Raises `BrokenBody`."""
    try:
        message = _decode(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as problem:
        raise BrokenBody("body is not JSON") from problem
    if not isinstance(message, dict):
        raise BrokenBody("message is not an object", INVALID_REQUEST)
    return message


def is_id(number: object) -> TypeGuard[int | str]:
    """Whether this can name a request: numbers with a fraction, truth and nothing can't."""
    return isinstance(number, (int, str)) and not isinstance(number, bool)


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
            while (message := await self._next()) is not None:
                await self._dispatch(message)
        except ProtocolError as problem:
            log.warning("%s: closing the connection: %s", self.name, problem)
            self._send(error(None, PARSE_ERROR, str(problem)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await self.close()

    async def _next(self) -> dict[str, Any] | None:
        """The next message that is one; whoever sends another is told."""
        while True:
            try:
                return await read_message(self._reader)
            except BrokenBody as problem:
                self._send(error(None, problem.code, str(problem)))

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
        method, number, params = message.get("method"), message.get("id"), message.get("params", {})
        known = number if is_id(number) else None
        if method is None and ("result" in message or "error" in message):
            self._answered(message)
        elif message.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
            self._send(error(known, INVALID_REQUEST, "not a request"))
        elif method == "$/cancelRequest":
            asked = params.get("id")
            task = self._serving.get(asked) if is_id(asked) else None
            if task is not None:
                task.cancel()
        elif "id" not in message:
            await self._notified(method, params)
        elif known is None:
            self._send(error(None, INVALID_REQUEST, "id must be a number or a string"))
        elif known in self._serving:
            self._send(error(known, INVALID_REQUEST, "a request with this id is being worked on"))
        elif len(self._serving) >= MAX_SERVING:
            self._send(error(known, INVALID_REQUEST, f"more than {MAX_SERVING} requests at once"))
        else:
            task = asyncio.create_task(self._answer(known, method, params))
            self._serving[known] = task
            task.add_done_callback(lambda done: self._served(known, done))

    def _served(self, number: int | str, task: asyncio.Task[None]) -> None:
        self._serving.pop(number, None)
        if task.cancelled():  # before it began
            self._send(error(number, REQUEST_CANCELLED, "cancelled"))

    def _answered(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        future = self._waiting.get(number) if is_id(number) else None
        if future is None or future.done():
            return
        problem = message.get("error")
        if problem is None:
            future.set_result(message.get("result"))
        else:
            future.set_exception(_told(problem))

    async def _notified(self, method: str, params: dict[str, Any]) -> None:
        handler = self.handlers.get(method)
        if handler is None:
            return
        try:
            await handler(params)
        except DevloopError as problem:
            log.warning("%s: notification %s: %s", self.name, method, problem.message)
        except Exception:
            log.exception("%s: notification %s failed", self.name, method)

    async def _answer(self, number: int | str, method: str, params: dict[str, Any]) -> None:
        try:
            data = encode(await self._outcome(number, method, params))
        except Exception:
            log.exception("%s: request %s failed", self.name, method)
            data = encode(error(number, INTERNAL_ERROR, f"{method} failed inside devloop; the log says more."))
        if not self._writer.is_closing():
            self._writer.write(data)

    async def _outcome(self, number: int | str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        handler = self.handlers.get(method)
        if handler is None:
            return error(number, METHOD_NOT_FOUND, f"unknown method {method[:80]!r}")
        try:
            return {"jsonrpc": "2.0", "id": number, "result": await handler(params)}
        except asyncio.CancelledError:
            return error(number, REQUEST_CANCELLED, "cancelled")
        except DevloopError as problem:
            return error(number, DEVLOOP_ERROR, problem.message, problem.to_json())


def _told(problem: Any) -> DevloopError:
    """The other side's error as it was raised there."""
    data = problem.get("data") if isinstance(problem, dict) else None
    try:
        if isinstance(data, dict) and "kind" in data:
            return from_json(data)
    except TypeError:
        log.warning("an error of the other side has details that none has")
    return DevloopError(str(problem.get("message", "unknown error") if isinstance(problem, dict) else problem))


def error(number: Any, code: int, message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer that says why there is none."""
    problem: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        problem["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": problem}
