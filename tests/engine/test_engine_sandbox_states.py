"""What each state of the sandbox lets a run do, with a real engine; and the set-up step."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import detect
from support.engines import Engine, command, finish, trust_everything, turn, work, write
from support.projects import commit_all

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEGRADED = '[sandbox]\nbackend = "landlock"\n'
ALLOWED = f"{DEGRADED}require = false\n"
NONE = '[sandbox]\nbackend = "none"\n'


def said(held: Engine, run: str, request: int) -> str:
    """What the newest message of a request answers to the call before it."""
    newest = held.requests(run)[request][-1]["content"]
    (found,) = (block["content"] for block in newest if block["type"] == "tool_result")
    return str(found)


@contextmanager
def listener() -> Iterator[tuple[int, list[float]]]:
    """A live port, and who connected to it."""
    heard: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
                heard.append(1)

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


def connecting(port: int) -> str:
    return f"{sys.executable} -I -S -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 2)\""


async def drop(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


@pytest.fixture
async def degraded(one: Engine) -> Engine:
    found = await detect("landlock")
    if found.state != "degraded":
        pytest.skip(found.reason)
    one.config.write_text(DEGRADED)
    return one


async def test_in_a_weak_sandbox_a_run_that_is_looked_at_works_and_is_told_about(degraded: Engine) -> None:
    outside = degraded.root.parent / "outside"
    with listener() as (port, heard):
        tries = f"echo x > {outside}; {connecting(port)} && echo connected; echo evil > .git; echo inside > a.txt; pwd"
        await degraded.play({"a": [turn(command(tries)), turn(finish())]})
        run = await degraded.run("a")
        shown = await degraded.checkpoint(run)
        assert not heard
    assert any("Commands run without a full sandbox (degraded)" in text for text in shown["notices"])
    assert shown["kind"] == "decision" and shown["gates"][0]["verdict"] == "pass"
    assert [file["path"] for file in shown["diff"]["list"]] == ["a.txt"]
    answer = said(degraded, run, 1)
    assert "exit code 0" in answer and "connected" not in answer and "Permission denied" in answer
    assert not outside.exists()
    status = (await degraded.ask("status"))["sandbox"]
    assert (status["backend"], status["state"], status["degraded"]) == ("landlock", "degraded", True)
    assert "Unattended runs are refused" in status["meaning"] and "bubblewrap" in status["fix"]
    await degraded.decide(run, "commit")
    assert (await degraded.ended(run))["outcome"] == "landed"


async def test_in_a_weak_sandbox_nothing_works_unattended(degraded: Engine) -> None:
    await degraded.play({"*": work("b.txt")})
    with pytest.raises(SandboxMissing, match="Unattended runs need a sandbox, and it is degraded") as told:
        await degraded.run("b", decide="commit")
    assert "sandbox.require = false in your own config.toml" in told.value.hint
    assert (await degraded.ask("runs", task="b"))["runs"] == []
    assert not (degraded.root / "b.txt").exists()


async def test_a_person_may_allow_unattended_work_in_a_weak_sandbox_and_a_repository_may_not(degraded: Engine) -> None:
    await degraded.play({"*": work("c.txt")})
    team = degraded.root / ".devloop/config.toml"
    team.write_text(team.read_text() + "\n[sandbox]\nrequire = false\n")
    trust_everything(degraded.root)
    with pytest.raises(SandboxMissing, match="Unattended"):
        await degraded.run("c", decide="commit")
    degraded.config.write_text(ALLOWED)
    run = await degraded.run("c", decide="commit")
    assert (await degraded.ended(run))["outcome"] == "landed"
    assert (degraded.root / "c.txt").exists()


async def test_a_run_whose_sandbox_is_gone_after_a_restart_works_no_further_until_it_is_back(one: Engine) -> None:
    await one.play({"g": [turn(write("a.txt")), turn(write("b.txt"), delay_s=60)]})
    run = await one.run("g")
    await one.until("turn.started", run, count=2)
    await one.kill()
    await one.play({"g": [turn(write("a.txt")), turn(write("b.txt")), turn(finish())]})
    one.config.write_text(NONE)
    await one.up()
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "Commands need a sandbox, and it is off" in shown["problem"]
    worktree = one.state.worktrees / run
    assert (worktree / "a.txt").exists() and not (worktree / "b.txt").exists()
    one.config.unlink()
    await one.decide(run, "revise")
    shown = await one.checkpoint(run, 2)
    assert shown["kind"] == "decision" and [file["path"] for file in shown["diff"]["list"]] == ["a.txt", "b.txt"]
    await drop(one, run)


async def test_no_gate_runs_for_a_run_whose_sandbox_is_gone_after_a_restart(one: Engine) -> None:
    """What a gate runs is the agent's, and unattended nobody sees that nothing holds it any more."""
    if (await detect()).state != "on":
        pytest.skip("no sandbox")
    ran = one.root.parent / "ran-outside"
    check = one.root / "check.sh"
    check.write_text(f"{{ echo x > {ran}; }} 2>/dev/null\ntest ! -e slow || sleep 60\n")
    commit_all(one.root, "a gate that shows where it runs")
    await one.play({"h": work("slow")})
    run = await one.run("h", decide="commit")
    await one.until("gate.started", run)
    await one.kill()
    one.config.write_text(NONE)
    await one.up()
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "Unattended runs need a sandbox, and it is off" in shown["problem"]
    assert not ran.exists()
    await drop(one, run)


