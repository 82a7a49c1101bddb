"""The process between devloop and a command, for backends without namespaces of their own (`helper_program.py`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop.sandbox import canary
from devloop.sandbox.bubblewrap import GONE_S
from devloop.sandbox.command import Command, Limits
from devloop.sandbox.output import Sink
from devloop.sandbox.plain import Session
from devloop.sandbox.process import Ending, supervise

PROGRAM = Path(__file__).with_name("helper_program.py")
DYING = Command(argv=("/bin/sh", "-c", canary.CHILD), cwd=Path("/"), env={"PATH": "/usr/bin:/bin"}, limits=Limits())
"""What the canary starts to see whether it dies with devloop."""


async def run(command: Command, fd: int, mark: str, sink: Sink) -> Ending:
    """Run `command`, of which the helper reads at `fd` (see `job`), to its end. What it starts bears `mark`."""
    reach = Helped(mark)
    try:
        return await supervise(
            _words(fd),
            reach=reach,
            sink=sink,
            limits=command.limits,
            env={},
            cwd=Path("/"),
            stdin=command.stdin,
            writable=[mount.source for mount in command.mounts if mount.write],
            pass_fds=(fd,),
        )
    finally:
        reach.close()


async def dies(label: str, fd: int) -> str | None:
    """The canary's question whether the helper's children die with devloop: here a shell is in devloop's place."""
    return await canary.dies_with(label, ["/bin/sh", "-c", '"$@" & wait', "sh", *_words(fd)], pass_fds=(fd,))


def _words(fd: int) -> list[str]:
    """How the helper is started; `fd` is what it reads its job from."""
    return [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(fd)]


@contextlib.contextmanager
def job(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    *,
    landlock: Mapping[str, Any] | None = None,
    parent: int | None = -1,
) -> Iterator[int]:
    """A descriptor with the helper's job. Not its arguments: those can be read by everybody.

    `parent`: the process that it must be the child of, by default this one; None for any.
    """
    content = {
        "argv": list(argv),
        "env": dict(env),
        "cwd": str(cwd),
        "parent": os.getpid() if parent == -1 else parent,
        "landlock": landlock,
    }
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(content).encode("utf-8", "surrogateescape"))
        file.seek(0)
        yield file.fileno()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that is the command's home and is gone with it."""
    folder = Path(tempfile.mkdtemp(prefix="devloop-scratch-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Helped(Session):
    """A helper that ends what it started when it is told to; whatever got away all the same bears the mark."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self._pidfd = -1

    def started(self, pid: int) -> None:
        super().started(pid)
        with contextlib.suppress(OSError):
            self._pidfd = os.pidfd_open(pid)

    async def kill(self) -> None:
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
            await self._ended()
        await super().kill()

    async def _ended(self) -> None:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        if poll.poll(0):
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pidfd, ended.set)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), GONE_S)
        finally:
            loop.remove_reader(self._pidfd)

    def close(self) -> None:
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
