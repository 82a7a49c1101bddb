"""A command or gate that takes all it can get ends itself, and nothing else: in a real daemon and engine.

One daemon for all of it, on a small file system of its own where one can be made. What it attacks with is bounded: it
would stop by itself on a build without the caps.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from devloop.sandbox import MIB
from support.engines import call, command, finish, trust_everything, turn, write
from support.projects import at_home, commit_all, tiny_project
from support.served import Served, play, served, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

DISK = 400 * MIB
PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n" + "".join(f"- [ ] Task 1.{n}: Task\n" for n in range(1, 10))
BOMB = "f() { [ $1 -gt 0 ] && { f $(($1-1)) & f $(($1-1)) & }; sleep 15; }; f 9; wait"
FILL = "i=0; while [ $i -lt 30 ]; do head -c 8000000 /dev/zero > fill-$i; i=$((i+1)); sleep 0.05; done; echo filled"
GARBAGE = "head -c 300000000 /dev/zero | tr '\\0' '\\377'; echo over"
"""One line that is not even text."""
TREE = "(setsid sh -c 'sleep 60; : {mark}' &) ; sh -c 'sleep 60; : {mark}' & echo up > up; wait; : {mark}"
ATTACKS = {
    "fork bomb": command(BOMB, timeout=20),
    "memory bomb": command("python3 -c \"x = bytearray(6 << 30); print('got it')\"", timeout=20),
    "flood of output": command(GARBAGE, timeout=30),
    "disk filler": command(FILL, timeout=20),
    "10,000 files": command("rm -f fill-*; mkdir many; cd many; seq 10000 | xargs touch; ls | wc -l"),
    "timeout": command(TREE.format(mark="mark-of-a-timeout"), timeout=1),
    "huge file": command("rm -rf many; truncate -s 1900M zeros; yes x | head -c 900000 > lines; echo made"),
    "reading zeros": call("read_file", path="zeros"),
    "reading lines": call("read_file", path="lines"),
    "searching": call("search", pattern="nothing like it"),
}
GATES = {"bomb": BOMB, "flood": "yes", "fill": FILL}


@pytest.fixture(scope="module")
def small() -> Iterator[Path]:
    """A place for project and state, on a file system that is soon full where this user may mount one."""
    place = Path(tempfile.mkdtemp(prefix="dlf-")).resolve()
    size = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(place)]
    mounted = shutil.which("mount") is not None and subprocess.run(size, capture_output=True).returncode == 0
    yield place
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)
    shutil.rmtree(place, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held(small: Path) -> AsyncIterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        at_home(small, patch)
        root = tiny_project(small / "p", PLAN)
        with (root / ".devloop" / "config.toml").open("a") as config:
            config.write("\n[loop]\ngate_rounds = 0\n")  # once is enough
            for name, attack in GATES.items():
                (root / f"{name}.sh").write_text(f"if [ -e attack ]; then\n{attack}\nfi\n")
                config.write(f'\n[gates.{name}]\nkind = "other"\ncommand = ["/bin/sh", "{name}.sh"]\n')
        commit_all(root, "gates that can attack")
        trust_everything(root)
        tree = turn(command(TREE.format(mark="mark-of-a-run"), timeout=60))
        tasks = {
            "1.1": [turn(each) for each in ATTACKS.values()] + [turn(command("rm -f zeros lines")), turn(finish())],
            "1.2": [turn(write("attack")), turn(finish())],
            **{f"1.{number}": [tree, turn(finish())] for number in range(3, 6)},
            "1.9": [turn(write("first")), turn(finish())],
        }
        patch.setenv("DEVLOOP_SCENARIO", play(small / "s.json", tasks))
        async with contextlib.AsyncExitStack() as stack:
            with without_exit_codes():
                found = await stack.enter_async_context(served(root))
            await found.engine()
            yield found


@contextlib.contextmanager
def without_exit_codes() -> Iterator[None]:
    """What is started inherits what some supervisors leave to it."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


class Flooded:
    """What came of the attacks of one run. `before` and `after`: free bytes, and descriptors of daemon and engine."""

    def __init__(self, held: Served, run: str, row: dict[str, Any]) -> None:
        self.held, self.run, self.row = held, run, row
        self.results = dict(zip(ATTACKS, held.results(run), strict=False))
        self.free: list[int] = []
        self.descriptors: list[dict[str, int]] = []

    def windows(self) -> dict[str, tuple[float, float]]:
        """When each attack began and ended."""
        moments = {
            kind: [event["at"] for event in self.held.events if event["kind"] == kind and event["run"] == self.run]
            for kind in ("tool.started", "tool.ended")
        }
        return dict(zip(ATTACKS, zip(moments["tool.started"], moments["tool.ended"], strict=True), strict=False))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flooded(held: Served) -> AsyncIterator[Flooded]:
    free, before = room(held.root), kinds(*await held.pids())
    run = await held.start("1.1")
    row = await held.settled(run)
    found = Flooded(held, run, row)
    await held.discard(run)
    found.free = [free, room(held.root)]
    found.descriptors = [before, kinds(*await held.pids())]
    yield found


