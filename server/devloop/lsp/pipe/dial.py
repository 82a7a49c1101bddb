"""A connection to the workspace's daemon with blocking reads.

`devloop.daemon` brings asyncio along, 50 ms that an editor would wait for: it is loaded only when a daemon has to be
replaced, or can't be reached. What finds a running one and starts the first one is here.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devloop import __version__
from devloop.errors import Unavailable
from devloop.hello import HELLO, hello, same_user
from devloop.launch import SERVE as PLAIN
from devloop.launch import Launcher
from devloop.lsp.pipe import frames
from devloop.lsp.pipe.initialize import at
from devloop.paths import StateDir, find_root

HELLO_TIMEOUT_S = 10.0
TRIES = 3
COMING_S = 5.0
"""How long the first daemon is waited for here; then `daemon.connect` finds out what is in its way."""
LOOK_S = 0.01
SERVE = (*PLAIN, "--editor")


class _AnotherVersion(Exception):
    """The daemon that answers is not of this version."""


class Link:
    """One connection. One thread reads; whoever sends holds the session's lock."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._frames = frames.Frames(connected.recv)

    def send(self, body: bytes) -> None:
        """Raises `OSError` when the daemon is gone; it has then not got the whole message."""
        self._socket.sendall(frames.framed(body))

    def next(self) -> bytes | None:
        """The next message's body; None when the daemon is gone. Raises `TimeoutError` after `patience`."""
        try:
            return self._frames.next()
        except TimeoutError:
            raise
        except (OSError, frames.Broken, frames.Refused):
            return None

    def patience(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def end(self) -> None:
        """Nothing more is sent or read; a thread that reads gets the end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()


def dial(root: Path, *, client: str, command: Sequence[str] | None = None) -> Link:
    """The daemon of the workspace at `root`, after hello, with the language server behind it from now on.

    Starts the daemon when none is there. Raises what `daemon.connect` raises: `Unavailable` when it does not come up,
    `Refused` when a daemon of another version, or for another plan file, is busy.
    """
    state = StateDir.of(root)
    if "DEVLOOP_PLAN_PATH" not in os.environ and sys.platform != "win32":
        try:
            if (link := _try(state, client) or _first(root, state, client, command)) is not None:
                return link
        except _AnotherVersion:
            pass
    for _ in range(TRIES):
        _agree(root, client, command)
        try:
            if (link := _try(state, client)) is not None:
                return link
        except _AnotherVersion:
            continue
    raise Unavailable(
        "The daemon goes away as soon as it has started.", hint=f"Its log is {state.logs / 'daemon.log'}."
    )


def _try(state: StateDir, client: str) -> Link | None:
    """The daemon that answers now. Raises `_AnotherVersion`."""
    found = _announced(state)
    if found is None or not hasattr(socket, "AF_UNIX"):
        return None
    pid, path = found
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link = Link(connected)
    try:
        link.patience(HELLO_TIMEOUT_S)
        connected.connect(path)
        if not same_user(connected):  # where our daemon was, somebody else listens now
            link.close()
            return None
        params = {**hello(client), "protocol": "lsp"}
        link.send(frames.body_of({"jsonrpc": "2.0", "id": 0, "method": HELLO, "params": params}))
        answer: Any = json.loads(link.next() or b"null")
    except TimeoutError:
        link.close()
        raise Unavailable(
            f"The daemon (pid {pid}) does not answer.", hint=f"Its log is {state.logs / 'daemon.log'}."
        ) from None
    except (OSError, ValueError):
        link.close()
        return None
    version = at(answer, "result", "version")
    if version != __version__:
        link.close()
        if version is None:  # it was just going away
            return None
        raise _AnotherVersion
    link.patience(None)
    return link


def _first(root: Path, state: StateDir, client: str, command: Sequence[str] | None) -> Link | None:
    """Start the daemon and wait for it; None when it does not come. Raises `Unavailable` when it broke."""
    launcher = Launcher(root, state.make(), command or SERVE)
    until = time.monotonic() + COMING_S
    while time.monotonic() < until:
        launcher.keep_one_coming()
        time.sleep(LOOK_S)
        if (link := _try(state, client)) is not None:
            return link
    return None


def _announced(state: StateDir) -> tuple[int, str] | None:
    """Process and socket of the daemon that wrote `daemon.json`, alive or dead (`daemon.endpoint.announced`)."""
    try:
        said = json.loads(state.daemon_file.read_bytes())
        return int(said["pid"]), str(said["socket"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _agree(root: Path, client: str, command: Sequence[str] | None) -> None:
    """Let `daemon.connect` start the daemon, or replace an idle one of another version, or say why it can't."""
    import asyncio

    from devloop.daemon.connect import connect

    async def once() -> None:
        peer = await connect(root, client=client, command=command or SERVE)
        await peer.close()

    asyncio.run(once())


def root_of(given: str | None, params: Any) -> Path:
    """The workspace: `--root`; else the first of the client's folders that is in a project; else its first folder that
    exists; else the working directory."""
    if given is not None:
        return Path(given).resolve()
    folders = [folder for folder in _folders(params) if folder.is_dir()]
    for folder in folders:
        root = find_root(folder)
        if (root / ".devloop").is_dir() or (root / ".git").exists():
            return root
    return find_root(folders[0] if folders else Path.cwd())


def _folders(params: Any) -> list[Path]:
    from urllib.parse import unquote

    listed = at(params, "workspaceFolders")
    names = [at(folder, "uri") for folder in listed] if isinstance(listed, list) else []
    found = []
    for uri in (*names, at(params, "rootUri")):
        if isinstance(uri, str) and uri.startswith("file:///") and "\0" not in (name := unquote(uri[7:])):
            drive = os.name == "nt" and name[2:3] == ":"
            found.append(Path(name[1:] if drive else name))
    path = at(params, "rootPath")
    if isinstance(path, str) and path and "\0" not in path:
        found.append(Path(path))
    return found


def ended_in_order(root: Path) -> bool:
    """Whether the last daemon took its announcement away: it was stopped, or nobody needed it."""
    return _announced(StateDir.of(root)) is None
