"""The engine's methods, as the daemon calls them. Each does its work elsewhere; here is what there is and when."""

from __future__ import annotations

import asyncio
import inspect
import os
from pathlib import Path
from typing import Any

from devloop import sandbox
from devloop.engine import admitting, answers, deciding_one, deciding_together, landing
from devloop.engine.coming_up import compose, launch, warm_up
from devloop.engine.context import Context
from devloop.engine.current import Current
from devloop.engine.ending import end
from devloop.engine.waking import send_decision
from devloop.engine.watchdog import NO_ROOM, Watchdog
from devloop.errors import DevloopError, Refused, Unavailable
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.rpc import Handler, Peer
from devloop.runs import money
from devloop.runs.services import Services
from devloop.runs.spec import TaskSpec
from devloop.store import storage_problem

Params = dict[str, Any]


def _telling(handler: Handler) -> Handler:
    """The same method; a full or read-only disk is told as what it is."""

    async def told(params: Params) -> Any:
        try:
            return await handler(params)
        except DevloopError:
            raise
        except Exception as problem:
            known = storage_problem(problem)
            if known is None:
                raise
            raise known from problem

    return told


class EngineServer:
    def __init__(self, root: Path, state: StateDir, peer: Peer, redactor: Redactor) -> None:
        self._root, self._state, self._peer, self._redactor = root, state, peer, redactor
        self._current = Current(root, redactor)
        self._context: Context | None = None
        self._up = asyncio.Lock()
        self._watchdog: Watchdog | None = None

    def handlers(self) -> dict[str, Handler]:
        return {name: _telling(handler) for name, handler in self._methods().items()}

    def _methods(self) -> dict[str, Handler]:
        return {
            "engine/environment": self.environment,
            "engine/start": self.start,
            "engine/admit": self.admit,
            "engine/decide": self.decide,
            "engine/cancel": self.cancel,
            "engine/status": self.status,
            "engine/runs": self._answer(answers.runs),
            "engine/show": self._answer(answers.show),
            "engine/events": self._answer(answers.events),
            "engine/transcript": self._answer(answers.transcript),
            "engine/diff": self._answer(answers.diff),
            "engine/content": self._answer(answers.content),
            "engine/conversation": self._answer(answers.conversation),
            "engine/skills": self._answer(answers.skills),
            "engine/hooks": self._answer(answers.hooks),
            "engine/stats": self._answer(answers.stats),
            "engine/land": self.land,
            "engine/budget": self.budget,
            "engine/stop": self.stop,
        }

    def _answer(self, function: Any) -> Handler:
        async def handler(params: Params) -> Any:
            answer = function(self._services, params)
            return await answer if inspect.isawaitable(answer) else answer

        return handler

    @property
    def _ready(self) -> Context:
        if self._context is None:
            raise Unavailable("The engine is still starting.", hint="Try again in a moment.")
        return self._context

    @property
    def _services(self) -> Services:
        return self._ready.services

    async def environment(self, params: Params) -> Params:
        """What the person's clients brought along. The first call brings the engine up; later ones change settings."""
        async with self._up:
            self._current.take({str(name): str(value) for name, value in params.get("variables", {}).items()})
            if self._context is None:
                await self._come_up()
            else:
                await self._renew()
        return {"pid": os.getpid()}

    async def _come_up(self) -> None:
        current = self._current
        settings = await current.settings()
        self._context = await compose(self._root, self._state, self._peer, self._redactor, current, settings)
        self._watchdog = await launch(self._context)
        self._preload = asyncio.create_task(warm_up(self._context, current))

    async def _renew(self) -> None:
        """Settings and key as they are by now."""
        self._current.use(self._ready, await self._current.settings())

    async def start(self, params: Params) -> Params:
        """See `admitting.start`."""
        ctx = self._ready
        await self._renew()
        return await admitting.start(ctx, params)

    async def decide(self, params: Params) -> Params:
        """Answer a checkpoint. The first answer counts. `group`: those of all its tasks, in order."""
        if params.get("group"):
            return await deciding_together.decide(self._services, params, self.decide)
        answer, message = await deciding_one.record(self._services, params)
        await self._renew()  # what a person mended meanwhile, as a key, counts from here
        await send_decision(answer["run"], answer["checkpoint"], answer["decision"], message, answer["leave_out"])
        return answer

    async def admit(self, params: Params) -> Params:
        """Raises what would speak against a run of this task now."""
        ctx = self._ready
        await self._renew()
        await admitting.may_start(ctx.services, TaskSpec.model_validate(params["task"]), params.get("decide"))
        return {}

    async def land(self, params: Params) -> Params:
        """See `landing.land`."""
        ctx = self._ready
        await self._renew()
        return await landing.land(ctx, lambda: admitting.may_work(ctx.services))

    async def cancel(self, params: Params) -> Params:
        """Stop a run at once, wherever it is. Its work stays reachable for 30 days."""
        row = answers.find(self._services, str(params.get("run")))
        if row["state"] == "ended":
            raise Refused(f"{row['id']} has ended already: {row['outcome']}.")
        await end(self._ready, row)
        return {"run": row["id"], "state": "cancelling"}

    async def status(self, params: Params) -> Params:
        services = self._services
        detected = await services.sandbox()
        rows = services.store.find_runs(open_only=True)
        model = services.settings.model
        key = await self._current.has_key(model.base_url)
        return {
            "pid": os.getpid(),
            "state": "ready",
            "sandbox": sandbox.report(detected, require=services.settings.sandbox.require),
            "model": {"name": model.name, "scripted": model.scenario is not None, "key": key},
            "runs": [self._open_run(row) for row in reversed(rows)],
            "budget": money.overview(services),
        }

    def _open_run(self, row: dict[str, Any]) -> Params:
        starved = {"waiting_for": NO_ROOM} if row["id"] in self._ready.no_room else {}
        return {**answers.summary(self._services, row), **starved}

    async def budget(self, params: Params) -> Params:
        return money.overview(self._services)

    async def stop(self, params: Params) -> Params:
        """The daemon ends: nothing to do but to say so; runs go on with the next engine."""
        return {"stopping": True}
