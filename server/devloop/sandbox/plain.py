"""No sandbox: the command runs as the person, with a clean environment and the per-process limits.

Only for what the person declared (gates, set-up) and for devloop's own helpers, unless the person accepted in their
own configuration that agents' commands run this way, too. Namespaces are missing, so what a command leaves behind is
found by a variable that its processes inherit. If devloop itself is killed, a running command goes on to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.sandbox import limits
from devloop.sandbox.bubblewrap import outcome
from devloop.sandbox.command import Command, Mount, Outcome, State
from devloop.sandbox.masks import on_host
from devloop.sandbox.output import Sink
from devloop.sandbox.process import supervise
from devloop.sandbox.watch import tree

MARK = "DEVLOOP_COMMAND"


class Plain:
    """Runs commands plainly. `accepted`: the person agreed to run what an agent chose without a sandbox."""

    name = "none"
    remaps = False

    def __init__(self, *, accepted: bool = False) -> None:
        self.accepted = accepted

    @property
    def state(self) -> State:
        return "off"

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        if not (self.accepted or command.trusted):
            raise SandboxMissing(
                "There is no sandbox, so this command was not run.",
                hint="`devloop doctor` says what is missing. Without a sandbox at your own risk: sandbox.require ="
                " false in your own config.toml.",
            )
        mark = secrets.token_hex(12)
        sink = Sink(command.limits.output_bytes, output_file, on_output)
        try:
            ending = await supervise(
                [*limits.prefix(command.limits, processes=False), *command.argv],
                reach=Session(mark),
                sink=sink,
                limits=command.limits,
                env={**command.env, MARK: mark},
                cwd=host_folder(command),
                stdin=command.stdin,
                writable=[mount.source for mount in command.mounts if mount.write],
            )
        except FileNotFoundError as problem:
            raise SandboxMissing(f"The command could not be started: {problem}.") from problem
        finally:
            sink.close()
        return outcome(ending, sink, sink.text())


def host_folder(command: Command) -> Path:
    """Where the command's folder really is: without mounts, the worktree can only be its own host path."""
    mounts: tuple[Mount, ...] = command.mounts
    found = on_host(mounts, command.cwd)
    return command.cwd if found is None else found[1]


class Session:
    """A process in a session of its own, whatever it started, and whatever got away but bears the mark."""

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._pid: int | None = None

    def started(self, pid: int) -> None:
        self._pid = pid

    def processes(self) -> list[str]:
        return [] if self._pid is None else [f"/proc/{pid}" for pid in tree(self._pid)]

    async def kill(self) -> None:
        if self._pid is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        for _ in range(20):  # each round finds what was started meanwhile; a killed process starts nothing
            found = set(await asyncio.to_thread(lambda: list(self._left())))
            if not found:
                return
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.01)

    async def gone(self) -> None:
        """`kill` returned when nothing was left."""

    def _left(self) -> Iterator[int]:
        if sys.platform != "linux":
            return
        below = set(tree(self._pid)) - {self._pid} if self._pid else set()
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                marked = int(folder.name) in below or self._mark in (folder / "environ").read_bytes().split(b"\0")
                if marked and (folder / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    yield int(folder.name)
