"""The daemon's hold on the engine process: start it, ask it, notice when it dies. Imports nothing heavy."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devloop import children, launch
from devloop.errors import Unavailable
from devloop.paths import StateDir
from devloop.rpc import Handler, Peer

START_TIMEOUT_S = 60.0
NEEDED = 1 << 20
"""Bytes without which no engine comes up: its databases could not be opened for writing."""


class EngineClient:
    """One running engine process. `exited` is set when it is gone, for whatever reason."""

    def __init__(self, process: asyncio.subprocess.Process, peer: Peer) -> None:
        self.exited = asyncio.Event()
        self._process, self._peer = process, peer
        self._tasks = [asyncio.create_task(peer.serve()), asyncio.create_task(self._watch())]

    @classmethod
    async def start(
        cls,
        root: Path,
        state: StateDir,
        *,
        environment: Mapping[str, str],
        handlers: Mapping[str, Handler],
        lock_wait_s: float | None = None,
    ) -> EngineClient:
        """Start the engine for the workspace at `root` and wait until it answers.

        `environment` is what the person's clients brought along (key, base URL, scenario); it travels over the
        connection, never through the process's environment, which others could read. Raises `Unavailable` with the
        end of the engine's log when it does not come up: another engine has the workspace for longer than
        `lock_wait_s` (None: 20 s), for example.
        """
        if sys.platform == "win32":
            raise Unavailable("The engine needs a Unix system.", hint="On Windows, run devloop inside WSL 2.")
        ours, theirs = socket.socketpair()
        log_path = state.logs / "engine.log"
        arguments = ["--root", str(root), "--state", str(state.path)]
        arguments += [] if lock_wait_s is None else ["--lock-wait", str(lock_wait_s)]
        with theirs, log_path.open("ab") as log:
            process = await cls._begin(arguments, theirs.fileno(), log.fileno())
        reader, writer = await asyncio.open_connection(sock=ours)
        client = cls(process, Peer(reader, writer, handlers, name="engine"))
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await client.request("engine/environment", {"variables": dict(environment)})
        except (Unavailable, TimeoutError) as problem:
            await client.kill()
            raise not_started(log_path, shutil.disk_usage(state.path).free) from problem
        except BaseException:  # it said no, or nobody waits any more: it must not stay behind with the lock
            await client.kill()
            raise
        return client

    @staticmethod
    async def _begin(arguments: Sequence[str], fd: int, log: int) -> asyncio.subprocess.Process:
        """The engine's process: `fd` is its end of the connection, `log` where it writes."""
        open_ones, secret_ones = launch.parted(_process_environment())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "devloop.engine", *arguments, "--fd", str(fd)),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(fd,),
            env=open_ones,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(launch.packed(secret_ones))
        process.stdin.close()
        return process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        return await self._peer.request(method, params)

    async def stop(self) -> None:
        """Close the connection: the engine puts its runs down where they are and ends."""
        await self._peer.close()
        try:
            async with asyncio.timeout(10):
                await self.exited.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        children.kill(self._process)
        await self.exited.wait()

    async def _watch(self) -> None:
        await self._process.wait()
        self.exited.set()
        await self._peer.close()


def _process_environment() -> dict[str, str]:
    """The daemon's environment without model keys: those travel over the connection."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}


def not_started(log_path: Path, free: int) -> Unavailable:
    """Why, as far as it is known. `free`: bytes where the state is; on a full disk nothing could be logged either."""
    if free < NEEDED:
        return Unavailable(
            f"The engine did not start: no space is left in {log_path.parents[1]}, where runs are kept.",
            hint="Free some space there and try again; runs go on where they were.",
        )
    return Unavailable(f"The engine did not start: {_last_line(log_path)}", hint=f"Its log is {log_path}.")


def _last_line(path: Path) -> str:
    try:
        lines = path.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it left no message"
