"""Whether there is a key: the status says it as it is now, whoever signed in or out, and wherever."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from devloop import keys
from devloop.daemon.key_watch import KeyWatch

KEY = "sk-" + "ant-" + "Zq8" * 12


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)


async def devloop(project, *arguments, typed=""):
    command = [sys.executable, "-P", "-m", "devloop", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=project, input=typed, capture_output=True, text=True, check=True
    )
    return done.stdout


async def test_signing_in_and_out_in_a_terminal_counts_at_once_in_a_daemon_that_runs(project, dial):
    peer = await dial(command=None)

    async def key():
        return (await peer.request("devloop/status"))["model"]["key"]

    assert not await key()
    await devloop(project, "login", typed=KEY)
    assert await key()
    shown = json.loads(await devloop(project, "status", "--json"))
    assert shown["daemon"]["pid"] == peer.hello["pid"] and shown["model"]["key"]
    keys.file().chmod(0o644)  # it is refused, so it is none
    assert not await key()
    keys.file().chmod(0o600)
    await devloop(project, "logout")
    assert not await key()
    await peer.close()


async def test_a_key_that_comes_or_goes_is_noticed_and_nothing_else_in_its_folder(project, until):
    told = []
    watch = KeyWatch(lambda: told.append(keys.stored()), absent_s=0.02)
    task = asyncio.create_task(watch.run())  # there is no folder yet
    keys.store(KEY)
    await until(lambda: told)
    (keys.file().parent / "other.json").write_text("{}")
    keys.remove()
    await until(lambda: len(told) > 1)
    keys.store(KEY)
    await until(lambda: len(told) > 2)
    assert told == [True, False, True]
    task.cancel()
    await asyncio.wait({task})