def room(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def kinds(*pids: int) -> dict[str, int]:
    """How many descriptors the processes hold of kinds that commands need: pipes, handles on processes, watches."""
    found: Counter[str] = Counter()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                name = os.readlink(entry).split(":[")[0]
            except OSError:
                continue
            if name in ("pipe", "anon_inode:[pidfd]", "anon_inode:inotify"):
                found[name] += 1
    return dict(found)


def marked(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("attack", "ends"),
    [
        ("fork bomb", ("killed: more than 512 processes", "fork")),
        ("memory bomb", ("MemoryError",)),
        ("flood of output", ("killed: more than 64 MiB of output",)),
        ("timeout", ("killed: timeout",)),
        ("huge file", ("made",)),
        ("reading zeros", ("binary file",)),
        ("reading lines", ("go on with offset",)),
        ("searching", ("no matches",)),
        ("10,000 files", ("10000",)),
    ],
)
async def test_what_takes_all_it_can_get_is_told_why_it_ended(flooded, attack, ends):
    assert any(end in flooded.results[attack] for end in ends), flooded.results[attack][:300]
    assert len(flooded.results[attack]) < 300_000


async def test_who_fills_the_disk_is_stopped_before_it_is_full(flooded):
    if flooded.free[0] > DISK:
        pytest.skip("mounting a small file system needs root")
    assert "killed: the disk is nearly full" in flooded.results["disk filler"], flooded.results["disk filler"]


async def test_the_run_goes_on_and_comes_to_its_end(flooded):
    assert flooded.row["state"] == "waiting", flooded.row
    assert set(flooded.results) == set(ATTACKS)


async def test_the_daemon_answers_while_it_lasts(flooded, record_property):
    for attack, (begin, end) in flooded.windows().items():
        took = flooded.held.during(begin, end)
        if end - begin > 0.5:
            assert took, f"nothing was answered during the {attack}"
        if took:
            median, most = sorted(took)[len(took) // 2], max(took)
            said = f"{attack} ({end - begin:.1f} s): the daemon answered {len(took)} times"
            record_property("figure", f"{said}, median {median * 1000:.0f} ms, at most {most * 1000:.0f} ms")


async def test_the_disk_is_given_back(flooded):
    before, after = flooded.free
    if before > DISK:
        pytest.skip("mounting a small file system needs root")
    assert before - after < 64 * MIB, "the log of a flood is kept, up to 16 MiB of it"


async def test_nothing_of_it_is_alive_or_held(flooded):
    assert marked("mark-of-a-timeout") == []
    before, after = flooded.descriptors
    assert after == before


async def test_a_gate_that_does_the_same_ends_as_a_failure_with_its_reason(held: Served):
    run = await held.start("1.2")
    row = await held.settled(run)
    assert row["state"] == "waiting"
    ended = [event["data"] for event in held.events if event["kind"] == "gate.ended" and event["run"] == run]
    gates = {gate["gate"]: gate for gate in ended}
    assert all(gates[name]["verdict"] in ("fail", "error") for name in ("bomb", "flood")), gates
    assert os.geteuid() or "it started too many processes" in gates["bomb"]["reason"]
    assert "it printed without end" in gates["flood"]["reason"]
    if room(held.root) < DISK:
        assert gates["fill"]["verdict"] in ("fail", "error") and "it filled the disk" in gates["fill"]["reason"]
    await held.discard(run)


async def test_no_exit_code_is_lost(flooded, held):
    assert flooded.row["state"] == "waiting"
    logs = "".join((held.state.logs / f"{name}.log").read_text() for name in ("daemon", "engine"))
    assert "Unknown child process" not in logs and "already read" not in logs


@pytest.mark.parametrize(("victim", "task"), [("nobody", "1.3"), ("engine", "1.4"), ("daemon", "1.5")])
async def test_no_child_outlives_a_cancel_or_the_death_of_engine_or_daemon(held, record_property, victim, task):
    run = await held.start(task)
    await until(lambda: (held.state.worktrees / run / "up").exists(), "the command has begun", 60)
    await until(lambda: len(marked("mark-of-a-run")) >= 3, "its children are there")
    children = [os.pidfd_open(pid) for pid in marked("mark-of-a-run")]
    daemon, engine = await held.pids()
    cancelling = None
    if victim == "nobody":
        cancelling = asyncio.create_task(held.cancel(run))
    else:
        os.kill(engine if victim == "engine" else daemon, signal.SIGKILL)
    took = await until(lambda: all(map(gone, children)), "no child is alive", 2 if victim != "nobody" else 10)
    record_property("figure", f"children after the end of {victim}: gone in {took * 1000:.0f} ms")
    for child in children:
        os.close(child)
    if cancelling is not None:
        await cancelling
    else:
        if victim == "daemon":
            await until(held.peer.closed.is_set, "the connection is closed")
            await held.up()
        await held.until(run, lambda row: row is not None)
        await held.cancel(run)
    await held.until(run, lambda row: row is None)
    await until(lambda: marked("mark-of-a-run") == [], "nothing is left")


def gone(pidfd: int) -> bool:
    """A handle on a process is readable once it ended."""
    import select

    return bool(select.select([pidfd], [], [], 0)[0])
