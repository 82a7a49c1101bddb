"""Caps on a command as a whole: what its processes use together, and the room left on the disk.

The kernel's per-process limits don't add up, and the one on processes does not hold for the superuser. So while a
command runs, its tree is looked at a few times a second, and what the machine and the disk have left with it; the
command is killed when it is over a cap. Linux only; elsewhere
nothing is watched. A tree that grows between two looks overshoots by what it can do in that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devloop.sandbox.command import MIB, Limits

FIRST_LOOK_S = 0.03
LONGEST_WAIT_S = 0.2
DISK_TOLERANCE = 16 * MIB
MEMORY_TOLERANCE = 64 * MIB
FILES_RESERVE = 10_000
FILES_TOLERANCE = 1_000
"""Less than what a command took itself is nothing to hold against it."""
_AVAILABLE = re.compile(rb"^MemAvailable:\s*(\d+) kB", re.MULTILINE)


async def watch(processes: Callable[[], Iterable[str]], limits: Limits, writable: Iterable[Path]) -> str:
    """Return the name of the first cap that is broken; never returns otherwise.

    `processes` gives the folders in `/proc` of all processes of the command, as far as they can be seen now.
    """
    free = {place: _free(place) for place in writable}
    available = _available()
    wait = FIRST_LOOK_S
    while True:
        await asyncio.sleep(wait)
        wait = min(wait * 1.5, LONGEST_WAIT_S)
        if sys.platform == "linux":
            # Not in a thread: a fork bomb makes every switch late, and the look stops at the cap on processes.
            over = _over(processes(), limits) or _disk(free, limits.disk_reserve_bytes)
            over = over or _machine(available, limits.memory_reserve_bytes)
            if over:
                return over


def _over(folders: Iterable[str], limits: Limits) -> str | None:
    seen = list(folders)
    # First by number alone: in a storm of new processes each look into one of them takes long.
    if limits.processes is not None and len(seen) > limits.processes:
        return "processes"
    count = memory = 0
    for folder in seen:
        threads, used = _usage(folder)
        count += threads
        memory += used
        if limits.processes is not None and count > limits.processes:
            return "processes"
    cap = limits.memory_bytes
    # Pages that a fork shares are counted more than once at first: count precisely before killing anything.
    if cap is not None and memory > cap and sum(_proportional(folder) for folder in seen) > cap:
        return "memory"
    return None


def namespace(root: int) -> list[str]:
    """The folders of every process in the namespaces of process `root`, by the `/proc` that is mounted there.

    Complete at any moment, unlike lists of children, which a fork bomb outruns. Without the right to look (an ordinary
    user may not look at bwrap itself): the tree, which is enough, because there the kernel's own limit holds. So it is
    in the first moments, when bwrap has not mounted its own `/proc` yet: all of the machine's processes stand in ours.
    """
    proc = str(Path("/proc", str(root), "root", "proc"))
    try:
        if os.stat(proc).st_dev == os.stat("/proc").st_dev:  # noqa: PTH116 - speed
            return [f"/proc/{pid}" for pid in tree(root)]
        return [f"{proc}/{name}" for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208 - speed
    except OSError:
        return [f"/proc/{pid}" for pid in tree(root)]


def tree(root: int) -> Iterator[int]:
    """`root` and every process below it, as the kernel lists them now."""
    waiting = [root]
    seen = {root}
    while waiting:
        pid = waiting.pop()
        yield pid
        for child in _children(pid):
            if child not in seen:
                seen.add(child)
                waiting.append(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, _read(f"{thread}/children").split())
    return found


def _usage(folder: str) -> tuple[int, int]:
    """Threads, and bytes of memory that are the process's own or shared memory."""
    threads, memory = 1, 0
    with contextlib.suppress(OSError):
        for line in _read(f"{folder}/status").splitlines():
            if line.startswith((b"RssAnon:", b"RssShmem:")):
                memory += int(line.split()[1]) * 1024
            elif line.startswith(b"Threads:"):
                threads = int(line.split()[1])
    return threads, memory


def _proportional(folder: str) -> int:
    with contextlib.suppress(OSError):
        lines = _read(f"{folder}/smaps_rollup").splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith((b"Pss_Anon:", b"Pss_Shmem:")))
    return _usage(folder)[1]


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


@dataclass(frozen=True)
class Room:
    """What an ordinary user can still put on a file system. `files` is None where it has no fixed number of them."""

    size: int
    files: int | None


def _free(place: Path) -> Room | None:
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return Room(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def _disk(before: dict[Path, Room | None], reserve: int) -> str | None:
    for place, was in before.items():
        now = _free(place)
        if now is None or was is None:
            continue
        if now.size < reserve and now.size < was.size - DISK_TOLERANCE:
            return "disk"
        if now.files is not None and was.files is not None:
            few = min(FILES_RESERVE, was.files // 10)
            if now.files < few and now.files < was.files - FILES_TOLERANCE:
                return "disk"
    return None


def _available() -> int | None:
    """Bytes that processes of the machine can still get. Files in memory (`memfd`, `tmpfs`, shared memory that nobody
    has attached) are in no process's account: only here they show."""
    with contextlib.suppress(OSError):
        if found := _AVAILABLE.search(_read("/proc/meminfo")):
            return int(found[1]) * 1024
    return None


def _machine(was: int | None, reserve: int) -> str | None:
    now = _available()
    if now is not None and was is not None and now < reserve and now < was - MEMORY_TOLERANCE:
        return "memory"
    return None
