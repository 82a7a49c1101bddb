"""A real daemon with its engine and the real sandbox, and this process as its client, as an editor would be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from devloop import launch
from devloop.daemon import connect, stop
from devloop.daemon.connect import DaemonPeer
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.runs.transcript import Transcript
from support import forked

Event = dict[str, Any]


class Served:
    """`events`: what the daemon told since it was asked to. `asked`: when it was asked how it is, and how many seconds
    it took to say."""

    def __init__(self, root: Path, loaded: bool) -> None:
        self.root, self._loaded = root, loaded
        self.state = StateDir.of(root)
        self.peer: DaemonPeer
        self._variables = {name: value for name, value in os.environ.items() if name.startswith("DEVLOOP_")}
        self.events: list[Event] = []
        self.asked: list[tuple[float, float]] = []

    async def up(self) -> None:
        """Connect; a daemon that is not there is started with the variables of the first time."""
        os.environ.update(self._variables)  # a test may have begun without them
        begin = forked.starter(real=True) if self._loaded else launch.subprocess
        with mock.patch.object(launch, "subprocess", begin):
            self.peer = await connect(self.root, handlers={"devloop/event": self._take})

    async def _take(self, event: Event) -> None:
        self.events.append(event)

    async def start(self, task: str, **more: Any) -> str:
        return str((await self.peer.request("devloop/run", {"task": task, **more}))["run"])

    async def engine(self) -> None:
        """Until there is one: it comes with the first run, which this discards."""
        run = await self.start("1.9")
        await self.settled(run)
        await self.discard(run)
        await self.peer.request("devloop/subscribe", {})

    async def run(self, name: str) -> dict[str, Any]:
        return dict((await self.peer.request("devloop/show", {"run": name}))["run"])

    async def settled(self, run: str, *, timeout: float = 90) -> dict[str, Any]:
        """Wait until the run waits or ended, and ask the daemon again and again meanwhile."""
        await self.until(run, lambda row: row is None or row["state"] == "waiting", timeout=timeout)
        return await self.run(run)

    async def until(self, run: str, condition: Callable[[Any], Any], *, timeout: float = 90) -> Any:
        """Until the condition holds of what the status says of the run (None: it is no open one)."""
        end = time.monotonic() + timeout
        while True:
            at, begin = time.time(), time.monotonic()
            status = await self.peer.request("devloop/status")
            self.asked.append((at, time.monotonic() - begin))
            row = next((row for row in status["runs"] if row["id"] == run), None)
            if condition(row):
                return row
            assert time.monotonic() < end, f"{run} did not come so far: {status['runs']}; {self.log()}"
            await asyncio.sleep(0.1)

    def during(self, begin: float, end: float) -> list[float]:
        """How long each answer took that was asked for between two moments."""
        return [took for at, took in self.asked if begin <= at <= end]

    async def told(self, kind: str, run: str, *, count: int = 1, timeout: float = 60) -> list[Event]:
        """Wait for so many events of a kind."""

        def found() -> list[Event]:
            return [event for event in self.events if event["kind"] == kind and event["run"] == run]

        await until(lambda: len(found()) >= count, f"{count} {kind} of {run}", timeout)
        return found()

    async def discard(self, run: str) -> None:
        await self.peer.request("devloop/decide", {"run": run, "decision": "discard", "message": None, "checkpoint": 1})
        await self.until(run, lambda row: row is None)

    async def cancel(self, run: str) -> None:
        await self.peer.request("devloop/cancel", {"run": run})

    def results(self, run: str) -> list[str]:
        """What each tool call of the run brought, in order."""
        transcript = Transcript(self.state.runs / run, Redactor({}))
        messages = transcript.messages(transcript.last_turn())
        blocks = [block for message in messages for block in message["content"] if isinstance(block, Mapping)]
        return [str(block["content"]) for block in blocks if block.get("type") == "tool_result"]

    async def pids(self) -> tuple[int, int]:
        """Daemon and engine."""
        status = await self.peer.request("devloop/status")
        return self.peer.hello["pid"], status["engine"]["pid"]

    def log(self) -> str:
        return "".join((self.state.logs / f"{name}.log").read_text()[-2000:] for name in ("daemon", "engine"))


@contextlib.asynccontextmanager
async def served(root: Path, *, loaded: bool = False) -> AsyncIterator[Served]:
    """`loaded`: daemon and engine are forks (`forked`), for tests that measure neither."""
    found = Served(root, loaded)
    await found.up()
    try:
        yield found
    finally:
        await found.peer.close()
        await stop(root, force=True)


def play(path: Path, tasks: Mapping[str, list[dict[str, Any]]]) -> str:
    """A scenario as a file; its name is what `DEVLOOP_SCENARIO` says."""
    path.write_text(json.dumps({"tasks": {task: {"turns": turns} for task, turns in tasks.items()}}))
    return str(path)


async def until(condition: Callable[[], Any], what: str, seconds: float = 10) -> float:
    """Wait for `condition`; how long it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.01)
    return time.monotonic() - begin
