"""The daemon's engine: started when first needed, started again when it dies, asked by everybody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from devloop.engine import EngineClient
from devloop.errors import DevloopError, Unavailable
from devloop.rpc import Handler

log = logging.getLogger(__name__)

EngineFactory = Callable[[Mapping[str, str], Mapping[str, Handler]], Awaitable[EngineClient]]
"""Starts an engine with the clients' variables and the handlers of what the engine asks; answers when it is up."""

State = Literal["stopped", "starting", "running", "failed"]

MAX_DEATHS = 5
WINDOW_S = 600.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STILL_THERE = {
    f"engine/{name}" for name in ("runs", "show", "diff", "transcript", "events", "budget", "skills", "stats", "status")
}
"""Questions without an effect: asked again when the engine dies over them."""


class EngineLink:
    """`state` is what the status shows; `problem` says why there is no engine, when that has a reason."""

    def __init__(
        self,
        factory: EngineFactory,
        handlers: Mapping[str, Handler],
        *,
        log_hint: str = "",
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self.state: State = "stopped"
        self.problem = ""
        self.came_up: Callable[[], None] = _nothing
        """Called each time an engine is up."""
        self.went_down: Callable[[], None] = _nothing
        """Called each time an engine has ended without being asked to."""
        self._factory, self._handlers = factory, handlers
        self._log_hint, self._first_pause_s = log_hint, first_pause_s
        self._variables: dict[str, str] = {}
        self._client: EngineClient | None = None
        self._starting: asyncio.Task[EngineClient] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._deaths: deque[float] = deque()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._client.pid if self._client is not None else None

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask the engine, starting it when necessary. Raises what it answers, or `Unavailable`."""
        client = await self.ensure()
        try:
            return await client.request(method, params)
        except Unavailable:
            with contextlib.suppress(TimeoutError):  # its connection is gone a moment before it is
                async with asyncio.timeout(2):
                    await client.exited.wait()
            if method not in STILL_THERE or not client.exited.is_set():
                raise
        return await (await self.ensure()).request(method, params)

    async def ensure(self) -> EngineClient:
        """The running engine. Whoever gives up waiting does not stop the start that others wait for."""
        if self._stopping:
            raise Unavailable("The daemon is stopping.")
        if self._client is not None and not self._client.exited.is_set():
            return self._client
        if self.state == "failed" and self._too_many():
            raise Unavailable(self.problem, hint=self._hint())
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_retrieve)
        return await asyncio.shield(self._starting)

    async def set_variables(self, variables: Mapping[str, str]) -> None:
        """Tell the engine, now or when it starts, what the clients brought along; "" takes a variable back."""
        self._variables = dict(variables)
        if self._client is not None and not self._client.exited.is_set():
            await self._client.request("engine/environment", {"variables": self._variables})

    async def stop(self) -> None:
        """End the engine; its runs go on with the next one."""
        self._stopping = True
        for task in (self._watching, self._starting):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(DevloopError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.request("engine/stop")
            await client.stop()
        self.state = "stopped"

    async def _start(self) -> EngineClient:
        self.state = "starting"
        sent = dict(self._variables)
        try:
            client = await self._factory(sent, self._handlers)
        except Unavailable as problem:
            self._died(problem.message)
            raise
        except DevloopError as problem:  # it can't work here at all; no use in trying again by ourselves
            self.state, self.problem = "stopped", problem.message
            raise
        except BaseException:
            self.state = "stopped"
            raise
        self._client, self.state, self.problem = client, "running", ""
        log.info("the engine is up, pid %d", client.pid)
        self._watching = asyncio.create_task(self._watch(client))
        self.came_up()
        if sent != self._variables:
            await self.set_variables(self._variables)
        return client

    async def _watch(self, client: EngineClient) -> None:
        """Wait for the engine's death; then try to have another one, more and more slowly."""
        await client.exited.wait()
        self._client = None
        self._died("The engine ended without being asked to.")
        self.went_down()
        while self.state != "failed":
            await asyncio.sleep(self._pause())
            try:
                await self.ensure()
            except Unavailable:
                continue
            except DevloopError as problem:
                log.warning("the engine can't be started again: %s", problem.message)
            return

    def _died(self, why: str) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        log.warning("engine: %s", why)
        self.state, self.problem = "stopped", why
        if self._too_many():
            self.state = "failed"
            self.problem = f"The engine ended {len(self._deaths)} times in {WINDOW_S / 60:.0f} minutes: {why}"

    def _too_many(self) -> bool:
        while self._deaths and time.monotonic() - self._deaths[0] > WINDOW_S:
            self._deaths.popleft()
        return len(self._deaths) > MAX_DEATHS

    def _pause(self) -> float:
        return float(min(self._first_pause_s * 2 ** (len(self._deaths) - 1), LONGEST_PAUSE_S))

    def _hint(self) -> str:
        return " ".join(
            filter(
                None, (self._log_hint, "`devloop stop` and the next command start afresh; runs go on where they were.")
            )
        )


def _nothing() -> None:
    """Nobody wants to know."""


def _retrieve(task: asyncio.Task[EngineClient]) -> None:
    """Nobody may be waiting any more: then the failure is in the log, and that is enough."""
    if not task.cancelled():
        task.exception()
