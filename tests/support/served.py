"""A real daemon with its engine and the real sandbox, and this process as its client: what a person's editor would be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from devloop.daemon import connect, stop
from devloop.daemon.connect import DaemonPeer
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.runs.transcript import Transcript

Event = dict[str, Any]


class Served:
    """`events`: what the daemon told since the beginning. `slowest`: the longest that it took to answer, in seconds, by
    the name of what happened meanwhile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = StateDir.of(root)
        self.peer: DaemonPeer
        self.events: list[Event] = []
        self.answered: dict[str, list[float]] = {}

    async def up(self) -> None:
        self.peer = await connect(self.root, handlers={"devloop/event": self._take})

    async def subscribe(self) -> None:
        """Once there is an engine."""
        await self.peer.request("devloop/subscribe", {})

    async def _take(self, event: Event) -> None:
        self.events.append(event)

    async def start(self, task: str, **more: Any) -> str:
        return str((await self.peer.request("devloop/run", {"task": task, **more}))["run"])

    async def run(self, name: str) -> dict[str, Any]:
        return dict((await self.peer.request("devloop/show", {"run": name}))["run"])

    async def settled(self, run: str, during: str, *, timeout: float = 90) -> dict[str, Any]:
        """Wait until the run waits or ended, and ask the daemon meanwhile; how long each answer took is kept."""
        took = self.answered.setdefault(during, [])
        end = time.monotonic() + timeout
        while True:
            begin = time.monotonic()
            status = await self.peer.request("devloop/status")
            took.append(time.monotonic() - begin)
            if all(row["id"] != run or row["state"] == "waiting" for row in status["runs"]):
                return await self.run(run)
            assert time.monotonic() < end, f"{run} did not settle: {status['runs']}; {self.log()}"
            await asyncio.sleep(0.02)

    async def discard(self, run: str) -> None:
        with contextlib.suppress(Exception):
            await self.peer.request("devloop/decide", {"run": run, "decision": "discard", "message": None})

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
async def served(root: Path) -> AsyncIterator[Served]:
    found = Served(root)
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
