"""Engines, and calls of the program `devloop`, whose modules are loaded already: forks of a process that has loaded
them and done nothing else.

Loading takes a second of CPU time, most of an engine's start, and 0.35 of the 0.4 seconds of a short command; tests
start both by the hundred. From its arguments on such a process is like any other: with its environment, its streams or
its log and its connection, killed by its number, an engine with a session of its own. What a process begins with
(`/proc/PID/environ`, its command line, how Python sets itself up) is not its own: tests of that start a real one
(`Engine(root, EngineClient)`, `place(…, program=PROGRAM)`), as every daemon of a test does.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
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
        os.write(writing, launch.packed(secret_ones))
        os.close(writing)
        try:
            return Child(*_fork("engine", told, (reading, log, log, fd)))
        finally:
            os.close(reading)

    async def kill(self) -> None:
        self._process.kill()
        await self.exited.wait()


def run_program(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], given: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """`devloop` with these arguments to its end; `given` is what it reads."""
    pipes = [os.pipe() for _ in range(4)]
    (stdin, writing), *others = pipes
    os.write(writing, given.encode())
    os.close(writing)
    told = {"arguments": [*arguments], "environment": {**environment}, "cwd": str(cwd)}
    _, pidfd = _fork("program", told, (stdin, *(fd for _, fd in others)))
    for fd in (stdin, *(fd for _, fd in others)):
        os.close(fd)
    try:
        out, err, code = _read_all([fd for fd, _ in others], timeout)
    except TimeoutError:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        raise subprocess.TimeoutExpired([*arguments], timeout) from None
    finally:
        os.close(pidfd)
    return subprocess.CompletedProcess(arguments, int(code or -signal.SIGKILL), out, err)


def _read_all(fds: Sequence[int], timeout: float) -> list[str]:
    """What comes out of each, until nothing more can come."""
    found = dict.fromkeys(fds, b"")
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for fd in fds:
            selector.register(fd, selectors.EVENT_READ)
        try:
            while selector.get_map():
                ready = selector.select(max(0, end - time.monotonic()))
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    if piece := os.read(key.fd, 1 << 16):
                        found[key.fd] += piece
                    else:
                        selector.unregister(key.fd)
        finally:
            for fd in fds:
                os.close(fd)
    return [each.decode(errors="replace") for each in found.values()]


def _fork(kind: str, told: Mapping[str, Any], fds: Sequence[int]) -> tuple[int, int]:
    """Number and descriptor of the new process."""
    parent = _parent(kind)
    socket.send_fds(parent, [json.dumps(told).encode()], fds)
    pid, (pidfd,), _, _ = socket.recv_fds(parent, 64, 1)
    os.set_inheritable(pidfd, False)
    return int(pid), pidfd


@functools.cache
def _parent(kind: str) -> socket.socket:
    """The way to the process that these are forks of; it comes with the first one and ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        program = Path(__file__).with_name("forking.py")
        words = [sys.executable, "-P", program, kind, str(theirs.fileno())]
        process = subprocess.Popen(words, pass_fds=[theirs.fileno()])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
