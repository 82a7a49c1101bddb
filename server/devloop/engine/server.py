"""The engine's methods, and how it comes up: settings, records, git, DBOS, then every open run goes on."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devloop import keys, models, sandbox, skills, trust
from devloop.engine import answers, deciding_together
from devloop.engine.cancelling import Cancelling
from devloop.engine.context import Context, set_context
from devloop.engine.database import configuration, forbid_pickle
from devloop.engine.ending import end
from devloop.engine.following import as_group, together
from devloop.engine.ports import DaemonPlan, EventLog
from devloop.engine.recoveries import Recoveries
from devloop.engine.slots import Slots
from devloop.engine.starting import new_loop, open_run_of, record_run, record_runs
from devloop.engine.watchdog import NO_ROOM, Watchdog
from devloop.errors import DevloopError, NoModel, Refused, RepositoryUnfit, Unavailable, UsageError
from devloop.models import listing
from devloop.paths import StateDir, workspace_key
from devloop.redact import Redactor
from devloop.rpc import Handler, Peer
from devloop.runs import acceptance, leaks, leaving_out, money
from devloop.runs.appointing import appoint
from devloop.runs.prepare import TRUSTED_KINDS
from devloop.runs.services import Services
from devloop.runs.spec import DECISIONS, PlanSpec, RunSpec, TaskSpec
from devloop.runs.tooling import no_sandbox
from devloop.settings import Settings, load
from devloop.store import Store, record_url, storage_problem
from devloop.workspace import Repository, Workspace

log = logging.getLogger(__name__)

Params = dict[str, Any]
NO_KEY = "Store one with `devloop login`, or set ANTHROPIC_API_KEY; `devloop demo` works without one."


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


def _remove_reports(state: StateDir) -> None:
    """Report folders of gates that an earlier engine was killed in; this one has begun none yet."""
    for folder in state.reports.iterdir():
        shutil.rmtree(folder, ignore_errors=True)


class EngineServer:
    def __init__(self, root: Path, state: StateDir, peer: Peer, redactor: Redactor) -> None:
        self._root, self._state, self._peer, self._redactor = root, state, peer, redactor
        self._variables: dict[str, str] = {}
        self._no_key = NO_KEY
        self._key_is_set = False
        """Whether a setting has the key, so that it does not matter what is stored."""
        self._context: Context | None = None
        self._models: dict[tuple[str | None, ...], models.Model] = {}
        self._up = asyncio.Lock()
        self._watchdog: Watchdog | None = None

    def handlers(self) -> dict[str, Handler]:
        return {name: _telling(handler) for name, handler in self._methods().items()}

    def _methods(self) -> dict[str, Handler]:
        return {
            "engine/environment": self.environment,
            "engine/start": self.start,
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
            "engine/land": self._answer(lambda services, _: acceptance.land_rest(services)),
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

    # Coming up

    async def environment(self, params: Params) -> Params:
        """What the person's clients brought along. The first call brings the engine up; later ones change settings."""
        variables = {str(name): str(value) for name, value in params.get("variables", {}).items()}
        async with self._up:
            self._variables.update(variables)
            for name, value in variables.items():
                if name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
                    self._redactor.add(name, value)
            settings = await self._settings()
            if self._context is None:
                await self._come_up(settings)
            else:
                self._use(settings)
        return {"pid": os.getpid()}

    async def _settings(self) -> Settings:
        """What counts now. Where no setting has a key, the one that `devloop login` stored does."""
        settings = load(self._root, self._variables)
        self._no_key, self._key_is_set = NO_KEY, bool(settings.model.api_key)
        try:
            stored = await asyncio.to_thread(keys.find, settings.model.base_url)
        except DevloopError as problem:
            stored, self._no_key = None, problem.sentences
        for key in (settings.model.api_key, stored.key if stored else None):
            if key:
                self._redactor.add("api-key", key)
        if stored is not None and not settings.model.api_key:
            model = settings.model.model_copy(update={"api_key": stored.key})
            settings = settings.model_copy(update={"model": model})
        for warning in settings.warnings:
            log.warning("%s", warning)
        return settings

    def _use(self, settings: Settings) -> None:
        """What runs and requests from now on go by."""
        services = self._services
        services.prices = {**models.prices_of(services.listed.values()), **models.prices_from(settings.prices)}
        services.settings = settings
        services.virtual_env = self._virtual_env()
        self._ready.slots.resize(settings.loop.max_parallel)

    def _virtual_env(self) -> Path | None:
        value = self._variables.get("VIRTUAL_ENV")
        return Path(value) if value else None

    async def _come_up(self, settings: Settings) -> None:
        from dbos import DBOS

        import devloop.engine.workflow as workflow

        store = Store.open(record_url(self._state, settings.database_url), workspace_key(self._root))
        store.release()  # what turns of an engine that is gone held: each is asked for anew, and who waits needs it
        workspace = Workspace(await Repository.discover(self._root), self._state)
        await workspace.open()
        services = Services(
            root=self._root,
            state=self._state,
            settings=settings,
            workspace=workspace,
            store=store,
            events=EventLog(store, self._peer, self._redactor),
            plan=DaemonPlan(self._peer),
            redactor=self._redactor,
            sandbox=self._detect,
            model_for=self._model_for,
            virtual_env=self._virtual_env(),
            prices=models.prices_from(settings.prices),
        )
        self._context = Context(
            services, Slots(settings.loop.max_parallel), Cancelling(store), Recoveries(store, self._state)
        )
        set_context(self._context)
        await asyncio.to_thread(_remove_reports, self._state)
        forbid_pickle()
        DBOS(config=configuration(self._state, settings.database_url))  # type: ignore[arg-type]
        self._watchdog = Watchdog(self._context, workflow.start, workflow.workflow_id)
        await self._watchdog.beat()
        DBOS.launch()
        await self._watchdog.begin()
        self._preload = asyncio.create_task(self._warm_up())

    async def _warm_up(self) -> None:
        """What the first run would wait for otherwise: the sandbox's canary and the model library's import."""
        await self._detect()
        await self._services.workspace.sweep(datetime.now(UTC))
        await asyncio.to_thread(skills.shipped_skills)
        model = self._services.settings.model
        if (model.api_key or model.base_url) and model.scenario is None:
            await asyncio.to_thread(models.preload)
            await self._read_limits()

    async def _read_limits(self) -> None:
        """Limits as the model's server lists them. Without its list, the dated table counts."""
        try:
            model = self._model_for(RunSpec.model_construct())
            if isinstance(model, models.AnthropicModel):
                self._services.listed = await listing.limits(model, self._state.path / "models.json")
                self._use(self._services.settings)
        except (DevloopError, models.ModelFailure) as problem:
            log.info("the list of models could not be read: %s", problem)

    async def _detect(self) -> sandbox.Detection:
        return await sandbox.detected(self._services.settings.sandbox)

    def _model_for(self, spec: RunSpec) -> models.Model:
        """The model that answers this run: the scripted player where a scenario is set, else the real service."""
        wanted = self._services.settings.model
        key = (str(wanted.scenario) if wanted.scenario else None, wanted.api_key, wanted.base_url)
        if key not in self._models:
            if wanted.scenario is not None:
                self._models[key] = models.ScriptedModel(wanted.scenario)
            elif wanted.api_key or wanted.base_url:
                self._models[key] = models.AnthropicModel(wanted.api_key, wanted.base_url)
            else:
                raise NoModel("There is no key for the model.", hint=self._no_key)
        return self._models[key]

    # Methods

    async def start(self, params: Params) -> Params:
        """Begin a run of a task, or attach to the one that has it in hand. `beside`: tasks of its group that begin with
        it, as one loop."""
        from devloop.engine.workflow import start

        services = self._services
        self._use(await self._settings())
        task = TaskSpec.model_validate(params["task"])
        async with self._ready.starting:
            known = open_run_of(services, task)
            if known is not None:
                found = {name: known[name] for name in ("attempt", "state", "title")}
                return {"run": known["id"], **found, "attached": True}
            wanted = params.get("loop") or {}
            loop = new_loop(services, wanted)
            beside = [TaskSpec.model_validate(each) for each in params.get("beside") or ()]
            tasks = together(services, loop, [task, *(each for each in beside if open_run_of(services, each) is None)])
            for each in tasks:
                await self._may_start(each, loop.decide)
            plan = PlanSpec.model_validate(params.get("plan") or {})
            if len(tasks) > 1:
                group = as_group(loop, len(tasks), str(params["task"].get("group") or ""))
                rows = record_runs(services, tasks, plan, group)
            else:
                rows = [record_run(services, task, plan, loop)]
        for row in rows:
            await start(row["id"])
        row = rows[0]
        choice = services.spec(row["id"]).choice
        found = {"run": row["id"], "attempt": row["attempt"], "state": row["state"], "attached": False}
        return {**found, "choice": choice, "runs": [each["id"] for each in rows]}

    async def _may_start(self, task: TaskSpec, decide: str | None) -> None:
        """Say no before anything is recorded, with what to do about it."""
        services = self._services
        shut = [place for place in services.workspace.repository.places if not os.access(place, os.W_OK)]
        if shut:
            raise RepositoryUnfit(
                f"{shut[0]} can't be written, so no work could be kept.",
                hint="Check that it is yours and that its file system is writable.",
            )
        trust.require(self._root, self._state.trust_file, TRUSTED_KINDS)
        detected = await self._detect()
        require = services.settings.sandbox.require
        if sandbox.refused(detected.state, require=require, unattended=bool(decide)):
            raise no_sandbox(detected, unattended=bool(decide))
        appointed = await asyncio.to_thread(appoint, services, task, unattended=decide is not None)
        spec = RunSpec.model_construct(task=task, model=appointed.model)
        self._model_for(spec)
        if not services.settings.model.scenario:
            refusal = money.refusal(services, spec.model)
            if refusal:
                raise Refused(
                    refusal, hint="Set a cap in tokens instead, or a price for the model in your config.toml."
                )

    async def decide(self, params: Params) -> Params:
        """Answer a checkpoint. The first answer counts. `group`: those of all its tasks, in order."""
        if params.get("group"):
            return await deciding_together.decide(self._services, params, self.decide)
        row = answers.find(self._services, str(params.get("run")))
        decision, message = str(params.get("decision")), self._redactor.text(str(params.get("message") or ""))
        number = row["checkpoint"]
        if row["state"] != "waiting" or number is None:
            raise Refused(
                f"{row['id']} does not wait for a decision; it is {row['outcome'] or row['state']}.",
                hint=f"What it did: devloop show {row['id']}. What waits for you: devloop status.",
            )
        if params.get("checkpoint") not in (None, number):
            raise Refused(f"That checkpoint is answered already; {row['id']} now waits at checkpoint {number}.")
        checkpoint = self._services.store.checkpoint(row["id"], number)
        assert checkpoint is not None
        offered = checkpoint["content"]["decisions"]
        if decision not in offered:
            known = f"{decision!r} is not possible here" if decision in DECISIONS else f"{decision!r} is no decision"
            raise UsageError(f"{known}.", hint=f"Choose one of: {', '.join(offered)}.")
        if decision == "answer" and not message.strip():
            raise UsageError("An answer needs words.", hint='Add --message "…".')
        kind, wanted = checkpoint["content"]["kind"], params.get("leave_out")
        paths = await leaving_out.checked(self._services, row, kind, decision, wanted)
        if params.get("not_secret"):
            await asyncio.to_thread(leaks.accept, self._services, row, params["not_secret"])
        if not self._services.store.decide_checkpoint(row["id"], number, decision, message, paths):
            raise Refused(f"Checkpoint {number} of {row['id']} is answered already.")
        self._use(await self._settings())  # what a person mended meanwhile, as a key, counts from here
        await self._send(row["id"], number, decision, message, paths)
        return {"run": row["id"], "checkpoint": number, "decision": decision, "leave_out": list(paths)}

    async def _send(self, run: str, number: int, decision: str, message: str, leave_out: Sequence[str] = ()) -> None:
        from devloop.engine.workflow import send_decision

        await send_decision(run, number, decision, message, leave_out)

    async def cancel(self, params: Params) -> Params:
        """Stop a run at once, wherever it is. Its work stays reachable for 30 days."""
        row = answers.find(self._services, str(params.get("run")))
        if row["state"] == "ended":
            raise Refused(f"{row['id']} has ended already: {row['outcome']}.")
        await end(self._ready, row)
        return {"run": row["id"], "state": "cancelling"}

    async def status(self, params: Params) -> Params:
        services = self._services
        detected = await self._detect()
        rows = services.store.find_runs(open_only=True)
        model = services.settings.model
        # What is stored is looked at anew: `devloop login` tells nobody.
        key = self._key_is_set or await asyncio.to_thread(keys.stored, model.base_url)
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


__all__ = ["DevloopError", "EngineServer"]
