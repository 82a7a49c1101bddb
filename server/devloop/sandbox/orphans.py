"""Sandboxes that were never finished because devloop died by SIGKILL a moment after it started them.

bwrap dies with its parent soon after its start, but its child asks to die with *it* only later: in between, the child
waits for ever for a word from a process that is gone. It has done nothing and can do nothing, but it is there. Whoever
starts next removes it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from devloop.sandbox.limits import READY

_MARK = READY.strip()


def sweep(program: Path) -> int:
    """Kill every process 1 of a sandbox of this user's devloop whose bwrap is gone; how many there were.

    A sandbox that runs is left alone, whoever runs it: its process 1 has `program` as its parent.
    """
    found = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                found += _kill_orphan(folder, program)
    return found


def _kill_orphan(folder: Path, program: Path) -> bool:
    if folder.stat().st_uid != os.getuid() or _MARK not in (folder / "cmdline").read_bytes():
        return False
    handle = os.pidfd_open(int(folder.name))  # before the checks, so that they are about the process that is killed
    try:
        if not _is_orphan(folder, program):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    finally:
        os.close(handle)


def _is_orphan(folder: Path, program: Path) -> bool:
    words = (folder / "cmdline").read_bytes().split(b"\0")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    numbers = status["NSpid"].split()
    return (
        words[0] == os.fsencode(program)
        and any(_MARK in word for word in words)
        and len(numbers) > 1
        and numbers[-1] == "1"
        and not _runs(Path("/proc", status["PPid"].strip()), program)
    )


def _runs(folder: Path, program: Path) -> bool:
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")[0] == os.fsencode(program)
    except OSError:
        return False
