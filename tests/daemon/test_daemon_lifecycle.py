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
    await until(lambda: lock_is_free(state))
    assert not state.daemon_file.exists()
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
        'body = b\'{"jsonrpc":"2.0","id":1,"method":"devloop/hello","params":{}}\'\n'
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


HEAVY = ("alembic", "anthropic", "dbos", "httpx", "httpx2", "lsprotocol", "pygls", "sqlalchemy")
"""What the daemon's process never holds; the last but two come with the first editor."""
NOT_WHEN_IDLE = (
    *HEAVY,
    *("attr", "cattrs", "jsonschema", "pydantic", "rich", "typer", "yaml"),
    *("devloop.agents", "devloop.cli", "devloop.gates", "devloop.hooks", "devloop.lsp", "devloop.models"),
    *("devloop.runs", "devloop.sandbox", "devloop.skills", "devloop.state", "devloop.store", "devloop.tools"),
    *("devloop.workspace", "devloop.plan.importing", "devloop.settings", "devloop.trust"),
    *("devloop.daemon.archiving", "devloop.daemon.doctor", "devloop.daemon.errands", "devloop.daemon.importing"),
)
"""What a daemon does not hold either that listens, keeps the glance and tells what the plan says: start and memory of
every workspace would pay for it. What needs one of these imports it in the method that does."""
IDLE = """
import asyncio, sys, threading
from pathlib import Path
from devloop import serve
from devloop.daemon import connect, stop

async def look(root):
    peer = await connect(root, start=False)
    await peer.request("devloop/plan")
    await peer.request("devloop/runs")
    while "watchfiles" not in sys.modules or not (Path(sys.argv[2]) / "glance.json").exists():
        await asyncio.sleep(0.01)
    print(*sys.modules)
    await peer.close()
    await stop(root)

def client(root):
    while not (Path(sys.argv[2]) / "daemon.json").exists():
        threading.Event().wait(0.01)
    asyncio.run(look(root))

root = Path(sys.argv[1])
threading.Thread(target=client, args=(root,)).start()
sys.exit(serve.main(["--root", str(root)]))
"""


def test_an_idle_daemon_holds_nothing_that_only_some_methods_need(project, state):
    """The whole daemon in a process that says what it has loaded, once everything that starts by itself has run."""
    command = [sys.executable, "-c", IDLE, str(project), str(state.path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(result.stdout.split())
    assert "devloop.daemon.plan_view" in loaded
    assert [name for name in NOT_WHEN_IDLE if name in loaded] == []


def test_an_editor_that_only_opens_a_plan_waits_for_nothing_but_the_protocol():
    """What the first diagnostics of a plan do not need is not loaded with the language server."""
    code = "import sys, devloop.serve, devloop.lsp.server; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(result.stdout.split())
    expected = {"lsprotocol", "pygls", "attr", "cattrs", "devloop.lsp", "devloop.agents", "devloop.skills"}
    assert [name for name in NOT_WHEN_IDLE if name in loaded - expected] == []
    assert not loaded & {"devloop.agents.definitions", "devloop.skills.definitions", "devloop.daemon.checkers"}


def test_what_is_named_without_its_module_is_named_alike():
    from devloop.daemon import glance, plan_port
    from devloop.state import next_action, plan_state, worklog

    assert (glance.PLAN_STATE, plan_port.HAND_OFF) == (plan_state.PATH, next_action.PATH)
    assert plan_port.WORKLOG == worklog.PATH


def test_the_daemon_with_all_it_can_load_but_editors_stays_small():
    code = """
import sys
import devloop.daemon.process, devloop.daemon.doctor, devloop.daemon.errands, devloop.daemon.importing, watchfiles
from pathlib import Path
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, *sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    mebibytes, *loaded = result.stdout.split()
    assert [name for name in HEAVY if name in loaded] == []
    assert int(mebibytes) <= 60


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
async def test_a_live_daemon_holds_45_mib_idle_and_60_with_its_settings_and_no_heavy_library(project, dial):
    peer = await dial(command=None)  # the real one
    await peer.request("devloop/plan")
    assert resident(peer.hello["pid"]) <= 45
    await peer.request("devloop/status")
    await peer.request("devloop/doctor")
    pid = peer.hello["pid"]
    assert resident(pid) <= 60
    maps = Path(f"/proc/{pid}/maps").read_text()
    assert not [name for name in ("sqlalchemy", "anthropic", "psycopg") if name in maps]
    await peer.close()


def resident(pid: int) -> float:
    """MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@pytest.mark.parametrize("again", [False, True])
async def test_a_daemon_whose_project_is_removed_ends(dial, project, state, until, monkeypatch, again):
    """Also where a new folder takes its place: no command could be started from the old one."""
    monkeypatch.setenv("DEVLOOP_IDLE_S", "0.4")
    peer = await dial()
    shutil.rmtree(project)
    if again:
        project.mkdir()
    await until(peer.closed.is_set)
    await peer.close()
    assert "the project's folder is gone" in (state.logs / "daemon.log").read_text()
