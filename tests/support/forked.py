"""Engines, daemons and calls of the program `devloop` whose modules are loaded already: forks of a process that has
loaded them and done nothing else.

Loading takes a second of CPU time, most of an engine's start, 0.5 s of a daemon's, and 0.35 of the 0.4 seconds of a
short command; tests start them by the hundred. From its arguments on such a process is like any other: with its
environment, its streams or its log and its connection, killed by its number, with a session of its own where it has
one. What a process begins with (`/proc/PID/environ`, its command line, how Python sets itself up) is not its own: tests
of that start real ones (`Engine(root, EngineClient)`, `place(…, program=PROGRAM)`).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import types
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
            return Child(*_begin("engine", told, (reading, log, log, fd)))
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
    _, pidfd = _begin("program", told, (stdin, *(fd for _, fd in others)))
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
    found = {fd: bytearray() for fd in fds}
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


class _Daemon:
    """What `launch` wants of a `Popen`."""

    def __init__(self, command: Sequence[str], *, stdout: Any, cwd: Path, env: Mapping[str, str], **_: Any) -> None:
        kind, arguments = ("daemon", command[3:]) if command[1] == launch.SERVE[1] else ("scripted", command[1:])
        reading, writing = os.pipe()
        self._code, told = os.pipe()
        self.stdin = open(writing, "wb")  # noqa: SIM115
        log = stdout.fileno()
        message = {"arguments": [*map(str, arguments)], "environment": {**env}, "cwd": str(cwd)}
        self.pid, pidfd = _begin(kind, message, (reading, log, log, told))
        self._ended: int | None = None
        for fd in (reading, told, pidfd):
            os.close(fd)

    def poll(self) -> int | None:
        if self._ended is None and select.select([self._code], [], [], 0)[0]:
            self._ended = int(os.read(self._code, 16) or -signal.SIGKILL)
            os.close(self._code)
        return self._ended


def starter(*, real: bool) -> Any:
    """To stand in for `devloop.launch.subprocess`: scripted daemons are forks, and real ones if wanted."""

    def popen(command: Sequence[str], **options: Any) -> Any:
        known = (real and tuple(command[:4]) == launch.SERVE) or command[1].endswith("/scripted/daemon.py")
        return (_Daemon if known else subprocess.Popen)(command, **options)

    return types.SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE) if hasattr(os, "pidfd_open") else subprocess


def engines() -> None:
    """From now on the engines of this process, a daemon, are forks too."""
    EngineClient._begin = Forked._begin  # type: ignore[method-assign]
    EngineClient.kill = Forked.kill  # type: ignore[method-assign]


def use(channel: int) -> None:
    """This process is a fork and may ask for more by `channel`."""
    _channel.append(socket.socket(fileno=channel))


_channel: list[socket.socket] = []


def _begin(kind: str, told: Mapping[str, Any], fds: Sequence[int]) -> tuple[int, int]:
    """Number and descriptor of the new process."""
    if not _channel:
        _channel.append(_parent())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            message = json.dumps({"kind": kind, **told}).encode()
            socket.send_fds(_channel[0], [message], [*fds, theirs.fileno(), _channel[0].fileno()])
        pid, (pidfd,), _, _ = socket.recv_fds(ours, 64, 1)
    os.set_inheritable(pidfd, False)
    return int(pid), pidfd


def _parent() -> socket.socket:
    """The way to the process that these are forks of; it comes with the first one and ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        program = Path(__file__).with_name("forking.py")
        process = subprocess.Popen([sys.executable, "-P", program, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def end() -> None:
        process.terminate()  # what a test left behind must not hold this up
        process.wait()

    atexit.register(end)
    return ours
