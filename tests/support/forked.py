"""Engines whose modules are loaded already: forks of a process that has loaded them and done nothing else.

Loading takes a second of CPU time, most of an engine's start, and tests start engines by the hundred. From its
arguments on such an engine is like any other: a process and a session of its own, with its environment, its log and its
connection, killed by its number. What a process begins with (`/proc/PID/environ`, its command line) is not its own:
tests of that start a real one (`Engine(root, EngineClient)`), as every daemon of a test does.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devloop import launch
from devloop.engine import EngineClient, client


class Child:
    """A process of another parent: seen and ended by its descriptor."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid, self._pidfd = pid, pidfd
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, self._gone)

    async def wait(self) -> None:
        await self._ended.wait()

    def kill(self) -> None:
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended.set()


class Forked(EngineClient):
    _process: Any

    @staticmethod
    async def _begin(arguments: Sequence[str], fd: int, log: int) -> Any:
        open_ones, secret_ones = launch.parted(client._process_environment())
        told = {"arguments": [*arguments], "environment": open_ones, "cwd": str(Path.cwd())}
        reading, writing = os.pipe()
        socket.send_fds(_parent(), [json.dumps(told).encode()], [reading, log, fd])
        os.close(reading)
        os.write(writing, launch.packed(secret_ones))
        os.close(writing)
        pid, (pidfd,), _, _ = socket.recv_fds(_parent(), 64, 1)
        return Child(int(pid), pidfd)

    async def kill(self) -> None:
        self._process.kill()
        await self.exited.wait()


@functools.cache
def _parent() -> socket.socket:
    """The way to the process that engines are forks of; it comes with the first one and ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        program = Path(__file__).with_name("forking.py")
        process = subprocess.Popen([sys.executable, "-P", program, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
