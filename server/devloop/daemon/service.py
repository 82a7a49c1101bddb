"""The methods that every front-end calls (ARCHITECTURE.md, "Terminal and other clients → daemon")."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop import keys
from devloop import plan as plans
from devloop.daemon import plan_view
from devloop.daemon.board import Board
from devloop.daemon.documents import Documents
from devloop.daemon.engine_link import EngineLink
from devloop.daemon.environment import ClientEnvironment
from devloop.daemon.fanout import Fanout
from devloop.daemon.findings_service import FindingsService
from devloop.daemon.listeners import Listeners
from devloop.daemon.plan_changes import PlanChanges
from devloop.daemon.plan_files import PlanFiles
from devloop.daemon.plan_news import PlanNews
from devloop.daemon.sessions import Session, Sessions
from devloop.daemon.tasks import Tasks
from devloop.daemon.trusting import Trusting
from devloop.errors import DevloopError, Refused, Unavailable, UsageError
from devloop.hello import HELLO
from devloop.lists import some
from devloop.paths import StateDir, settings_file
from devloop.redact import one_line
from devloop.rpc import Handler

# An idle daemon holds only what it needs to listen and to tell what the plan says (`tests/daemon` has the list of what
# it must not hold): what single methods need is imported by them.
if TYPE_CHECKING:
    from devloop import settings
    from devloop.daemon.errands import Errands

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Answer = dict[str, Any]

BUSY_STATES = {"queued", "preparing", "working", "checking", "landing"}
"""States in which a run works by itself; `waiting` is durable and needs no daemon."""
ENVIRONMENT_TIMEOUT_S = 5.0
PASSED_ON = (
    *("decide", "cancel", "runs", "show", "diff", "content", "conversation", "transcript", "events", "budget"),
    *("skills", "land"),
)
"""Methods that the engine answers as it is asked."""


class Service:
    def __init__(
        self,
        root: Path,
        state: StateDir,
        *,
        version: str,
        documents: Documents,
        engine: EngineLink,
        fanout: Fanout,
        environment: ClientEnvironment,
        errands: Callable[[], Errands],
        stop: Callable[[], None],
    ) -> None:
        self.root, self.state, self.version = root, state, version
        self.documents, self.engine, self.fanout, self.environment = documents, engine, fanout, environment
        self.sessions = Sessions(self.handlers, self._left)
        self._tasks = Tasks(documents, engine, state)
        self._errands, self._stop = errands, stop
        self._began = time.monotonic()
        self.board = Board(lambda method, asked: self._pass_on(method.removeprefix("engine/"), asked))
        engine.came_up, engine.went_down = self._engine_up, self.board.engine_down
        self.findings = FindingsService(state, root, self.board, self._pass_on, errands)
        self.news = PlanNews(documents, fanout)
        self._changes = PlanChanges(documents, self.board, self.news.changed)
        self._plans = PlanFiles(root, documents, self.board, self.news, engine.request)
        self._trust = Trusting(root, state, documents)
        self.key_news = Listeners()
        """Told when a person signed in or out, wherever they did."""
        self._reading: asyncio.Task[None] | None = None
        self.actions = self._actions()

    def _actions(self) -> dict[str, Handler]:
        """The methods that are the same for every client; front-ends in this process call them through `call`."""
        passed_on = {f"devloop/{name}": functools.partial(self._pass_on, name) for name in PASSED_ON}
        return {
            **passed_on,
            "devloop/status": self.status,
            "devloop/stats": self.stats,
            "devloop/plan": self.plan,
            "devloop/mark": self._changes.mark,
            "devloop/move": self._changes.move,
            "devloop/depends": self._changes.depends,
            "devloop/library": self.library,
            "devloop/hooks": self.hooks,
            "devloop/hooks/run": self.try_hooks,
            "devloop/run": self._tasks.run,
            "devloop/continue": self._tasks.proceed,
            "devloop/errand": self.errand,
            "devloop/start": self._plans.begin_workflow,
            "devloop/findings": self.findings.list,
            "devloop/findings/dismiss": self.findings.dismiss,
            "devloop/findings/clear": self.findings.clear,
            "devloop/findings/plan": self.findings.plan,
            "devloop/findings/fix": self.findings.fix,
            "devloop/archive": self._plans.archive,
            "devloop/restore": self._plans.restore,
            "devloop/templates": self._plans.templates,
            "devloop/init": self._plans.init,
            "devloop/import": self._plans.import_plan,
            "devloop/trust": self._trust.items,
            "devloop/trust/accept": self._trust.accept,
            "devloop/trust/revoke": self._trust.revoke,
            "devloop/doctor": self.doctor,
            "devloop/stop": self.stop,
        }

    def handlers(self, session: Session) -> dict[str, Handler]:
        """The methods of one client."""
        return {
            **self.actions,
            HELLO: functools.partial(self.hello, session),
            "devloop/subscribe": functools.partial(self.subscribe, session),
            "initialize": self._no_language_server,
        }

    async def call(self, method: str, params: Params | None = None) -> Any:
        """Do what a client would ask for by this method. Raises `DevloopError`."""
        return await self.actions[method](dict(params or {}))

    # Connections

    async def hello(self, session: Session, params: Params) -> Answer:
        session.name = one_line(str(params.get("client") or "client"), 60)
        if self.environment.update(params.get("environment")):
            try:
                async with asyncio.timeout(ENVIRONMENT_TIMEOUT_S):
                    await self.engine.set_variables(self.environment.variables)
            except (DevloopError, TimeoutError):
                log.warning("the engine did not take the changed environment")
        explicit = self.documents.explicit
        return {
            "version": self.version,
            "pid": os.getpid(),
            "workspace": str(self.root),
            "clients": len(self.sessions) - 1,
            "working": len(await self.working()),
            "plan": str(explicit) if explicit else None,
        }

    def _left(self, session: Session) -> None:
        self.fanout.unsubscribe(session.peer)

    async def _no_language_server(self, params: Params) -> Answer:
        raise Unavailable(
            "This devloop has no language features yet.", hint="Use the terminal: devloop --help says how."
        )

    async def subscribe(self, session: Session, params: Params) -> Answer:
        after = params.get("after")
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
            raise UsageError("`after` must be the number of an event, or null.")
        known = await self._pass_on("events", {"after": -1, "limit": 1})
        last = int(known["last"])
        self.fanout.subscribe(
            session.peer,
            session.drop,
            after=after,
            last=last,
            fetch=lambda since, limit: self._pass_on("events", {"after": since, "limit": limit}),
        )
        return {"last": last}

    # Events

    def publish(self, event: dict[str, Any]) -> None:
        """An event of the engine."""
        self.board.take(event)
        self.fanout.publish(event)

    def _engine_up(self) -> None:
        self._reading = asyncio.create_task(self.board.load())

    async def working(self) -> list[str]:
        """Ids of the runs that work by themselves now. Does not start the engine."""
        if self.engine.state == "running" and not self.board.current:
            await self.board.load()
        return [view.id for view in self.board.open if view.state in BUSY_STATES]

    # Questions

    async def _pass_on(self, name: str, params: Params) -> Any:
        """Ask the engine; where nothing was ever recorded, answer without starting it."""
        if self.engine.state == "stopped" and not await asyncio.to_thread(self.may_have_records):
            from devloop.daemon import nothing_yet

            return await asyncio.to_thread(nothing_yet.answer, name, params, self._settings)
        return await self.engine.request(f"engine/{name}", params)

    def may_have_records(self) -> bool:
        """Whether an engine could have anything to tell. Most people have no database of their own, and no settings
        that would have to be read to know it."""
        if self.state.records_db.exists():
            return True
        may_be_set = self.environment.variables.get("DEVLOOP_DATABASE_URL") or settings_file().exists()
        return bool(may_be_set and self._settings().database_url)

    def _settings(self) -> settings.Settings:
        from devloop import settings

        return settings.load(self.root, self.environment.variables)

    async def status(self, params: Params) -> Answer:
        engine: Answer = {}
        problem = self.engine.problem
        if self.engine.state != "stopped" or await asyncio.to_thread(self.may_have_records):
            try:
                engine = await self.engine.request("engine/status")
            except DevloopError as refused:
                problem = f"{refused.message} {refused.hint}".strip()
        if not engine:
            engine = await self._without_engine()
        runs = [run for run in engine["runs"] if run["state"] != "ended"]
        return {
            "daemon": {
                "pid": os.getpid(),
                "version": self.version,
                "uptime_s": round(time.monotonic() - self._began, 1),
            },
            "engine": {"pid": self.engine.pid, "state": self.engine.state, "problem": problem or None},
            "sandbox": engine["sandbox"],
            "model": engine["model"],
            "runs": runs,
            "plan": await asyncio.to_thread(self._plan_status),
            "budget": engine["budget"],
        }

    async def stats(self, params: Params) -> Answer:
        from devloop.daemon import statistics

        return await statistics.stats(lambda asked: self._pass_on("stats", asked), self.root, self.state, params)

    async def plan(self, params: Params) -> Answer:
        return await plan_view.plan_view(self.documents, self.board)

    async def errand(self, params: Params) -> Answer:
        return await self._errands().start(params)

    async def library(self, params: Params) -> Answer:
        from devloop.daemon import library

        named = params.get("task")
        if not isinstance(named, str | None):
            raise UsageError("`task` must be the name of a task, or null.")
        plan, task = None, None
        if named is not None:
            _, plan = await asyncio.to_thread(self.documents.plan)
            task = plans.find_task(plan, named)
        return await asyncio.to_thread(library.library, self.root, plan, task)

    async def hooks(self, params: Params) -> Answer:
        from devloop.daemon import hook_list

        known = await self._pass_on("hooks", {})
        return await asyncio.to_thread(hook_list.listed, self.root, self.state, known["results"])

    async def try_hooks(self, params: Params) -> Answer:
        from devloop.daemon import hook_trial

        settled = await asyncio.to_thread(self._settings)
        return await hook_trial.trial(self.root, self.state, settled, self.environment.variables, params)

    async def sandbox(self) -> Answer:
        """Its state by the settings as they are now, tried in this process."""
        from devloop.daemon import doctor

        return await doctor.sandbox_state(await asyncio.to_thread(self._settings))

    async def _without_engine(self) -> Answer:
        from devloop.daemon import doctor, nothing_yet

        settled = await asyncio.to_thread(self._settings)
        stored = await asyncio.to_thread(keys.stored, settled.model.base_url)
        return {
            "sandbox": await doctor.sandbox_state(settled),
            "model": {
                "name": settled.model.name,
                "scripted": settled.model.scenario is not None,
                "key": bool(settled.model.api_key) or stored,
            },
            "runs": [],
            "budget": nothing_yet.answer("budget", {}, lambda: settled),
        }

    def _plan_status(self) -> Answer:
        try:
            found, plan = self.documents.plan()
        except DevloopError as problem:
            return {"path": None, "problem": f"{problem.message} {problem.hint}".strip()}
        return {"path": found.relative, "problem": None, **plans.show(plan)["stats"]}

    # Doctor, stop

    async def doctor(self, params: Params) -> Answer:
        from devloop.daemon import doctor

        settled = await asyncio.to_thread(self._settings)
        checks = await doctor.checks(self.root, self.state, settled, self.documents)
        return {"checks": [check.to_json() for check in checks]}

    async def stop(self, params: Params) -> Answer:
        working = await self.working()
        if working and not params.get("force"):
            are = "s are" if len(working) > 1 else " is"
            raise Refused(
                f"{len(working)} run{are} working: {some(sorted(working), 5)}.",
                hint="Wait, `devloop cancel RUN`, or `devloop stop --force`: it goes on later where it was.",
                runs=working,
            )
        self._stop()
        return {"stopped": True, "runs": working}
