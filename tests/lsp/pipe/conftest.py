"""`devloop lsp` as a process, with the daemon of one page behind it (`fake/daemon.py`)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.paths import StateDir
from support.pipes import Program

PIPE = [sys.executable, str(Path(__file__).parent / "fake" / "pipe.py")]


@pytest.fixture
def project(short_tmp, monkeypatch):
    for name, folder in (("DEVLOOP_STATE_DIR", "s"), ("DEVLOOP_CONFIG_DIR", "c")):
        monkeypatch.setenv(name, str(short_tmp / folder))
    monkeypatch.setenv("FAKE_RECORD", str(short_tmp / "record"))
    monkeypatch.setenv("FAKE_PARENT", str(os.getpid()))
    root = short_tmp / "p"
    (root / ".devloop").mkdir(parents=True)
    return root


class Daemons:
    """The fake daemons of the project: what they were told, and how they end."""

    def __init__(self, root, record):
        self.root, self._record = root, record

    @property
    def announced(self):
        return announced(StateDir.of(self.root))

    def record(self):
        """Every message that reached a daemon, in order, with the daemon's `pid`; `method` is "" in responses."""
        lines = self._record.read_text().splitlines(keepends=True) if self._record.exists() else []
        return [{"method": "", **json.loads(line)} for line in lines if line.endswith("\n")]

    def told(self, pid):
        """What one daemon's language server was told."""
        return [m for m in self.record() if m["pid"] == pid and m["method"] not in ("devloop/hello", "(gone)")]

    def until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"it did not happen; the daemons got {self.record()}"
            time.sleep(0.005)
        return found

    def end(self, how=signal.SIGTERM):
        found = self.announced
        if found is None:
            return
        try:
            os.kill(found.pid, how)
        except ProcessLookupError:
            return
        lock = StateDir.of(self.root).daemon_lock

        def free():
            with held_lock(lock) as held:
                return held is not None

        self.until(free, 10)


@pytest.fixture
def daemons(project, short_tmp):
    found = Daemons(project, short_tmp / "record")
    yield found
    found.end()


@pytest.fixture
def start(project, daemons):
    """`start("--root", …)`: the pipe as a process, in the project's folder; killed at the end."""
    started = []

    def one(*arguments, cwd=project, **variables):
        environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
        started.append(Program([*PIPE, *arguments], cwd=cwd, env=environment))
        return started[-1]

    yield one
    for each in started:
        each.close()


@pytest.fixture
def editor(start):
    """An initialized editor whose daemon is there."""
    found = start()
    found.initialize()
    found.notify("initialized")
    assert found.request("echo", {"n": 1})["result"] == {"n": 1}
    return found
