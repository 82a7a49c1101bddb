"""The client's side: find the workspace's daemon, start it when there is none, agree on the version."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop import __version__
from devloop.daemon.endpoint import announced
from devloop.errors import DevloopError, Refused, Unavailable
from devloop.files import held_lock
from devloop.hello import CARRIED, HELLO, hello, same_user
from devloop.launch import Launcher, absolute, last_line
from devloop.paths import StateDir
from devloop.rpc import Handler, Peer

DEADLINE_S = 20.0
HELLO_TIMEOUT_S = 10.0
LOST_S = 6.0
"""How long a living daemon that can't be reached is given to open its door again."""


class DaemonPeer(Peer):
    """A connection to the daemon. `hello` is its answer: `version`, `pid`, `workspace`, and for agreeing with it the
    number of other `clients`, of `working` runs, and the `plan` file it was told to use."""

    hello: dict[str, Any]

    def begin(self) -> None:
        self._task = asyncio.create_task(self.serve())

    async def close(self) -> None:
        await super().close()
        if self._task is not asyncio.current_task():
            await asyncio.wait({self._task}, timeout=5)


async def connect(
    root: Path,
    *,
    client: str = "terminal",
    handlers: Mapping[str, Handler] | None = None,
    start: bool = True,
    any_version: bool = False,
    command: Sequence[str] | None = None,
    deadline_s: float = DEADLINE_S,
) -> DaemonPeer:
    """A connection to the daemon of the workspace at `root`, after `devloop/hello`.

    Starts the daemon when none is there, unless `start` is false. `command` replaces the command that does so.
    Raises `Unavailable` with the last line of the daemon's log when it does not come up, `Refused` when a daemon of
    another version is busy.
    """
    if sys.platform == "win32":
        raise Unavailable("The daemon needs a Unix system.", hint="On Windows, run devloop inside WSL 2.")
    state = StateDir.of(root).make()
    launcher = Launcher(root, state, command)
    deadline = time.monotonic() + deadline_s
    pause = 0.01
    while True:
        peer = await _try(state, handlers, client)
        if peer is not None and (any_version or peer.hello.get("version") == __version__):
            return await _checked(peer)
        if peer is not None:
            await _replace(peer)
        elif not start:
            raise Unavailable("No daemon is running for this workspace.", hint="It starts with the next command.")
        else:
            launcher.keep_one_coming()
        if time.monotonic() > deadline:
            if _held(state):
                found = announced(state)
                who = f" (pid {found.pid})" if found else ""
                raise Unavailable(
                    f"A daemon{who} runs for this workspace, but it can't be reached.",
                    hint=f"End that process and try again; runs go on where they were. Its log is {launcher.log}.",
                )
            raise Unavailable(
                f"The daemon did not come up: {last_line(launcher.log)}", hint=f"Its log is {launcher.log}."
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)


async def stop(root: Path, *, force: bool = False, timeout_s: float = 15.0) -> bool:
    """Stop the workspace's daemon, of whatever version, and wait until it is gone. False when none was running.

    Raises `Refused` while runs are working, unless `force`: they go on when devloop is used again.
    """
    state = StateDir.of(root)
    peer = await _running(root, state)
    if peer is None:
        return False
    try:
        await peer.request("devloop/stop", {"force": force})
    finally:
        await peer.close()
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with held_lock(state.daemon_lock) as lock:
            if lock is not None:
                return True
        await asyncio.sleep(0.02)
    raise Unavailable("The daemon is still on its way out.", hint=f"Its log is {state.logs / 'daemon.log'}.")


async def _running(root: Path, state: StateDir) -> DaemonPeer | None:
    """The daemon that runs now, if any. One that lost its socket opens another after a moment: that is waited for."""
    deadline = time.monotonic() + LOST_S
    while True:
        try:
            return await connect(root, start=False, any_version=True)
        except Unavailable:
            if not _held(state):
                return None
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


def _held(state: StateDir) -> bool:
    """Whether a daemon of this workspace lives."""
    if not state.daemon_lock.exists():
        return False
    with held_lock(state.daemon_lock) as lock:
        return lock is None


async def _try(state: StateDir, handlers: Mapping[str, Handler] | None, client: str) -> DaemonPeer | None:
    """The daemon that answers now, or None when nobody listens."""
    found = announced(state)
    if found is None:
        return None
    try:
        reader, writer = await asyncio.open_unix_connection(str(found.socket))
    except OSError:
        return None
    if not same_user(writer.get_extra_info("socket")):  # where our daemon was, somebody else listens now
        writer.transport.abort()
        return None
    peer = DaemonPeer(reader, writer, handlers, name="daemon")
    peer.begin()
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            peer.hello = await peer.request(HELLO, hello(client))
    except TimeoutError as problem:
        await peer.close()
        raise Unavailable(
            f"The daemon (pid {found.pid}) does not answer.", hint=f"Its log is {state.logs / 'daemon.log'}."
        ) from problem
    except Unavailable:  # it was just going away
        await peer.close()
        return None
    except BaseException:
        await peer.close()
        raise
    return peer


async def _checked(peer: DaemonPeer) -> DaemonPeer:
    """Refuse a daemon that was told to work with another plan file than this client."""
    wanted = os.environ.get("DEVLOOP_PLAN_PATH")
    theirs = peer.hello.get("plan")
    if wanted and theirs != absolute(wanted):
        await peer.close()
        raise Refused(
            f"DEVLOOP_PLAN_PATH is {wanted} here, but the running daemon works with {theirs or 'the usual plan file'}.",
            hint="Stop it with `devloop stop`; the next command starts one that uses your plan.",
        )
    return peer


async def _replace(peer: DaemonPeer) -> None:
    """Make an idle daemon of another version go; say so when it is not idle."""
    theirs = peer.hello.get("version")
    busy = [
        text
        for count, text in (
            (peer.hello.get("working", 0), "a run is working"),
            (peer.hello.get("clients", 0), "it has other clients"),
        )
        if count
    ]
    try:
        if busy:
            raise Refused(
                f"The running daemon is devloop {theirs}, this is devloop {__version__}, and {' and '.join(busy)}.",
                hint="Let it finish, or stop it with `devloop stop --force`; runs go on where they were.",
            )
        with contextlib.suppress(Unavailable):
            await peer.request("devloop/stop", {"force": False})
    finally:
        await peer.close()


__all__ = ["CARRIED", "DaemonPeer", "DevloopError", "connect", "stop"]
