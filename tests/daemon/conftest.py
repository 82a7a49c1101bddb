"""A project with a plan, private state, and daemons that end with the test."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from devloop import launch
from devloop.daemon import connect
from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.paths import StateDir
from support import forked

SCRIPTED = [sys.executable, str(Path(__file__).parent / "scripted" / "daemon.py")]
PLAN = """# Plan: Demo

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing
- [ ] Task 1.3: A question
- [ ] Task 1.4: It works and works
- [ ] Task 1.5: It fails
- [ ] Task 1.6: A flood
- [x] Task 1.7: Done before

## Progress Log
"""


@pytest.fixture
def project(short_tmp, monkeypatch):
    """The root of a project with a plan; state and configuration are the test's own."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(short_tmp / "c"))
    root = short_tmp / "p"
    (root / ".devloop").mkdir(parents=True)
    (root / ".devloop" / "plan.md").write_text(PLAN)
    yield root
    end_daemon(root)


@pytest.fixture
def state(project):
    return StateDir.of(project).make()


@pytest.fixture
def loaded(monkeypatch):
    """Scripted daemons are forks of a process that has loaded them: for tests that only talk with one."""
    monkeypatch.setattr(launch, "subprocess", forked.starter(real=False))


@pytest.fixture
def dial(project):
    """Connections to the project's daemon, with the scripted engine; closed at the end."""
    peers = []

    async def dialed(**options):
        peers.append(await connect(project, **{"command": SCRIPTED, **options}))
        return peers[-1]

    yield dialed
    assert all(peer.closed.is_set() for peer in peers), "a test left a connection open"


def end_daemon(root: Path) -> None:
    """Kill whatever daemon serves `root` and wait for its lock."""
    state = StateDir.of(root)
    found = announced(state)
    if found is not None:
        try:
            os.kill(found.pid, signal.SIGTERM)
        except ProcessLookupError:
            return
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and state.path.is_dir():
        with held_lock(state.daemon_lock) as lock:
            if lock is not None:
                return
        time.sleep(0.02)


@pytest.fixture
def until():
    """Wait for a condition: `await until(lambda: …)`, at most ten seconds."""

    async def wait(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen in time")

    return wait


@pytest.fixture
def scripted():
    return SCRIPTED
