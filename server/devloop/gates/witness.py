"""Listening to a gate while it runs: what was said is out of its reach from then on (gates §5.5)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from devloop.gates.stream import MAX_STREAM

_AT_ONCE = 1 << 16


class Heard:
    """What came through the pipe at `path`; of more than `MAX_STREAM` one byte too much is kept, which says so."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._parts: list[bytes] = []
        self._kept = 0
        self.descriptor: int | None = None

    def data(self) -> bytes:
        return b"".join(self._parts)

    def drain(self) -> None:
        """Everything that is there now, and no waiting."""
        while self.descriptor is not None:
            try:
                part = os.read(self.descriptor, _AT_ONCE)
            except BlockingIOError:
                return
            if not part:
                return
            if self._kept <= MAX_STREAM:
                self._parts.append(part)
                self._kept += len(part)


@contextlib.asynccontextmanager
async def listening(path: Path | None) -> AsyncIterator[Heard]:
    """Make the pipe and read what is written into it until the end; None: nobody speaks."""
    heard = Heard(path)
    if path is None:
        yield heard
        return
    os.mkfifo(path, 0o600)
    heard.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    ours = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # so that the gate's end may close without ending it
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(heard.descriptor, heard.drain)
        yield heard
        heard.drain()
    finally:
        loop.remove_reader(heard.descriptor)
        os.close(ours)
        os.close(heard.descriptor)
        heard.descriptor = None
