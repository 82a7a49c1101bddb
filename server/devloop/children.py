"""Child processes whose exit codes arrive: nobody but asyncio's watcher collects them.

Both ways in which one gets lost end as asyncio's "Unknown child process pid …, will report returncode 255".
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys


def collectable() -> None:
    """Undo an inherited `SIGCHLD` that is ignored (`trap '' CHLD`, some supervisors): `exec` keeps it, and the kernel
    then throws every exit code away. For a process's main thread, before it starts another process."""
    if sys.platform != "win32" and signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def told_by_the_kernel() -> None:
    """Let the loop hear from the kernel that a child has ended, as asyncio has it from Python 3.12 on. Before that a
    thread waits for each child: a fifth of what a start costs, and a run starts git more than a hundred times. For a
    process's main thread."""
    if sys.platform == "linux" and sys.version_info < (3, 12):
        with contextlib.suppress(OSError):  # a kernel or a sandbox without it: threads do it
            os.close(os.pidfd_open(os.getpid()))
            asyncio.set_child_watcher(asyncio.PidfdChildWatcher())


def send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process unless it has ended, and leave its exit code for whoever waits for it.

    `Process.kill` and `terminate` ask first whether it has ended, and who asks a process that just did takes the exit
    code away (CPython gh-87744, mended in 3.14).
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        if sys.platform == "win32":
            process.send_signal(number)
            return
        if hasattr(os, "waitid"):  # not on macOS before Python 3.13
            ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # collected: an error
            if ended is not None:
                return
        os.kill(process.pid, number)


def kill(process: asyncio.subprocess.Process) -> None:
    """End it at once; see `send`."""
    send(process, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def terminate(process: asyncio.subprocess.Process) -> None:
    """Ask it to end; see `send`."""
    send(process, signal.SIGTERM)
