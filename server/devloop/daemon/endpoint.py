"""The daemon's socket: where it is, who may use it, and how a later process finds it (security §12)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.files import write_atomic
from devloop.paths import StateDir

MAX_PATH = 100
"""Bytes; Linux allows 107 and macOS 103 in `sun_path`."""
_SHORT = "devloop-"


@dataclass(frozen=True)
class Announcement:
    """What `daemon.json` says."""

    pid: int
    socket: Path
    version: str
    started: float


def announced(state: StateDir) -> Announcement | None:
    """The daemon that wrote `daemon.json`, alive or dead; None when there is none or the file is damaged."""
    try:
        data: Any = json.loads(state.daemon_file.read_bytes())
        return Announcement(int(data["pid"]), Path(data["socket"]), str(data["version"]), float(data["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def listen(state: StateDir) -> socket.socket:
    """A bound socket (not yet listening), mode 0600, in a directory that only its owner can enter.

    Call it while holding the daemon's lock: whatever an earlier daemon left behind is replaced.
    """
    remove_left_over(state)
    path = state.path / "daemon.sock"
    if len(os.fsencode(path)) > MAX_PATH:
        path = Path(tempfile.mkdtemp(prefix=_SHORT)) / "s"
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


def announce(state: StateDir, bound: socket.socket, version: str) -> None:
    entry = {"pid": os.getpid(), "socket": bound.getsockname(), "version": version, "started": time.time()}
    write_atomic(state.daemon_file, (json.dumps(entry, indent=2) + "\n").encode(), mode=0o600)


def is_announced(state: StateDir) -> bool:
    """Whether clients would find this process."""
    found = announced(state)
    return found is not None and found.pid == os.getpid()


def withdraw(state: StateDir, path: Path) -> None:
    """Remove what `listen` and `announce` made, unless it is another daemon's by now."""
    if not is_announced(state):
        return
    state.daemon_file.unlink(missing_ok=True)
    _remove_socket(state, path)


def remove_left_over(state: StateDir) -> None:
    """What a daemon that was killed could not remove itself. Only the holder of the lock may call this."""
    left = announced(state)
    state.daemon_file.unlink(missing_ok=True)
    if left is not None:
        _remove_socket(state, left.socket)
    (state.path / "daemon.sock").unlink(missing_ok=True)


def _remove_socket(state: StateDir, path: Path) -> None:
    """Unlink a socket of ours, and the short directory made for it; nothing else, whatever the file said."""
    with contextlib.suppress(OSError):
        if path.parent == state.path:
            path.unlink()
        elif path.parent.name.startswith(_SHORT) and path.name == "s" and path.parent.stat().st_uid == os.getuid():
            path.unlink()
            path.parent.rmdir()
