"""devloop as its users have it: the program as a process, a real daemon and engine, real git, the real sandbox."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.paths import StateDir
from support import projects
from support.engines import trust_everything
from support.forked import run_program

PROGRAM = [sys.executable, "-m", "devloop.cli.entry"]
PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]

## Progress Log
"""
WORK = [
    {"calls": [{"name": "write_file", "input": {"path": "new.txt", "content": "new\n"}}]},
    {"calls": [{"name": "finish", "input": {"summary": "It is done."}}]},
]


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        assert "Traceback" not in self.out + self.err, self
        assert "went wrong inside devloop" not in self.out + self.err, self

    @property
    def json(self):
        """What was printed has to be one JSON object and nothing else."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self):
        return self.json["error"]

    @property
    def text(self):
        return self.out + self.err

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Place:
    """One person's machine: `state` and `config` directories, and projects. `root` is where commands are called.
    Without `program`, calls are forks of a process that has loaded devloop (`forked`)."""

    def __init__(self, tmp: Path, program: Sequence[str] | None = None) -> None:
        self.tmp, self.root = tmp, tmp / "p"
        self._program = program
        self._scenarios = itertools.count(1)
        self.environment = {
            **os.environ,
            "DEVLOOP_STATE_DIR": str(tmp / "s"),  # as this process has it, see `place`
            "DEVLOOP_CONFIG_DIR": str(tmp / "c"),
            "COLUMNS": "200",
        }
        self.play()

    def play(self, turns=WORK) -> None:
        """The scripted player answers every task from these turns."""
        self.script({"*": turns})

    def script(self, tasks) -> None:
        """It answers each task from its own turns."""
        path = self.tmp / f"scenario-{next(self._scenarios)}.json"  # one that is known is not read again
        path.write_text(json.dumps({"tasks": {task: {"turns": turns} for task, turns in tasks.items()}}))
        self.environment["DEVLOOP_SCENARIO"] = str(path)

    def project(self, plan: str = PLAN, *, trusted: bool = True) -> Path:
        """A committed project with one gate, a shell script."""
        projects.tiny_project(self.root, plan)
        if trusted:
            trust_everything(self.root)
        return self.root

    def git(self, *arguments: str) -> str:
        return projects.git(self.root, *arguments)

    @property
    def plan(self) -> Path:
        return self.root / ".devloop" / "plan.md"

    @property
    def state(self) -> StateDir:
        return StateDir.of(self.root)

    def __call__(self, *arguments, program=None, env=None, given="") -> Result:
        """Call devloop, as `program` once."""
        environment = {**self.environment, **(env or {})}
        program = program or self._program
        if program is None and hasattr(os, "pidfd_open"):
            return Result(run_program(arguments, self.root, environment, given, 60))
        done = subprocess.run(
            [*(program or PROGRAM), *arguments],
            cwd=self.root,
            env=environment,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
        )
        return Result(done)

    def start(self, *arguments) -> subprocess.Popen:
        """Begin a command and go on."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pids(self) -> tuple[int, int]:
        """Daemon and engine."""
        found = self("status", "--json").json
        return found["daemon"]["pid"], found["engine"]["pid"]

    def waiting(self, task: str = "1.1") -> str:
        """A run of the task that waits for a decision."""
        followed = self("run", task, "--json")
        assert followed.code == 3, followed
        return followed.json["run"]["id"]

    def end(self) -> None:
        """End every daemon that was started here."""
        for folder in (Path(self.environment["DEVLOOP_STATE_DIR"]) / "workspaces").glob("*"):
            state = StateDir(folder)
            found = announced(state)
            if found is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGTERM)
            until(lambda state=state: not held(state), "the daemon is gone")


def held(state: StateDir) -> bool:
    with held_lock(state.daemon_lock) as lock:
        return lock is None


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.02)


def on_terminal(command: Sequence[str], cwd: Path, environment: Mapping[str, str], rows: int, columns: int) -> bytes:
    """What a command writes on a terminal of that size, to its end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**environment, "TERM": "xterm", "LINES": str(rows), "COLUMNS": str(columns)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    late = threading.Timer(60, process.kill)  # it asks somebody, and nobody is there
    late.start()
    data = b""
    with contextlib.suppress(OSError):  # EIO: everybody at the other end is gone
        while piece := os.read(ours, 1 << 16):
            data += piece
    os.close(ours)
    code = process.wait(60)
    late.cancel()
    assert code >= 0, (command, data[-2000:])
    return data
