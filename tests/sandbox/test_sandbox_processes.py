"""However a command ends, nothing of it is left; and it can't take more than it was given."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from devloop.sandbox import MIB, Limits
from devloop.sandbox.limits import READY
from devloop.sandbox.orphans import sweep
from devloop.sandbox.watch import namespace

TREE = "(setsid sh -c 'sleep 60; : {mark}' &) ; sh -c 'sleep 60; : {mark}' & echo up; wait; : {mark}"


def tree(place):
    return TREE.format(mark=place.mark)


async def test_exit_code_signal_and_duration_are_told(place):
    result = await place.run("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.signal, result.timed_out, result.killed_reason) == (3, None, False, None)
    assert result.output == "out\nerr\n"
    assert 0 < result.duration_s < 10
    died = await place.run("kill -SEGV $$")
    assert (died.exit_code, died.signal) == (139, signal.SIGSEGV)


async def test_a_program_that_does_not_exist_is_an_ordinary_failure(place):
    result = await place.run("/usr/bin/no-such-program", "x")
    assert result.exit_code == 127


async def test_input_is_given(place):
    assert (await place.run("cat", stdin=b"text")).output == "text"
    assert (await place.run("cat")).output == ""


async def test_a_timeout_leaves_no_process(place):
    result = await place.run(tree(place), limits=Limits(wall_s=0.5))
    assert place.alive() == []
    assert (result.exit_code, result.timed_out, result.killed_reason) == (None, True, "timeout")
    assert result.output == "up\n"
    assert result.duration_s < 3


async def test_an_ordinary_end_leaves_no_process(place):
    result = await place.run(f"(setsid sh -c 'sleep 60; : {place.mark}' &); echo up")
    assert result.ok
    assert place.alive() == []


async def test_cancelling_leaves_no_process_and_is_passed_on(place):
    up = asyncio.Event()
    running = asyncio.create_task(
        place.backend.run(place.command(tree(place), masks=(place.view / ".vscode",)), on_output=lambda _: up.set())
    )
    await asyncio.wait_for(up.wait(), 10)
    assert len(place.alive()) >= 3
    begin = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert place.alive() == []
    assert time.monotonic() - begin < 2
    assert place.residue() == []


@pytest.mark.parametrize("delay", [0, 0.0005, 0.001, 0.002, 0.003, 0.004, 0.006, 0.01])
async def test_cancelling_at_any_moment_of_the_start_leaves_no_process(place, delay):
    command = place.command(tree(place), masks=(place.view / ".vscode",))
    running = asyncio.create_task(place.backend.run(command))
    await asyncio.sleep(delay)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await place.until(lambda: place.alive() == [], 2)
    assert place.residue() == []


async def test_a_second_cancel_does_not_cut_the_clean_up_short(place):
    up = asyncio.Event()
    command = place.command(tree(place), masks=(place.view / ".vscode",))
    running = asyncio.create_task(place.backend.run(command, on_output=lambda _: up.set()))
    await asyncio.wait_for(up.wait(), 10)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert place.alive() == []
    assert place.residue() == []


PARENT = """
import asyncio, json, sys
from pathlib import Path
from devloop.sandbox import Command, Limits, Mount, detect
worktree, view, script = json.loads(sys.argv[1])
async def main():
    backend = (await detect()).backend
    command = Command(("/bin/sh", "-c", script), Path(view), (Mount(Path(worktree), Path(view), write=True),),
                      env={"PATH": "/usr/bin:/bin"})
    print("go", flush=True)
    await backend.run(command, on_output=lambda data: print(data.decode(), flush=True))
