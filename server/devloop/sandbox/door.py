"""The moment when a sandboxed command may start: its sandbox is complete, and whoever started it is still alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from devloop.sandbox.limits import READY
from devloop.sandbox.output import Sink


class Door:
    """Stands between the output of a sandbox and its `Sink`, and is the command's input.

    The first line of output is `READY` (see `limits`): then the line that opens the door goes in, and `data` after it.
    Any other first output is bwrap's complaint, and belongs to the output.
    """

    def __init__(self, sink: Sink, data: bytes | None, ready: Callable[[], None]) -> None:
        self.read_fd, self._write_fd = os.pipe()
        self.opened = False
        self._sink = sink
        self._data = data
        self._ready = ready
        self._first: bytes | None = b""
        self._feeding: asyncio.Task[None] | None = None

    @property
    def flooding(self) -> bool:
        return self._sink.flooding

    def write(self, data: bytes) -> None:
        if self._first is not None:
            data, self._first = self._first + data, None
            if data.startswith(READY):
                self._open()
                data = data.removeprefix(READY)
            elif READY.startswith(data):
                self._first = data  # more to come
                return
        if data:
            self._sink.write(data)

    def close_read(self) -> None:
        if self.read_fd >= 0:
            os.close(self.read_fd)
            self.read_fd = -1

    async def close(self) -> None:
        self.close_read()
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.wait({self._feeding})
        if self._write_fd >= 0:
            os.close(self._write_fd)
            self._write_fd = -1
        if self._first:
            self._sink.write(self._first)
            self._first = None

    def _open(self) -> None:
        self.opened = True
        self._ready()
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_fd, b"\n")
        if self._data is None:
            os.close(self._write_fd)
        else:
            self._feeding = asyncio.create_task(self._feed(self._write_fd, self._data))
        self._write_fd = -1

    @staticmethod
    async def _feed(fd: int, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        pipe = os.fdopen(fd, "wb", 0)
        try:
            transport, _ = await loop.connect_write_pipe(lambda: _Told(ended), pipe)
        except BaseException:
            pipe.close()
            raise
        try:
            transport.write(data)
            transport.write_eof()
            await ended.wait()
        finally:
            transport.abort()


class _Told(asyncio.BaseProtocol):
    def __init__(self, ended: asyncio.Event) -> None:
        self._ended = ended

    def connection_lost(self, _: Exception | None) -> None:
        self._ended.set()
