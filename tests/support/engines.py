"""A real engine process, with the test in the daemon's place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from devloop import trust
from devloop.engine import EngineClient
from devloop.paths import StateDir

Event = dict[str, Any]
Port = Callable[[dict[str, Any]], Any]


class Engine:
    """`events` collects what the engine told; `plan` collects the changes of the plan it asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = StateDir.of(root).make()
        self.events: list[Event] = []
        self.plan: list[dict[str, Any]] = []
        self.following: list[dict[str, Any]] = []
        """Tasks that `plan/next` hands out, in order."""
        self.handed_off: list[dict[str, Any]] = []
        self.client: EngineClient | None = None
        self._news = asyncio.Condition()

    async def up(self, variables: Mapping[str, str]) -> None:
        handlers = {
            "plan/apply": self._apply,
            "plan/next": self._next,
            "handoff/write": self._hand_off,
            "engine/event": self._event,
        }
        self.client = await EngineClient.start(self.root, self.state, environment=variables, handlers=handlers)

    async def ask(self, method: str, **params: Any) -> Any:
        assert self.client is not None
        return await self.client.request(f"engine/{method}", params)

    async def run(self, task: str = "1.1", title: str = "Do it", **loop: Any) -> str:
        """Start a run; `loop` may hold limit and decide; other task fields go through `task_fields`."""
        fields = loop.pop("task_fields", {})
        started = await self.ask("start", task={"id": task, "title": title, **fields}, plan={}, loop=loop)
        return str(started["run"])

    async def until(self, kind: str, run: str | None = None, *, count: int = 1, timeout: float = 60) -> Event:
        """Wait for the `count`-th event of a kind (of a run) and answer it."""

        def found() -> list[Event]:
            return [e for e in self.events if e["kind"] == kind and run in (None, e["run"])]

        try:
            async with asyncio.timeout(timeout), self._news:
                await self._news.wait_for(lambda: len(found()) >= count)
        except TimeoutError:
            told = [(e["kind"], e["data"]) for e in self.events[-12:]]
            raise AssertionError(f"no {kind} of {run} in {timeout} s; last: {told}; {self.log()}") from None
        return found()[count - 1]

    def log(self) -> str:
        return (self.state.logs / "engine.log").read_text()[-3000:]

    async def _event(self, event: Event) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    async def _apply(self, params: dict[str, Any]) -> dict[str, Any]:
        self.plan.append(params["event"])
        path = self.root / ".devloop" / "plan.md"
        return {"path": ".devloop/plan.md", "text": path.read_text() if path.exists() else "", "changed": True}

    async def _next(self, params: dict[str, Any]) -> dict[str, Any]:
        task = self.following.pop(0) if self.following else None
        return {"state": "found" if task else "all_complete", "task": task}

    async def _hand_off(self, content: dict[str, Any]) -> dict[str, Any]:
        self.handed_off.append(content)
        return {"path": ".devloop/next-action.json"}


def trust_everything(root: Path) -> None:
    store = StateDir.of(root).make().trust_file
    trust.accept(root, store, [(s.item.key, s.item.sha256) for s in trust.state(root, store)])


@contextlib.asynccontextmanager
async def engine(root: Path, variables: Mapping[str, str]) -> AsyncIterator[Engine]:
    """An engine for `root` that is up; killed at the end."""
    held = Engine(root)
    await held.up(variables)
    try:
        yield held
    finally:
        if held.client is not None:
            await held.client.stop()
