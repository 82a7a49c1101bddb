"""Starting the daemon's process. Without asyncio and all that comes with it: an editor that opens waits for this."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from devloop.errors import Unavailable
from devloop.files import storage_error
from devloop.hello import CARRIED
from devloop.paths import StateDir

SERVE = (sys.executable, "-P", "-m", "devloop.serve")
"""`-P`: the daemon begins in the repository, whose own folder `devloop` must not be taken for ours."""
ROOM = 64 * 1024
"""Bytes that have to be free where the daemon keeps its files."""
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \S+ [A-Z]+ [\w.]+: ")

_started: list[subprocess.Popen[bytes]] = []
"""Daemons outlive their client; keeping them here keeps the interpreter from complaining about that."""


class Launcher:
    """Starts the daemon. A process that loses the race for the lock exits with 0 and the winner is waited for; when
    the winner turns out to be one that is just going away, another is started."""

    def __init__(self, root: Path, state: StateDir, command: Sequence[str] | None = None) -> None:
        self.log = state.logs / "daemon.log"
        self._root = root.resolve()
        self._command = [*(command or SERVE), "--root", str(self._root)]
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
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._root,
                    env=_environment(),
                    start_new_session=True,
                )
        except OSError as problem:
            raise Unavailable(f"The daemon could not be started: {problem.strerror}.") from problem
        _started.append(self._process)


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
