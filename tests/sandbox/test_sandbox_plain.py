"""Without a sandbox: a clean environment, limits, and still nothing left behind."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import MIB, Command, Limits, Mount
from devloop.sandbox.limits import READY, REFUSED, prefix
from devloop.sandbox.plain import Plain


@pytest.fixture
def plain(tmp_path):
    worktree = tmp_path / "worktree"
    worktree.mkdir()

    def command(script: str, **changes: object) -> Command:
        base = Command(
            argv=("/bin/sh", "-c", script),
            cwd=tmp_path / "view",
            mounts=(Mount(worktree, tmp_path / "view", write=True),),
            env={"PATH": "/usr/bin:/bin"},
            limits=Limits(wall_s=20),
        )
        return dataclasses.replace(base, **changes)

    return Plain(accepted=True), command, worktree


def alive(mark: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


async def test_the_command_runs_in_the_worktree_with_a_clean_environment(plain, monkeypatch):
    backend, command, worktree = plain
    monkeypatch.setenv("DEVLOOP_TEST_MARKER", "visible")
    result = await backend.run(command("pwd; env"))
    assert result.output.splitlines()[0] == str(worktree)
    assert "DEVLOOP_TEST_MARKER" not in result.output


async def test_signals_and_missing_programs_are_told(plain):
    backend, command, _ = plain
    died = await backend.run(command("kill -SEGV $$"))
    assert (died.exit_code, died.signal) == (139, signal.SIGSEGV)
    assert (await backend.run(command("", argv=("/usr/bin/no-such-program",)))).exit_code == 127


@pytest.mark.parametrize("how", ["end", "timeout", "cancel"])
async def test_nothing_is_left_however_it_ends(plain, how):
    backend, command, _ = plain
    mark = f"mark-plain-{how}-{id(plain)}"
    away = f"(setsid sh -c 'setsid sleep 60 & sleep 60; : {mark}' &) ; sleep 60 & echo up; : {mark}"
    up = asyncio.Event()
    limits = Limits(wall_s=0.5 if how == "timeout" else 20)
    script = away if how == "end" else away + "; wait"
    running = asyncio.create_task(backend.run(command(script, limits=limits), on_output=lambda _: up.set()))
    await asyncio.wait_for(up.wait(), 10)
    if how == "cancel":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        assert (await running).timed_out == (how == "timeout")
    assert not alive(mark)


async def test_limits_hold(plain):
    backend, command, worktree = plain
    result = await backend.run(command("head -c 9000000 /dev/zero > big", limits=Limits(wall_s=20, file_bytes=MIB)))
    assert not result.ok
    assert (worktree / "big").stat().st_size == MIB
    shell = command("ulimit -n; ulimit -c", limits=Limits(wall_s=20, open_files=77))
    assert (await backend.run(shell)).output.split() == ["77", "0"]


async def test_the_watch_counts_without_a_sandbox_too(plain):
    backend, command, _ = plain
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 20 & done; wait"
    assert (await backend.run(command(script, limits=Limits(wall_s=15, processes=8)))).killed_reason == "processes"


async def test_every_limit_is_set(plain):
    backend, command, worktree = plain
    limits = Limits(wall_s=20, open_files=77, cpu_s=9, file_bytes=MIB)
    result = await backend.run(command("ulimit -n; ulimit -c; ulimit -t; ulimit -d", limits=limits))
    assert result.output.split() == ["77", "0", "9", str(4 * 1024 * 1024)]
    await backend.run(command("head -c 9000000 /dev/zero > big", limits=limits))
    assert (worktree / "big").stat().st_size == MIB


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash", "/bin/busybox"])
def test_the_prefix_works_in_every_shell(shell):
    if not Path(shell).exists():
        pytest.skip(f"{shell} is not installed")
    limits = Limits(open_files=77, cpu_s=9, file_bytes=MIB, processes=4000)
    words = prefix(limits, processes=True, door="input")
    called = ["sh", *words[1:], "/bin/sh", "-c", "ulimit -n; ulimit -t; ulimit -f; ulimit -c; cat"]
    opened = subprocess.run(called, executable=shell, input=b"\nrest", capture_output=True, check=False)
    assert opened.stdout == READY + b"77\n9\n2048\n0\nrest"
    shut = subprocess.run(called, executable=shell, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (shut.returncode, shut.stdout) == (REFUSED, READY)


async def test_a_folder_that_is_missing_is_told(plain, tmp_path):
    backend, command, _ = plain
    with pytest.raises(SandboxMissing, match="could not be started"):
        await backend.run(command("true", cwd=tmp_path / "missing"))
