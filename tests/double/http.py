"""As much of HTTP/1.1 as the double needs, over asyncio streams."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import dataclass

_MAX_HEAD = 64 * 1024
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Broken(Exception):
    """The client's bytes are no HTTP request."""


@dataclass
class HttpRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    size: int


async def read_request(reader: asyncio.StreamReader, keep: int) -> HttpRequest | None:
    """The next request; None when the client has closed. Of a body longer than `keep` bytes only the size is kept."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as problem:
        if problem.partial:
            raise Broken("half a request") from None
        return None
    except asyncio.LimitOverrunError:
        raise Broken("a head too long") from None
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = lines[0].split(" ")
    except ValueError:
        raise Broken("no request line") from None
    headers = {}
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
    body, size = await _body(reader, headers, keep)
    if headers.get("content-encoding", "") == "gzip":
        body = gzip.decompress(body)
    return HttpRequest(method, target.split("?")[0], headers, body, size)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str], keep: int) -> tuple[bytes, int]:
    kept = bytearray()
    size = 0

    async def take(count: int) -> None:
        nonlocal size
        while count:
            piece = await reader.read(min(count, 1 << 16))
            if not piece:
                raise Broken("half a body")
            count -= len(piece)
            size += len(piece)
            if size <= keep:
                kept.extend(piece)

    if headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            length = int((await reader.readline()).split(b";")[0] or b"0", 16)
            await take(length)
            await reader.readline()
            if length == 0:
                return bytes(kept), size
    await take(int(headers.get("content-length", "0") or 0))
    return bytes(kept), size


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Body:
    """A chunked body; counts what it has sent and can compress it as it goes."""

    def __init__(
        self, writer: asyncio.StreamWriter, *, compress: bool, split: int | None, cut_after: int | None
    ) -> None:
        self._writer = writer
        self._zip = zlib.compressobj(wbits=31) if compress else None
        self._split = split
        self._cut_after = cut_after
        self._sent = 0

    async def send(self, data: bytes) -> bool:
        """False when the connection was cut here on purpose."""
        if self._zip is not None:
            data = self._zip.compress(data) + self._zip.flush(zlib.Z_SYNC_FLUSH)
        return await self._send(data)

    async def _send(self, data: bytes) -> bool:
        cut = self._cut_after is not None and self._sent + len(data) >= self._cut_after
        if cut:
            data = data[: (self._cut_after or 0) - self._sent]
        for at in range(0, len(data), self._split or max(1, len(data))):
            piece = data[at : at + (self._split or len(data))]
            self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._writer.drain()
        self._sent += len(data)
        return not cut

    async def end(self) -> None:
        if self._zip is not None:
            await self._send(self._zip.flush())
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
