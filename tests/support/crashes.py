"""A three-task plan that is run to its end while engine or daemon are killed, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.daemon import connect, stop
from devloop.errors import DevloopError
from devloop.paths import StateDir
from support.engines import trust_everything
from support.projects import git, tiny_project

TASKS = ("1.1", "1.2", "1.3")
PLAN = """# Plan: Crash

**Created**: 2026-01-01
**Updated**: 2026-01-01 09:00
**Status**: In Progress

## Phase 1: Three files

- [ ] Task 1.1: Write the first file
- [ ] Task 1.2: Write the second file [depends:1.1]
- [ ] Task 1.3: Write the third file [depends:1.2]

## Progress Log
"""


def scenario() -> dict[str, Any]:
    """Each task appends to one file by the shell: a command that ran twice would be seen in it."""
    return {"tasks": {task: {"turns": _turns(task)} for task in TASKS}}


def _turns(task: str) -> list[dict[str, Any]]:
    def call(name: str, **values: Any) -> dict[str, Any]:
        return {"name": name, "input": values}

    return [
        {"calls": [call("read_file", path="notes.txt"), call("list_files", pattern="*")]},
        {
            "calls": [
                call("run_command", command=f"echo {task} >> done.txt"),
                call("write_file", path=f"file-{task}.txt", content=f"{task}\n"),
            ]
        },
        {"calls": [call("finish", summary=f"file {task} is written")]},
    ]


@dataclass
class Crash:
    """Where to kill: the engine at its `boundary`-th fail point, or `victim` after `after_s` seconds."""

    boundary: int | None = None
    victim: str = "engine"
    after_s: float | None = None

    def __str__(self) -> str:
        return f"boundary-{self.boundary}" if self.boundary else f"{self.victim}-after-{self.after_s:.2f}s"


@dataclass
class Result:
    root: Path
    ledger: list[str]
    """Step boundaries that were passed, each with the engine's process id."""
    seconds: float = 0.0
    requests: Counter[tuple[str | None, int | None]] = field(default_factory=Counter)
    kills: int = 0

    @property
    def engines(self) -> int:
        return _engines(self.ledger)


def _passed(ledger: Path) -> list[str]:
    """The boundaries until now; the file is made at the first."""
    return ledger.read_text().splitlines() if ledger.exists() else []


def _engines(lines: list[str]) -> int:
    return len({line.split()[1] for line in lines if " " in line})


async def run_plan(folder: Path, double: Any, crash: Crash | None, *, timeout: float = 90) -> Result:
    """Run the plan to its end, unattended, with at most one kill. State and configuration lie below `folder`."""
    root = tiny_project(folder / "project", PLAN)
    ledger = folder / "ledger"
    os.environ.update(
        DEVLOOP_STATE_DIR=str(folder / "s"),
        DEVLOOP_CONFIG_DIR=str(folder / "c"),
        DEVLOOP_FAULT_LEDGER=str(ledger),
        DEVLOOP_FAULT=str(crash.boundary if crash and crash.boundary else ""),
        ANTHROPIC_API_KEY=double.key,
        ANTHROPIC_BASE_URL=double.url,
    )
    trust_everything(root)
    before, begun = len(double.messages), time.monotonic()
    killer = None
    try:
        peer = await connect(root)
        await peer.request("devloop/continue", {"limit": None, "decide": "commit"})
        if crash is not None and crash.after_s is not None:
            killer = asyncio.create_task(_kill_later(root, crash))
        await peer.close()
        await _until_done(root, timeout, ledger if crash and crash.boundary else None)
        took = time.monotonic() - begun
    finally:
        if killer is not None:
            await asyncio.wait({killer})
        with contextlib.suppress(DevloopError):
            await stop(root, force=True)
    entries = double.messages[before:]
    lines = _passed(ledger)
    requests = Counter((e.task, e.index) for e in entries)
    return Result(root, lines, took, requests, kills=1 if crash else 0)


