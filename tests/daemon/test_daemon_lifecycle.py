"""One daemon per workspace, whoever starts it, however the last one ended."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devloop import __version__
from devloop.daemon import connect, stop
from devloop.daemon.endpoint import announced
from devloop.errors import Refused, Unavailable
from devloop.files import held_lock
from devloop.paths import StateDir

HELLO = """
import asyncio, json, sys
from pathlib import Path
from devloop.daemon import connect
async def main():
    peer = await connect(Path(sys.argv[1]))
    print(peer.hello["pid"])
    await peer.close()
asyncio.run(main())
"""


async def test_a_first_client_starts_the_daemon_and_a_second_finds_it(project, dial):
    first, second = await dial(), await dial()
    assert first.hello["pid"] == second.hello["pid"] != os.getpid()
    assert first.hello["version"] == __version__
    assert first.hello["workspace"] == str(project)
    await first.close()
    await second.close()


def test_five_terminals_at_once_get_one_daemon(project):
    racers = [
        subprocess.Popen([sys.executable, "-c", HELLO, str(project)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    outputs = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 5, outputs
    assert len({out for out, _ in outputs}) == 1


async def test_what_the_daemon_leaves_in_the_file_system_is_private(project, dial, state):
    peer = await dial()
    found = announced(state)
    assert found.socket.parent == state.path
    assert stat.S_IMODE(found.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.daemon_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((state.logs / "daemon.log").stat().st_mode) == 0o600
    await peer.close()
    assert await stop(project)
    assert not state.daemon_file.exists()
    assert not found.socket.exists()


async def test_a_long_state_path_gets_a_short_socket_in_a_private_folder(project, dial, short_tmp, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / ("long" * 30)))
    peer = await dial()
    found = announced(StateDir.of(project))
    assert len(str(found.socket)) < 100
    assert stat.S_IMODE(found.socket.parent.stat().st_mode) == 0o700
    await peer.close()
    assert await stop(project)
    assert not found.socket.parent.exists()


async def test_a_killed_daemon_is_replaced_without_a_question(project, dial, state, until):
    peer = await dial()
    pid = peer.hello["pid"]
    os.kill(pid, signal.SIGKILL)
    await until(peer.closed.is_set)
    assert state.daemon_file.exists()  # left behind, with its socket
    again = await dial()
    assert again.hello["pid"] != pid
    await again.close()
    await peer.close()


async def test_a_stale_socket_and_a_damaged_file_are_replaced(project, dial, state):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(state.path / "daemon.sock"))
    left.close()
    state.daemon_file.write_text("{ half")
    peer = await dial()
    assert (await peer.request("devloop/status"))["daemon"]["pid"] == peer.hello["pid"]
    await peer.close()


async def test_a_daemon_file_that_names_a_foreign_path_removes_nothing(project, dial, state, short_tmp):
    precious = short_tmp / "precious"
    precious.write_text("keep")
    state.daemon_file.write_text(json.dumps({"pid": 1, "socket": str(precious), "version": "x", "started": 0}))
    peer = await dial()
    await peer.close()
    assert precious.read_text() == "keep"


def test_the_loser_of_the_lock_ends_with_0_and_changes_nothing(project, state, scripted):
    with held_lock(state.daemon_lock) as lock:
        assert lock is not None
        result = subprocess.run([*scripted, "--root", str(project)], capture_output=True, timeout=30)
    assert result.returncode == 0
    assert not state.daemon_file.exists()


async def test_a_daemon_that_breaks_is_reported_with_the_last_line_of_its_log(project):
    broken = [sys.executable, "-c", "raise SystemExit('no room on this machine')"]
    with pytest.raises(Unavailable, match="no room on this machine") as caught:
        await connect(project, command=broken)
    assert "daemon.log" in caught.value.hint


async def test_without_permission_to_start_one_a_missing_daemon_is_said(project):
    with pytest.raises(Unavailable, match="No daemon is running"):
        await connect(project, start=False)
    assert await stop(project) is False


async def test_an_idle_daemon_of_another_version_is_replaced(project, dial, monkeypatch):
    monkeypatch.setenv("SCRIPTED_VERSION", "0.0.1")
    old = await dial(any_version=True)
    assert old.hello["version"] == "0.0.1"
    await old.close()
    monkeypatch.delenv("SCRIPTED_VERSION")
    new = await dial()
    assert new.hello["version"] == __version__
    assert new.hello["pid"] != old.hello["pid"]
    await new.close()


async def test_a_busy_daemon_of_another_version_is_left_alone(project, dial, monkeypatch, until):
    monkeypatch.setenv("SCRIPTED_VERSION", "0.0.1")
    old = await dial(any_version=True)
    monkeypatch.delenv("SCRIPTED_VERSION")
    await old.request("devloop/run", {"task": "1.4"})
    with pytest.raises(Refused, match=r"devloop 0\.0\.1, this is devloop .* a run is working and it has other clients"):
        await dial()
    with pytest.raises(Refused, match="working"):
        await stop(project)
    await old.close()
    assert await stop(project, force=True)


async def test_without_clients_and_work_the_daemon_ends(project, dial, state, monkeypatch, until):
    monkeypatch.setenv("DEVLOOP_IDLE_S", "0.2")
    peer = await dial()
    pid = peer.hello["pid"]
    assert announced(state).pid == pid
    await peer.close()
    await until(lambda: not state.daemon_file.exists())
    await until(lambda: lock_is_free(state))


async def test_a_client_or_a_working_run_keeps_the_daemon(project, dial, state, monkeypatch, until):
    monkeypatch.setenv("DEVLOOP_IDLE_S", "0.2")
    peer = await dial()
    await asyncio.sleep(0.6)  # three times the limit
    run = (await peer.request("devloop/run", {"task": "1.4"}))["run"]
    await peer.close()
    await asyncio.sleep(0.6)
    again = await dial(start=False)
    assert again.hello["pid"] == peer.hello["pid"]
    await again.request("devloop/cancel", {"run": run})
    await again.close()
    await until(lambda: not state.daemon_file.exists())


async def test_a_daemon_that_nobody_can_find_any_more_ends(project, dial, state, monkeypatch, until):
    monkeypatch.setenv("DEVLOOP_IDLE_S", "2")
    peer = await dial()
    state.daemon_file.unlink()
    await peer.close()
    await until(lambda: lock_is_free(state))
    assert "its file is gone" in (state.logs / "daemon.log").read_text()


async def test_sigterm_is_an_orderly_end(project, dial, state, until):
    peer = await dial()
    os.kill(peer.hello["pid"], signal.SIGTERM)
    await until(peer.closed.is_set)
    await until(lambda: not state.daemon_file.exists())
    assert "the daemon ends" in (state.logs / "daemon.log").read_text()
    await peer.close()


async def test_another_plan_path_than_the_daemons_is_refused(project, dial, monkeypatch):
    peer = await dial()
    (project / "other.md").write_text("# Plan: Other\n")
    monkeypatch.setenv("DEVLOOP_PLAN_PATH", str(project / "other.md"))
    with pytest.raises(Refused, match="DEVLOOP_PLAN_PATH"):
        await dial()
    await peer.close()


def lock_is_free(state: StateDir) -> bool:
    with held_lock(state.daemon_lock) as lock:
        return lock is not None


@pytest.mark.skipif(os.getuid() != 0, reason="only the superuser can become somebody else")
async def test_another_user_is_refused_even_where_the_mode_would_allow_it(project, dial, state):
    peer = await dial()
    path = announced(state).socket
    for folder in (path, *path.parents[: len(path.relative_to("/").parts) - 1]):
        if str(folder).startswith(str(project.parent)):
            folder.chmod(0o777)
    code = (
        "import os, socket, sys\n"
        "os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])\n"
        'body = b\'{"jsonrpc":"2.0","id":1,"method":"devloop/status","params":{}}\'\n'
        "try:\n"
        "    s.sendall(b'Content-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "    print(len(s.recv(100)))\n"
        "except (ConnectionResetError, BrokenPipeError):\n"
        "    print(0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20)
    assert result.stdout == "0\n", result.stderr
    assert (await peer.request("devloop/status"))["daemon"]["pid"] == peer.hello["pid"]
    await peer.close()
    state.path.chmod(0o700)


def test_the_daemon_loads_nothing_heavy_and_stays_small(project, tmp_path):
    """The service with all its modules, in a process of its own: what it imports, and what it weighs."""
    code = """
