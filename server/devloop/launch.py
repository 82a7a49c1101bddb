"""Starting the daemon's process. Without asyncio and all that comes with it: an editor that opens waits for this."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devloop.errors import Unavailable
from devloop.files import storage_error
from devloop.hello import CARRIED
from devloop.paths import StateDir
from devloop.secret_names import is_secret

SERVE = (sys.executable, "-P", "-m", "devloop.serve")
"""`-P`: the daemon begins in the repository, whose own folder `devloop` must not be taken for ours."""
ROOM = 64 * 1024
"""Bytes that have to be free where the daemon keeps its files."""
SECRETS = "--secrets"
"""Says that secret variables come by standard input."""
PIPE = 60 * 1024
"""Less than a pipe holds (64 KiB on Linux), so that nobody waits for the reader."""
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \S+ [A-Z]+ [\w.]+: ")

_started: list[subprocess.Popen[bytes]] = []
"""Daemons outlive their client; keeping them here keeps the interpreter from complaining about that."""


class Launcher:
    """Starts the daemon. A process that loses the race for the lock exits with 0 and the winner is waited for; when
    the winner turns out to be one that is just going away, another is started.

    What is secret in this environment goes by its standard input: the environment that a process begins with can be
    read by others (`/proc/PID/environ`, security §9.1)."""

    def __init__(self, root: Path, state: StateDir, command: Sequence[str] | None = None) -> None:
        self.log = state.logs / "daemon.log"
        self._root = root.resolve()
        self._command = [*(command or SERVE), "--root", str(self._root), SECRETS]
        self._process: subprocess.Popen[bytes] | None = None

    def keep_one_coming(self) -> None:
        """Start a daemon unless one that was started here is still on its way. Raises `Unavailable` with the last line
        of its log when it broke."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            if code != 0:
                if shutil.disk_usage(self.log.parent).free < ROOM:  # then its log may hold nothing at all
                    full = OSError(errno.ENOSPC, "")
                    raise storage_error(full, f"The daemon did not start, {self.log.parent} can't be written")
                raise Unavailable(f"The daemon did not start: {last_line(self.log)}", hint=f"Its log is {self.log}.")
        try:
            handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as log:
                open_ones, secret_ones = parted(_environment())
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self._root,
                    env=open_ones,
                    start_new_session=True,
                )
                tell(self._process, secret_ones)
        except OSError as problem:
            raise Unavailable(f"The daemon could not be started: {problem.strerror}.") from problem
        _started.append(self._process)


def parted(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What a process may begin with, and what is only told to it: variables that are secret by name or value."""
    secret = {name: value for name, value in environment.items() if is_secret(name, value)}
    return {name: value for name, value in environment.items() if name not in secret}, secret


def packed(secret: Mapping[str, str]) -> bytes:
    """For a process's standard input, which holds so much without anybody reading; the longest are left out first."""
    kept = dict(sorted(secret.items(), key=lambda each: len(each[1])))
    while len(data := json.dumps(kept).encode()) > PIPE:
        kept.popitem()
    return data


def tell(process: subprocess.Popen[bytes], secret: Mapping[str, str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(packed(secret))


def take() -> None:
    """Called by a process that was started with `SECRETS`: what it is told becomes part of its environment, which
    nobody else sees any more."""
    with contextlib.suppress(ValueError, OSError), open(0, "rb", closefd=False) as pipe:
        told = json.loads(pipe.read(2 * PIPE) or b"{}")
        os.environ.update({str(name): str(value) for name, value in told.items()})
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)


def _environment() -> dict[str, str]:
    """This environment without model keys, and with paths that mean the same in another directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    for name in ("DEVLOOP_STATE_DIR", "DEVLOOP_CONFIG_DIR", "DEVLOOP_PLAN_PATH"):
        if kept.get(name):
            kept[name] = absolute(kept[name])
    for name in CARRIED:
        kept.pop(name, None)
    return kept


def absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def last_line(path: Path) -> str:
    """The last line of a log, for a message about a process that did not come up."""
    try:
        lines = path.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return _STAMP.sub("", lines[-1].strip()) if lines else "it left no message"