asyncio.run(main())
"""


async def test_the_death_of_devloop_kills_the_whole_tree(place):
    arguments = json.dumps([str(place.worktree), str(place.view), tree(place)])
    with subprocess.Popen([sys.executable, "-c", PARENT, arguments], stdout=subprocess.PIPE) as parent:
        assert await asyncio.to_thread(parent.stdout.readline) == b"go\n"
        assert await asyncio.to_thread(parent.stdout.readline) == b"up\n"
        assert len(place.alive()) >= 3
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        took = await place.until(lambda: place.alive() == [], 2)
    assert took < 2


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 4, 5, 6, 8])
async def test_the_death_of_devloop_at_any_moment_of_the_start_leaves_no_command(place, milliseconds):
    """bwrap promises to die with its parent only after a while: until then the command must not have begun."""
    script = f"touch begun; sleep 0.3; touch survived; : {place.mark}"
    arguments = json.dumps([str(place.worktree), str(place.view), script])
    with subprocess.Popen([sys.executable, "-c", PARENT, arguments], stdout=subprocess.PIPE) as parent:
        assert await asyncio.to_thread(parent.stdout.readline) == b"go\n"
        await asyncio.sleep(milliseconds / 1000)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        # A sandbox that was not finished may be left waiting; the next start of devloop sweeps it.
        await place.until(lambda: sweep(place.backend.program) == 0 and place.alive() == [], 2)
    await asyncio.sleep(0.4)  # nothing to wait for: this is the time in which a command that lived would tell
    assert not (place.worktree / "survived").exists()


async def test_a_sandbox_that_its_starter_never_finished_is_swept_and_a_running_one_is_not(place):
    up = asyncio.Event()
    running = asyncio.create_task(
        place.backend.run(
            place.command("echo up; while [ ! -e go ]; do sleep 0.02; done"), on_output=lambda _: up.set()
        )
    )
    await asyncio.wait_for(up.wait(), 10)
    block, release = os.pipe()
    words = [
        "--unshare-all",
        "--unshare-user",
        "--userns-block-fd",
        str(block),
        "--info-fd",
        "1",
        "--ro-bind",
        "/",
        "/",
    ]
    argv = [str(place.backend.program), *words, "/bin/sh", "-c", f": {READY.decode()} {place.mark}"]
    with subprocess.Popen(argv, pass_fds=(block,), stdout=subprocess.PIPE) as outer:
        info = b""
        while b"}" not in info:
            info += await asyncio.to_thread(os.read, outer.stdout.fileno(), 4096)
        outer.kill()
        outer.wait()
    os.close(block)
    os.close(release)
    assert place.alive() == [json.loads(info)["child-pid"]]
    assert sweep(place.backend.program) == 1
    await place.until(lambda: place.alive() == [], 2)
    assert sweep(place.backend.program) == 0
    (place.worktree / "go").touch()
    assert (await running).ok


async def test_a_flood_of_output_is_cut_and_the_loop_stays_free(place, tmp_path):
    ticks, over = 0, asyncio.Event()

    async def tick():
        nonlocal ticks
        while not over.is_set():
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    command = place.command(
        "echo first; head -c 40000000 /dev/zero | tr '\\0' 'x'; echo; echo last",
        limits=Limits(wall_s=60, output_bytes=10_000),
    )
    result = await place.backend.run(command, output_file=tmp_path / "out")
    over.set()
    await ticking
    assert result.ok
    assert result.output_bytes == 40_000_012
    assert result.truncated
    assert result.output.startswith("first\n")
    assert result.output.endswith("last\n")
    assert "bytes left out" in result.output
    assert len(result.output) < 11_000
    assert (tmp_path / "out").stat().st_size == 16 * MIB
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert ticks > 20, "the loop had other things to do meanwhile, some hundred on an idle machine"


async def test_endless_output_ends_with_the_wall_limit(place):
    result = await place.run("yes", limits=Limits(wall_s=0.7))
    assert result.timed_out
    assert result.duration_s < 3


async def test_a_fork_bomb_is_bounded(place):
    bomb = f"f() {{ [ $1 -gt 0 ] && {{ f $(($1-1)) & f $(($1-1)) & }}; sleep 20; : {place.mark}; }}; f 9"
    result = await place.run(bomb, limits=Limits(wall_s=15, processes=40))
    assert place.alive() == []
    # The superuser is not bound by the kernel's count of processes: there the watch ends the command.
    assert result.killed_reason == "processes" or "fork" in result.output


async def test_threads_count_as_processes(place):
    source = (
        "import threading, time\n"
        "for _ in range(200): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()\n"
        "time.sleep(20)"
    )
    result = await place.python(source, limits=Limits(wall_s=15, processes=50))
    assert result.killed_reason == "processes" or "can't start new thread" in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
async def test_before_the_sandbox_has_its_own_proc_the_machines_processes_do_not_count():
    """A process that still stands in our own root sees all processes of the machine, which are not the command's."""
    child = await asyncio.create_subprocess_exec("/bin/sh", "-c", "sleep 60 & wait", start_new_session=True)
    try:
        while len(found := namespace(child.pid)) < 2:
            await asyncio.sleep(0.01)
        assert len(found) == 2 and found[0] == f"/proc/{child.pid}"
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


async def test_one_process_can_not_take_more_memory_than_allowed(place):
    result = await place.python(
        "x = bytearray(1 << 30); print('got it')", limits=Limits(wall_s=20, memory_bytes=200 * MIB)
    )
    assert "got it" not in result.output
    assert not result.ok


async def test_processes_together_can_not_take_more_memory_than_allowed(place):
    source = (
        "import os, time\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        x = b'x' * (60 << 20)\n"
        "        time.sleep(20)\n"
        "time.sleep(20)"
    )
    result = await place.python(source, limits=Limits(wall_s=15, memory_bytes=150 * MIB))
    assert result.killed_reason == "memory"
    assert result.exit_code is None


async def test_memory_that_a_fork_shares_counts_once(place):
    source = (
        "import os, time\n"
        "x = b'x' * (60 << 20)\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(0.6)\n"
        "        os._exit(0)\n"
        "time.sleep(0.7)"
    )
    assert (await place.python(source, limits=Limits(wall_s=15, memory_bytes=150 * MIB))).ok


async def test_a_file_can_not_grow_beyond_its_limit(place):
    result = await place.run("head -c 9000000 /dev/zero > big", limits=Limits(wall_s=15, file_bytes=MIB))
    assert not result.ok
    assert (place.worktree / "big").stat().st_size == MIB


async def test_filling_the_disk_ends_the_command(place):
    fill = "i=0; while [ $i -lt 300 ]; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); sleep 0.01; done"
    result = await place.run(fill, limits=Limits(wall_s=15, disk_reserve_bytes=1 << 60))
    assert result.killed_reason == "disk"


async def test_processor_time_is_limited(place):
    result = await place.run("while :; do :; done", limits=Limits(wall_s=10, cpu_s=1))
    assert not result.timed_out
    assert result.signal in (signal.SIGXCPU, signal.SIGKILL)


async def test_a_receiver_of_output_that_fails_does_not_disturb_the_command(place, caplog):
    def fail(_: bytes) -> None:
        raise ValueError("no")

    result = await place.backend.run(place.command("echo a; sleep 0.1; echo b"), on_output=fail)
    assert result.output == "a\nb\n"
    assert "receiver" in caplog.text


async def test_nothing_stays_open_after_many_commands(place):
    await place.run("true")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await place.run("true", stdin=b"x")
    assert len(os.listdir("/proc/self/fd")) == before
