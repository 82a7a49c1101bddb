"""One editor's protocol object: pygls' types, registry and capabilities, with dispatch and sending of our own.

What differs from pygls 2.1.1, and why (language-server §4): several of these live in one process, so `exit` ends a
connection; texts are our buffers; a cancelled or failed request gets an answer without traceback; answers to questions
that nobody waits for any more are dropped; nothing that is sent is written to a log.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from typing import Protocol as Shape

from cattrs import Converter
from lsprotocol import types as t
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from devloop.errors import Unavailable
from devloop.lsp import failures
from devloop.redact import one_line
from devloop.rpc import encode

log = logging.getLogger(__name__)
logging.getLogger("pygls").setLevel(logging.CRITICAL)  # it logs parameters and whole messages


@functools.cache
def converter() -> Converter:
    """One for all editors: it writes and compiles a function for each type that it meets, tens of milliseconds and a
    third of a megabyte in all, and knows nothing of who uses it."""
    made: Converter = default_converter()  # type: ignore[no-untyped-call]
    return made


class Connected(Shape):
    """Whose messages they are: what has to happen with the connection itself."""

    hangs: bool

    async def initialize(self, params: t.InitializeParams, /) -> t.InitializeResult: ...

    def custom(self, method: str, /) -> Callable[[Any], Awaitable[Any]] | None:
        """What answers a request that is no LSP but ours."""

    def write(self, data: bytes, /) -> None: ...

    async def shut_down(self) -> None: ...

    def leave(self) -> None: ...


class Protocol(LanguageServerProtocol):
    connection: Connected

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.initialized = False
        self._serving: dict[int | str, asyncio.Task[Any]] = {}
        self._asked: dict[int | str, tuple[str, asyncio.Future[Any]]] = {}

    # What comes in

    def receive(self, message: Mapping[str, Any]) -> None:
        """One message, already read from JSON."""
        method, number = message.get("method"), message.get("id")
        if message.get("jsonrpc") != "2.0" or isinstance(number, (bool, float, dict, list)):
            self._fail(None, failures.INVALID_REQUEST, "This is no JSON-RPC 2.0 message.")
        elif method is None:
            self._answered(message)
        elif not isinstance(method, str):
            self._fail(number, failures.INVALID_REQUEST, "The method's name is no text.")
        elif number is None:
            self._notified(method, message)
        else:
            self._requested(method, number, message)

    def receive_broken(self, why: str) -> None:
        """A message whose body could not be read."""
        self._fail(None, failures.PARSE, f"{why}.")

    def _requested(self, method: str, number: int | str, message: Mapping[str, Any]) -> None:
        if method != t.INITIALIZE and not self.initialized:
            self._fail(number, failures.NOT_INITIALIZED, "The first request has to be `initialize`.")
        elif method == t.INITIALIZE and self.initialized:
            self._fail(number, failures.INVALID_REQUEST, "`initialize` was answered already.")
        elif self._shutdown:
            self._fail(number, failures.INVALID_REQUEST, "After `shutdown` only `exit` is expected.")
        elif number in self._serving:
            self._fail(number, failures.INVALID_REQUEST, "A request with this id is being worked on.")
        elif (handler := self._handler(method)) is None or not inspect.iscoroutinefunction(handler):
            self._fail(number, failures.METHOD_NOT_FOUND, f"devloop does not know {one_line(method, 80)}.")
        elif (params := self._params(method, message)) is not None:
            task = asyncio.ensure_future(handler(params[0]))
            self._serving[number] = task
            task.add_done_callback(lambda done: self._served(number, method, done))
            self.initialized = self.initialized or method == t.INITIALIZE

    def _notified(self, method: str, message: Mapping[str, Any]) -> None:
        if method == t.CANCEL_REQUEST:
            params = message.get("params")
            number = params.get("id") if isinstance(params, dict) else None
            task = self._serving.get(number) if isinstance(number, (int, str)) else None
            if task is not None:
                task.cancel()
        elif method == t.EXIT:
            self.connection.leave()
        elif self.initialized and not self._shutdown:
            handler = self._handler(method)
            if handler is None or inspect.iscoroutinefunction(handler):
                return
            if (params := self._params(method, message)) is not None:
                try:
                    handler(params[0])
                except Exception:
                    log.exception("%s failed", method)

    def _handler(self, method: str) -> Callable[[Any], Any] | None:
        built_in: dict[str, Callable[[Any], Any]] = {
            t.INITIALIZE: self.connection.initialize,
            t.SHUTDOWN: self._shut_down,
            t.SET_TRACE: self._set_trace,
        }
        return built_in.get(method) or self.fm.features.get(method) or self.connection.custom(method)

    def _params(self, method: str, message: Mapping[str, Any]) -> tuple[Any] | None:
        """The parameters in a tuple; None, with the error sent, when they are not what the protocol says."""
        if method not in t.METHOD_TO_TYPES:
            return (message.get("params"),)  # a method of our own, which looks at them itself
        try:
            request = {key: message[key] for key in ("jsonrpc", "id", "method", "params") if key in message}
            return (getattr(self.structure_message(request), "params", None),)
        except Exception as problem:
            wrong = problem if isinstance(problem, JsonRpcException) else None
            log.info("%s: parameters that can't be read (%s)", one_line(method, 80), type(wrong or problem).__name__)
            if message.get("id") is not None:
                text = f"The parameters of {one_line(method, 80)} are not what the protocol says."
                self._fail(message["id"], failures.INVALID_PARAMS, text)
            return None

    async def _shut_down(self, _: object) -> None:
        self._shutdown = True
        await self.connection.shut_down()

    def _set_trace(self, params: t.SetTraceParams) -> None:
        self.trace = params.value

    def _served(self, number: int | str, method: str, task: asyncio.Task[Any]) -> None:
        self._serving.pop(number, None)
        try:
            self._answer(number, method, task)
        except Exception:
            log.exception("the answer to %s could not be sent", one_line(method, 80))
            self._fail(number, failures.INTERNAL, f"{one_line(method, 80)} gave nothing that can be sent.")

    def _answer(self, number: int | str, method: str, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._fail(number, failures.CANCELLED, "cancelled")
        elif (problem := task.exception()) is not None:
            self.send({"jsonrpc": "2.0", "id": number, "error": self.plain(failures.failure(problem, method))})
        elif isinstance(result := task.result(), Json):
            self.connection.write(encode_answer(number, result.text))
        else:
            self.send({"jsonrpc": "2.0", "id": number, "result": self.plain(result)})

    # What we ask

    async def ask(self, method: str, params: Any) -> Any:
        """Ask the editor. Raises `Unavailable` when it refuses or leaves. Cancelling withdraws the question."""
        number = str(uuid.uuid4())
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = (method, future)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": self.plain(params)})
        try:
            return await future
        except asyncio.CancelledError:
            self.send({"jsonrpc": "2.0", "method": t.CANCEL_REQUEST, "params": {"id": number}})
            raise
        finally:
            self._asked.pop(number, None)

    def _answered(self, message: Mapping[str, Any]) -> None:
        self.connection.hangs = False
        method, future = self._asked.get(message.get("id", ""), ("", None))
        if future is None or future.done():
            return
        error = message.get("error")
        if error is not None:
            said = error.get("message") if isinstance(error, dict) else error
            future.set_exception(Unavailable(f"The editor did not do {method}: {one_line(str(said), 200)}"))
            return
        result_type = self.get_result_type(method)
        try:
            plain = {"jsonrpc": "2.0", "id": message["id"], "result": message.get("result")}
            future.set_result(self._converter.structure(plain, result_type).result if result_type else plain["result"])
        except Exception:
            future.set_exception(Unavailable(f"The editor's answer to {method} is not what the protocol says."))

    def hang_up(self) -> None:
        """The editor is gone: whatever is being worked on for it ends, and every question fails."""
        for task in list(self._serving.values()):
            task.cancel()
        for method, future in list(self._asked.values()):
            if not future.done():
                future.set_exception(Unavailable(f"The editor left before it answered {method}."))
                future.exception()

    # What goes out

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": self.plain(params)})

    def send(self, message: Mapping[str, Any]) -> None:
        """The only place that writes to the editor; called on the daemon's loop."""
        self.connection.write(encode(message))

    def plain(self, value: Any) -> Any:
        """Protocol objects as plain JSON; what is plain already is left as it is."""
        if isinstance(value, Plain):
            return value.value
        return self._converter.unstructure(value)

    def _fail(self, number: int | str | None, code: int, message: str) -> None:
        self.send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})

    def get_message_type(self, method: str) -> Any:  # type: ignore[override]
        """Without pygls' cache, which keeps the protocol objects of closed connections alive."""
        return t.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> Any:  # type: ignore[override]
        return t.METHOD_TO_TYPES.get(method, (None, None))[1]

    # Texts are ours: pygls' own handlers for them must never see a message.

    @lsp_method(t.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        self.connection.leave()


class Plain:
    """A result that is plain JSON already: large answers are built that way at half the cost."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Json:
    """A result that is JSON text already: what is kept from one version of a text to the next is not encoded again."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def encode_answer(number: int | str, result: str) -> bytes:
    """The answer to request `number` whose result is given as JSON text."""
    body = f'{{"jsonrpc":"2.0","id":{json.dumps(number)},"result":{result}}}'.encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body