async def test_the_filter_holds_for_an_agent_s_commands_and_gates_may_use_unix_sockets(one: Engine) -> None:
    if (await detect()).state != "on":
        pytest.skip("no sandbox")
    source = f"{sys.executable} -I -S -c \"import socket; socket.socket(socket.AF_UNIX).bind('s')\" && echo made"
    check = one.root / "check.sh"
    check.write_text(check.read_text().rstrip("\n") + f"\n{source} || exit 1\n")
    os.chmod(check, 0o755)
    commit_all(one.root, "a gate that uses a Unix socket")
    trust_everything(one.root)
    await one.play({"d": [turn(command(source)), *work("d.txt")]})
    run = await one.run("d")
    shown = await one.checkpoint(run)
    told = said(one, run, 1)
    assert "Operation not permitted" in told and "made" not in told and "can't make Unix sockets here" in told
    assert shown["gates"][0]["verdict"] == "pass"
    await drop(one, run)


SETUP = """
import glob, json, os, socket
found = {"environ": dict(os.environ), "others": []}
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        found["others"].append(open(path, "rb").read().decode("utf-8", "replace"))
    except OSError:
        pass
for path in ("~/.config", "/etc/shadow", os.path.expanduser("~")):
    try:
        found[path] = os.listdir(os.path.expanduser(path)) if path != "/etc/shadow" else open(path).read()
    except OSError:
        found[path] = None
socket.create_connection(("127.0.0.1", PORT), 5).close()
json.dump(found, open("set-up.json", "w"))
"""


async def test_the_set_up_has_network_and_no_secrets_and_comes_before_any_turn(one: Engine) -> None:
    if (await detect()).state != "on":
        pytest.skip("no sandbox")
    await one.environment(ANTHROPIC_API_KEY="sk-ant-of-the-person-0123456789", OTHER_TOKEN="person-token-0123456789")
    with listener() as (port, heard):
        script = one.root / "set-up.py"
        script.write_text(SETUP.replace("PORT", str(port)))
        commit_all(one.root, "a set-up")
        declared = one.root / ".devloop/config.toml"
        words = json.dumps([sys.executable, "-I", "-S", "set-up.py"])
        declared.write_text(declared.read_text() + f"\n[setup]\ncommand = {words}\n")
        trust_everything(one.root)
        tries = f"test -f set-up.json && echo there; {connecting(port)} && echo connected"
        await one.play({"e": [turn(command(tries), delay_s=0), turn(finish())]})
        run = await one.run("e")
        begun: list[int] = []
        await one.until("turn.started", run)
        begun.append(len(heard))
        await one.checkpoint(run)
        assert begun == [1] and heard == [1], "the set-up connected before the first turn, the agent not at all"
    assert "there" in said(one, run, 1) and "connected" not in said(one, run, 1)
    found = json.loads((one.state.worktrees / run / "set-up.json").read_text())
    everything = json.dumps(found)
    assert "sk-ant-of-the-person" not in everything and "person-token" not in everything
    ours = {"PATH", "LANG", "TERM", "HOME", "PWD", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE"}
    assert set(found["environ"]) <= ours
    assert found["~/.config"] is None and found["/etc/shadow"] is None and not found.get(str(Path("~").expanduser()))
    await drop(one, run)
