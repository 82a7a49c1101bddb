"""The program as a process, in a project of its own, with the scripted engine behind the daemon."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devloop import launch
from devloop.cli.entry import main
from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.paths import StateDir
from support import forked

SCRIPTED = [sys.executable, str(Path(__file__).parent.parent / "daemon" / "scripted" / "daemon.py")]
PROGRAM = [sys.executable, "-m", "devloop.cli.entry"]
PLAN = """# Plan: Demo

**Created**: 2026-01-01
**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
- [ ] Task 1.3: A question
- [ ] Task 1.4: It works and works
- [ ] Task 1.5: It fails
- [ ] Task 1.6: It exhausts
- [x] Task 1.7: Done before

## Progress Log
"""


@pytest.fixture
def project(short_tmp, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(short_tmp / "c"))
    monkeypatch.setenv("COLUMNS", "200")
    root = short_tmp / "p"
    (root / ".devloop").mkdir(parents=True)
    (root / ".devloop" / "plan.md").write_text(PLAN)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "start")
    yield root
    end_daemon(root)


def git(root, *arguments):
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def end_daemon(root):
    state = StateDir.of(root)
    found = announced(state)
    if found is None:
        return
    try:
        os.kill(found.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with held_lock(state.daemon_lock) as lock:
            if lock is not None:
                return
        time.sleep(0.02)


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@pytest.fixture
def devloop(project, capfd, monkeypatch):
    """Call the program's entry in this process: `devloop("plan", "show")` → code, out, err.

    The same code as in a process of its own, without waiting for an interpreter; `program` is the real thing. A daemon
    that it starts is a fork of a process that has loaded it.
    """
    monkeypatch.setattr(launch, "subprocess", forked.starter(real=True))

    def call(*arguments, cwd=project):
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = main(list(arguments))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return Result(subprocess.CompletedProcess(arguments, code, out, err))

    return call


@pytest.fixture
def program(project):
    """Run the program as a process: `program("plan", "show")` → code, out, err."""

    def run(*arguments, cwd=project, **options):
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=None if "input" in options else subprocess.DEVNULL,
            **options,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done)

    return run


@pytest.fixture
def scripted(project, monkeypatch):
    """A running daemon whose engine is the scripted one: a fork of a process that has loaded it."""
    state = StateDir.of(project).make()
    with monkeypatch.context() as patch:
        patch.setattr(launch, "subprocess", forked.starter(real=False))
        starting = launch.Launcher(project, state, SCRIPTED)
        deadline = time.monotonic() + 20
        while announced(state) is None:
            assert time.monotonic() < deadline, "the daemon did not come up"
            starting.keep_one_coming()
            time.sleep(0.02)
    yield state
    end_daemon(project)


class Terminal:
    """The program with a person at both ends: a pseudo-terminal."""

    def __init__(self, arguments, cwd):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "50"}
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=None,
        )
        os.close(slave)
        self.seen = ""

    def until(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come; there was:\n{self.seen}"
            if not self._read():
                raise AssertionError(f"{text!r} did not come before the end; there was:\n{self.seen}")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def type(self, text):
        os.write(self.master, text.encode())

    def interrupt(self, text):
        """Ctrl-C until `text` answers it, as a person does. One that comes between Python's last look for signals and
        the kernel's waiting for a line is heard only with the next."""
        for _ in range(10):
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(AssertionError):
                return self.until(text, 3)
        return self.until(text)

    def end(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read():
            pass
        return self.process.wait(10)

    def _read(self):
        ready, _, _ = select.select([self.master], [], [], 0.1)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self.master)


@pytest.fixture
def terminal(project):
    """`terminal("run", "1.1")`: the program on a pseudo-terminal."""
    opened = []

    def open_one(*arguments):
        opened.append(Terminal(arguments, project))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()
