"""Starting a process, reading what it prints, and making sure that it and its children are gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from devloop import children
from devloop.sandbox.command import Limits
from devloop.sandbox.watch import watch

T = TypeVar("T")

FLOOD_PAUSE_S = 0.002
DRAIN_S = 2.0
"""How long output may keep coming after every process is gone (it is in the pipe already)."""


class Receiver(Protocol):
    """Where output goes. While `flooding`, it is read slowly."""

    @property
    def flooding(self) -> bool: ...

    def write(self, data: bytes) -> None: ...


class Reach(Protocol):
    """How to get hold of everything a started command consists of."""

    def started(self, pid: int) -> None: ...

    def processes(self) -> Iterable[str]:
        """The folders in `/proc` of its processes; empty while they are unknown."""

    async def kill(self) -> None:
        """Kill all of it; harmless when nothing is left."""

    async def gone(self) -> None:
        """Return when nothing of it is left."""


@dataclass(frozen=True)
class Ending:
    """`returncode` as `subprocess` gives it; `reason` says why devloop killed it, None when it ended by itself."""

    returncode: int
    reason: str | None
    duration_s: float


async def supervise(
    argv: Sequence[str],
    *,
    reach: Reach,
    sink: Receiver,
    limits: Limits,
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: bytes | int | None,
    writable: Iterable[Path],
    pass_fds: Sequence[int] = (),
    spawned: Callable[[], None] = lambda: None,
) -> Ending:
    """Run `argv` to its end, its wall limit, a cap of `limits` or the cancellation of the caller.

    Nothing of it is alive afterwards. `stdin`: what it reads, or a descriptor. `spawned` is called once the process
    exists or can't be made.
    Must run on an event loop whose thread outlives the command: `--die-with-parent` means the thread that started it.
    """
    begin = time.monotonic()
    read_fd, write_fd = os.pipe()
    reader = os.fdopen(read_fd, "rb", 0)
    try:
        process, cancelled = await _start(argv, stdin, write_fd, env=env, cwd=cwd, pass_fds=pass_fds)
    except BaseException:
        reader.close()
        raise
    finally:
        os.close(write_fd)
        spawned()
    reach.started(process.pid)
    flood = asyncio.Event()
    drained = asyncio.create_task(_drain(reader, sink, limits.flood_bytes, flood))
    flooded = asyncio.create_task(flood.wait())
    exited = asyncio.create_task(process.wait())
    watched = asyncio.create_task(watch(reach.processes, limits, writable))
    reason: str | None = None
    try:
        if cancelled:
            raise asyncio.CancelledError
        wall = limits.wall_s - (time.monotonic() - begin)
        ends = {exited, watched, flooded}
        await asyncio.wait(ends, timeout=max(wall, 0), return_when=asyncio.FIRST_COMPLETED)
        if not exited.done():
            reason = watched.result() if watched.done() else "output" if flooded.done() else "timeout"
    finally:
        flooded.cancel()
        await to_the_end(_clean_up(reach, process, exited, watched, drained))
    return Ending(exited.result(), reason, time.monotonic() - begin)


async def _start(
    argv: Sequence[str],
    stdin: bytes | int | None,
    output: int,
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    pass_fds: Sequence[int],
) -> tuple[asyncio.subprocess.Process, bool]:
    """The process, and whether the caller was cancelled meanwhile."""
    with _stdin(stdin) as source:
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *argv,
                stdin=source,
                stdout=output,
                stderr=output,
                env=dict(env),
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        )
        cancelled = False
        try:
            # A cancelled start kills the process at once; one that had forked already would leave its child.
            await to_the_end(starting)
        except asyncio.CancelledError:
            cancelled = True
        return starting.result(), cancelled


async def to_the_end(work: Awaitable[T]) -> T:
    """Await `work` to its end even when the caller is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            cancelled = True
        except Exception:  # raised below, from the task itself
            break
    if cancelled:
        task.exception()  # the cancellation counts more
        raise asyncio.CancelledError
    return task.result()


async def _clean_up(
    reach: Reach,
    process: asyncio.subprocess.Process,
    exited: asyncio.Task[int],
    watched: asyncio.Task[str],
    drained: asyncio.Task[None],
) -> None:
    watched.cancel()
    await reach.kill()
    children.kill(process)
    await asyncio.wait({exited})
    await reach.gone()
    await asyncio.wait({drained}, timeout=DRAIN_S)
    drained.cancel()
    await asyncio.gather(drained, watched, return_exceptions=True)


async def _drain(stream: Any, sink: Receiver, cap: int | None, flood: asyncio.Event) -> None:
    """Hand on what comes, to its end. `flood` is set when that is more than `cap` bytes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=65536)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    total = 0
    try:
        while data := await reader.read(65536):
            sink.write(data)
            total += len(data)
            if cap is not None and total > cap:
                flood.set()
            if sink.flooding:  # the pipe fills up and the command waits: the loop stays free for others
                await asyncio.sleep(FLOOD_PAUSE_S)
    finally:
        transport.close()


@contextlib.contextmanager
def _stdin(data: bytes | int | None) -> Iterator[int | IO[bytes]]:
    """What the child reads: a file of its own, so that nobody has to feed a pipe."""
    if data is None or isinstance(data, int):
        yield asyncio.subprocess.DEVNULL if data is None else data
        return
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file