import sys
import devloop.daemon.process, devloop.daemon.service, devloop.daemon.doctor, watchfiles
from pathlib import Path
heavy = {"anthropic", "dbos", "sqlalchemy", "httpx2", "httpx", "alembic", "pygls", "lsprotocol"} & set(sys.modules)
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
print(sorted(heavy), int(peak.split()[1]) // 1024)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    modules, mebibytes = result.stdout.rsplit(" ", 1)
    assert modules == "[]"
    assert int(mebibytes) <= 60


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
async def test_a_live_idle_daemon_holds_60_mib_at_most_and_no_heavy_library(project, dial):
    peer = await dial(command=None)  # the real one
    await peer.request("devloop/status")
    await peer.request("devloop/doctor")
    pid = peer.hello["pid"]
    status = Path(f"/proc/{pid}/status").read_text()
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert rss <= 60 * 1024
    maps = Path(f"/proc/{pid}/maps").read_text()
    assert not [name for name in ("sqlalchemy", "anthropic", "psycopg") if name in maps]
    await peer.close()


async def test_a_daemon_whose_project_is_removed_ends(dial, project, state, until, monkeypatch):
    monkeypatch.setenv("DEVLOOP_IDLE_S", "0.4")
    peer = await dial()
    shutil.rmtree(project)
    await until(peer.closed.is_set)
    await peer.close()
    assert "the project's folder is gone" in (state.logs / "daemon.log").read_text()