async def _kill_later(root: Path, crash: Crash) -> None:
    assert crash.after_s is not None
    await asyncio.sleep(crash.after_s)
    state = StateDir.of(root)
    with contextlib.suppress(OSError, ValueError, ProcessLookupError):
        if crash.victim == "engine":
            pid = int(state.engine_lock.read_text().strip())
        else:
            found = re.search(r'"pid":\s*(\d+)', state.daemon_file.read_text())
            pid = int(found[1]) if found else 0
        if pid:
            os.kill(pid, signal.SIGKILL)


async def _until_done(root: Path, timeout: float, ledger: Path | None) -> None:
    """Until no task is open and no run is; a dead daemon is started anew, as any client would do.

    With `ledger`: and until a second engine has passed a boundary, because the first one is killed at one of its own.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(DevloopError):
            peer = await connect(root)
            try:
                status = await peer.request("devloop/status")
                runs = (await peer.request("devloop/runs", {"limit": 20}))["runs"]
            finally:
                await peer.close()
            killed = ledger is None or _engines(_passed(ledger)) > 1
            answered = status["engine"]["state"] == "running"  # else its list of open runs says nothing
            if killed and answered and status["plan"]["done"] == len(TASKS) and not status["runs"]:
                return
            if runs and all(r["state"] == "ended" for r in runs) and runs[0]["outcome"] != "landed":
                break
            if any(r["state"] == "waiting" for r in runs):
                break
        await asyncio.sleep(0.1)
    state = StateDir.of(root)
    log = "\n".join((state.logs / name).read_text()[-2500:] for name in ("daemon.log", "engine.log"))
    plan = (root / ".devloop" / "plan.md").read_text()
    raise AssertionError(f"the plan did not end; runs: {runs}\n{plan}\n{log}")


def _notices(root: Path) -> list[str]:
    """What the runs said about themselves, for the message of a failure."""
    from devloop.paths import workspace_key
    from devloop.store import Store, record_url

    store = Store.open(record_url(StateDir.of(root), None), workspace_key(root))
    try:
        return [f"{row['id']}: {notice}" for row in store.find_runs() for notice in row["notices"]]
    finally:
        store.close()


def check(result: Result) -> str:
    """Every promise about a plan that went to its end; answers with the tree of the work, for comparison."""
    root = result.root
    bodies = git(root, "log", "--format=%B", "main").splitlines()
    for task in TASKS:
        assert bodies.count(f"Devloop-Task: {task}") == 1, f"task {task} is not committed exactly once"
        assert (root / f"file-{task}.txt").read_text() == f"{task}\n"
    assert (root / "done.txt").read_text().split() == list(TASKS), "a command's effect is doubled or lost"
    assert git(root, "rev-list", "--count", "main") == str(1 + len(TASKS))
    plan = (root / ".devloop" / "plan.md").read_text()
    log = plan.partition("## Progress Log")[2]
    for task in TASKS:
        assert f"- [x] Task {task}:" in plan
        for word in ("Started", "Completed", "Committed"):
            assert log.count(f"{word} Task {task}") == 1, f"{word} {task} is not logged exactly once:\n{log}"
    dirty = [line for line in git(root, "status", "--porcelain").splitlines() if ".devloop/" not in line]
    assert dirty == []
    assert "- [x] Task 1.3" in git(root, "show", "main:.devloop/plan.md")
    refs = git(root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/devloop/run")
    assert refs == "", f"a run's branch stayed: {refs}; notices: {_notices(root)}"
    assert list((StateDir.of(root).worktrees).iterdir()) == []
    for place, count in result.requests.items():
        assert count <= 1 + result.kills, f"the model was asked {count} times for {place}"
    assert len(result.requests) == 3 * len(TASKS)
    assert sum(result.requests.values()) <= 3 * len(TASKS) + result.kills
    listed = git(root, "ls-tree", "-r", "main").splitlines()
    return "\n".join(line for line in listed if ".devloop/" not in line)
