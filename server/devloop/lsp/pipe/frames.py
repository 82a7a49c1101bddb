"""The base protocol's frames, read with plain blocking reads (LSP 3.17, base protocol).

Part of what `devloop lsp` loads before it answers `initialize`: nothing here imports more than `json`. `rpc.py` is the
same for asyncio; both agree on `MAX_MESSAGE` and on how a message is written.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # `typing` itself costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MAX_MESSAGE = 64 * 1024 * 1024
MAX_SKIPPED = 1024 * 1024 * 1024
"""Bytes of an oversized message that are read and dropped to find the next one; beyond, the number is no length."""
MAX_HEADER = 16 * 1024
SMALL, LARGE = 64 * 1024, 1024 * 1024

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, NOT_INITIALIZED = -32700, -32600, -32602, -32002
REQUEST_FAILED = -32803


class Broken(Exception):
    """Where the next message begins can't be known any more. The text is one sentence without the other side's data."""


class Refused(Exception):
    """One message that is none; the next one can be read. `code` is the protocol's error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Frames:
    """The messages in a stream of bytes. `read(n)` gives at most n bytes and none at the end; it may raise OSError."""

    def __init__(self, read: Callable[[int], bytes], limit: int = MAX_MESSAGE) -> None:
        self._read, self.limit = read, limit
        self._buffer, self._at = b"", 0

    def next(self) -> bytes | None:
        """The next message's body, None at the end of the stream.

        Raises `Refused` for one that is too large (it has been skipped), `Broken` when the stream can't be understood.
        """
        length = self._header()
        if length is None:
            return None
        if length > self.limit:
            self._skip(length)
            raise Refused(PARSE_ERROR, f"The message has {length} bytes; {self.limit} are the most.")
        have = len(self._buffer) - self._at
        if have >= length:
            body = self._buffer[self._at : self._at + length]
            self._at += length
            return body
        parts = [self._buffer[self._at :]]
        self._buffer, self._at = b"", 0
        missing = length - have
        while missing:
            data = self._read(min(missing, LARGE))
            if not data:
                raise Broken("The stream ended in the middle of a message.")
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def _header(self) -> int | None:
        length, seen = None, 0
        while line := self._line(begun=seen > 0):
            name, colon, value = line.partition(b":")
            if not colon or b" " in name.strip():  # the first line of an HTTP request is none, whatever its path is
                raise Broken("A header line is not `Name: value`.")
            if name.strip().lower() == b"content-length":
                said = _number(value.strip())
                if length not in (None, said):
                    raise Broken("A header has two Content-Lengths.")
                length = said
            seen += len(line)
            if seen > MAX_HEADER:
                raise Broken("A header is too long.")
        if line is None:
            return None
        if length is None:
            raise Broken("A header has no Content-Length.")
        return length

    def _line(self, *, begun: bool) -> bytes | None:
        """One header line without its end; None at the end of the stream when no header has begun."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            rest = self._buffer[self._at :]
            if len(rest) > MAX_HEADER:
                raise Broken("A header is too long.")
            data = self._read(SMALL)
            if not data:
                if begun or rest:
                    raise Broken("The stream ended in the middle of a header.")
                return None
            self._buffer, self._at = rest + data, 0
        line = self._buffer[self._at : end].rstrip(b"\r")
        self._at = end + 1
        return line

    def _skip(self, length: int) -> None:
        if length > MAX_SKIPPED:
            raise Broken("A Content-Length is beyond every message.")
        missing = length - (len(self._buffer) - self._at)
        if missing <= 0:
            self._at += length
            return
        self._buffer, self._at = b"", 0
        while missing:
            data = self._read(min(missing, LARGE))
            if not data:
                raise Broken("The stream ended in the middle of a message.")
            missing -= len(data)


def _number(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise Broken("A Content-Length is not a number.")
    return int(value)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _a_number(text: str) -> float:
    found = float(text)
    return _no_number(text) if found in (float("inf"), float("-inf")) else found


_decode = json.JSONDecoder(parse_float=_a_number, parse_constant=_no_number).decode


def parse(body: bytes) -> dict[str, Any]:
    """The message in a body: a request, a notification or a response, by its form. Raises `Refused`."""
    try:
        message = _decode(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise Refused(PARSE_ERROR, "The message is not JSON.") from None
    if not isinstance(message, dict):
        raise Refused(INVALID_REQUEST, "The message is not an object.")
    number = message.get("id")
    if message.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, "The message is not JSON-RPC 2.0.")
    named = isinstance(number, (int, str)) and not isinstance(number, bool)
    if isinstance(message.get("method"), str):
        fine = "id" not in message or named
    else:  # a response to what could not be read has the id null
        fine = "method" not in message and ("result" in message or "error" in message) and (named or number is None)
    if not fine:
        raise Refused(INVALID_REQUEST, "The message is neither a request nor a response.")
    return message


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def body_of(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def encode(message: Mapping[str, Any]) -> bytes:
    return framed(body_of(message))


def result(number: Any, value: Any) -> bytes:
    return encode({"jsonrpc": "2.0", "id": number, "result": value})


def error(number: Any, code: int, message: str, data: Any = None) -> bytes:
    problem = {"code": code, "message": message} if data is None else {"code": code, "message": message, "data": data}
    return encode({"jsonrpc": "2.0", "id": number, "error": problem})


def notification(method: str, params: Any) -> bytes:
    return encode({"jsonrpc": "2.0", "method": method, "params": params})
