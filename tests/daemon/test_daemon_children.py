"""Exit codes of child processes arrive, whoever kills a child and whatever this process inherited."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from devloop import children

IGNORED = """
import asyncio, signal
from devloop import children
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
children.collectable()
async def main():
    process = await asyncio.create_subprocess_exec("sh", "-c", "exit 3")
    return await process.wait()
print(asyncio.run(main()))
"""

TOLD = """
import asyncio, threading
from devloop import children
children.told_by_the_kernel()
async def main():
    process = await asyncio.create_subprocess_exec("sh", "-c", "read x; exit 3", stdin=asyncio.subprocess.PIPE)
    threads = threading.active_count()
    await process.communicate(b"go\\n")
    return process.returncode, threads
print(*asyncio.run(main()))
"""


@pytest.fixture
def late(monkeypatch) -> threading.Event:
    """asyncio's watcher, which has not come round yet to collecting anybody."""
    come, wait = threading.Event(), os.waitpid

    def waiting(pid: int, options: int) -> tuple[int, int]:
        assert come.wait(20)
        return wait(pid, options)

    monkeypatch.setattr(os, "waitpid", waiting)
    yield come
    come.set()


@pytest.mark.parametrize("end", [children.kill, children.terminate])
async def test_killing_what_has_just_ended_leaves_its_exit_code_to_who_waits_for_it(late, end, caplog):
    process = await asyncio.create_subprocess_exec("sh", "-c", "exit 7")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    end(process)
    late.set()
    assert await process.wait() == 7
    assert "Unknown child process" not in caplog.text


async def test_what_is_alive_is_killed_and_what_is_gone_is_left_alone():
    process = await asyncio.create_subprocess_exec("sleep", "60")
    children.kill(process)
    assert await process.wait() == -signal.SIGKILL
    children.kill(process)
    children.terminate(process)


def test_an_ignored_signal_of_children_is_not_inherited():
    done = subprocess.run([sys.executable, "-P", "-c", IGNORED], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("3\n", "")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux only")
def test_the_kernel_tells_of_an_ended_child_and_no_thread_waits_for_it():
    done = subprocess.run([sys.executable, "-P", "-c", TOLD], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("3 1\n", "")
