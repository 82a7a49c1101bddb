"""A project with its own state directory, served by a real daemon; editors come through `devloop lsp` or its socket."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devloop.hello import hello
from support.pipes import Program, Wire

LSP = [sys.executable, "-m", "devloop.cli.entry", "lsp"]
DEVLOOP = [sys.executable, "-m", "devloop.cli.entry"]


class Socket(Wire):
    """An editor without the pipe between: plain LSP on the daemon's socket, after hello."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        super().__init__(self._read, self.socket.sendall)
        self.send(id="hello", method="devloop/hello", params={**hello("test"), "protocol": "lsp"})
        assert self.answer("hello")["result"]["version"]

    def _read(self, size):
        return self.socket.recv(size)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Workspace:
    def __init__(self, plan: str) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="dlw-")).resolve()
        self.root = self.top / "p"
        self.plan = self.root / ".devloop" / "plan.md"
        self.plan.parent.mkdir(parents=True)
        self.plan.write_text(plan)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        ours = ("ANTHROPIC_", "DEVLOOP_", "GIT_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        state, config = str(self.top / "s"), str(self.top / "c")
        self.environment = {**kept, "DEVLOOP_STATE_DIR": state, "DEVLOOP_CONFIG_DIR": config}
        self._made: list[Wire] = []

    @property
    def daemon(self) -> dict:
        """What the daemon announced: `pid`, `socket`."""
        (found,) = (self.top / "s").glob("workspaces/*/daemon.json")
        return json.loads(found.read_text())

    @property
    def log(self) -> str:
        (found,) = (self.top / "s").glob("workspaces/*/logs/daemon.log")
        return found.read_text()

    def start(self) -> Program:
        """`devloop lsp`, not initialized."""
        self._made.append(Program(LSP, cwd=self.root, env=self.environment))
        return self._made[-1]

    def connect(self) -> Socket:
        """The daemon's socket, not initialized; some editor must have started the daemon."""
        self._made.append(Socket(self.daemon["socket"]))
        return self._made[-1]

    def begin(self, editor, capabilities=None):
        editor.initialize(rootUri=self.root.as_uri(), capabilities=capabilities or {})
        editor.notify("initialized")
        return editor

    def uri(self, name: str = ".devloop/plan.md") -> str:
        return (self.root / name).as_uri()

    def end(self) -> None:
        for each in self._made:
            each.close()
        subprocess.run([*DEVLOOP, "stop", "--force"], cwd=self.root, env=self.environment, capture_output=True)
        shutil.rmtree(self.top, ignore_errors=True)


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.01)
    return found
