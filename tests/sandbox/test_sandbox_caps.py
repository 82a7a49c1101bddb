"""What a command can't take, however it goes about it: memory that is in nobody's account, files without number, the
kernel's patience."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from devloop.sandbox import MIB, Limits, Mount, limits, points, profile

SOME = 400
HOARD = f"""
import os, time
fd = os.memfd_create("hoard")
for _ in range({SOME}):
    os.write(fd, bytes(1 << 20))
time.sleep(3)
print("kept it")
"""
FILES = """
import os, time
try:
    for number in range(6000):
        os.close(os.open(f"f{number}", os.O_CREAT))
except OSError:
    pass
time.sleep(3)
"""


async def test_one_process_can_not_even_ask_for_more_than_a_command_may_have(place):
    """Nothing of it is touched, so no look at what is used would see it: the kernel refuses."""
    source = "import mmap; mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); print('got it')"
    result = await place.python(source, limits=Limits(wall_s=20, memory_bytes=200 * MIB))
    assert "got it" not in result.output and not result.ok


async def test_memory_that_is_in_no_processs_account_counts(place):
    """A file in memory that nobody has mapped: it shows in what the machine has left, and nowhere else."""
    result = await place.python(HOARD, limits=Limits(wall_s=20, memory_reserve_bytes=1 << 60))
    assert result.killed_reason == "memory", result.output


async def test_whoever_makes_files_without_number_is_stopped(place, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=50m,nr_inodes=4000", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(options, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        mounts = (Mount(small, place.view, write=True), *place.command("true").mounts[1:])
        result = await place.python(FILES, mounts=mounts, limits=Limits(wall_s=20, disk_reserve_bytes=0))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    assert result.killed_reason == "disk", result.output


@pytest.mark.parametrize("flood", ["yes", "cat /dev/zero"])
async def test_whoever_prints_without_end_is_stopped(place, flood):
    result = await place.run(flood, limits=Limits(wall_s=20, flood_bytes=MIB, output_bytes=1000))
    assert result.killed_reason == "output"
    assert result.exit_code is None and not result.timed_out
    assert len(result.output) < 2000


async def test_who_prints_a_lot_and_ends_is_not(place):
    result = await place.run("head -c 900000 /dev/zero", limits=Limits(wall_s=20, flood_bytes=MIB, output_bytes=1000))
    assert result.ok


async def test_commands_are_the_first_to_go_when_the_machine_has_no_memory_left(place):
    assert (await place.run("sh -c 'cat /proc/self/oom_score_adj'")).output == "1000\n"


def test_for_an_ordinary_user_the_kernel_limits_processes(place):
    """For the superuser it does not: there the watch ends the command, see `test_a_fork_bomb_is_bounded`."""
    few = Limits(processes=30)
    script = "i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); done; wait; echo all of them"
    argv = [
        str(place.backend.program),
        *profile.arguments(place.command("true", mounts=(), cwd=Path("/"), limits=few), []),
        "--",
        *limits.prefix(few, processes=True),
        *("/bin/sh", "-c", script),
    ]
    user = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
    done = subprocess.run(argv, env={}, capture_output=True, text=True, timeout=30, **user)
    if "namespace" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert "all of them" not in done.stdout and "ork" in done.stderr, done


async def test_many_commands_leave_nothing_behind_in_devloop(place):
    async def some() -> None:
        for _ in range(10):
            mask = (place.view / ".vscode", place.view / ".git")
            assert (await place.run("cat; true", stdin=b"x" * 100_000, masks=mask)).ok

    await place.run("true")
    before = held()
    await asyncio.gather(some(), some(), some(), some())
    assert held() == before
    assert place.residue() == []
    assert not points._in_use


def held() -> tuple[Counter[str], list[str]]:
    """Descriptors by kind, and children."""
    names: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names[os.readlink(entry).split(":[")[0]] += 1
        except OSError:
            continue
    children = [each for path in Path("/proc/self/task").iterdir() for each in (path / "children").read_text().split()]
    return names, children
