"""How the engine comes up: records, git, DBOS, then every open run goes on; what the first run needs is made ready."""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

from devloop import models, sandbox, skills
from devloop.engine.cancelling import Cancelling
from devloop.engine.context import Context, set_context
from devloop.engine.current import Current
from devloop.engine.database import configuration, forbid_pickle
from devloop.engine.ports import DaemonPlan, EventLog
from devloop.engine.recoveries import Recoveries
from devloop.engine.slots import Slots
from devloop.engine.watchdog import Watchdog
from devloop.errors import DevloopError
from devloop.models import listing
from devloop.paths import StateDir, workspace_key
from devloop.redact import Redactor
from devloop.rpc import Peer
from devloop.runs.services import Services
from devloop.settings import Settings
from devloop.store import Store, record_url
from devloop.workspace import Repository, Workspace

log = logging.getLogger(__name__)


async def compose(
    root: Path, state: StateDir, peer: Peer, redactor: Redactor, current: Current, settings: Settings
) -> Context:
    """What runs and requests work with. Nothing runs yet."""
    store = Store.open(record_url(state, settings.database_url), workspace_key(root))
    store.release()  # what turns of an engine that is gone held: each is asked for anew, and who waits needs it
    workspace = Workspace(await Repository.discover(root), state)
    await workspace.open()
    services = Services(
        root=root,
        state=state,
        settings=settings,
        workspace=workspace,
        store=store,
        events=EventLog(store, peer, redactor),
        plan=DaemonPlan(peer),
        redactor=redactor,
        sandbox=lambda: sandbox.detected(services.settings.sandbox),
        model_for=lambda _: current.model(services.settings),
        virtual_env=current.virtual_env,
        prices=models.prices_from(settings.prices),
    )
    return Context(services, Slots(settings.loop.max_parallel), Cancelling(store), Recoveries(store, state))


async def launch(ctx: Context) -> Watchdog:
    """From here every open run goes on."""
    from dbos import DBOS

    from devloop.engine.workflow import start

    services = ctx.services
    set_context(ctx)
    await asyncio.to_thread(_remove_reports, services.state)
    forbid_pickle()
    DBOS(config=configuration(services.state, services.settings.database_url))  # type: ignore[arg-type]
    watchdog = Watchdog(ctx, start)
    await watchdog.beat()
    DBOS.launch()
    await watchdog.begin()
    return watchdog


def _remove_reports(state: StateDir) -> None:
    """Report folders of gates that an earlier engine was killed in; this one has begun none yet."""
    for folder in state.reports.iterdir():
        shutil.rmtree(folder, ignore_errors=True)


async def warm_up(ctx: Context, current: Current) -> None:
    """What the first run would wait for otherwise: the sandbox's canary and the model library's import."""
    services = ctx.services
    await services.sandbox()
    await services.workspace.sweep(datetime.now(UTC))
    await asyncio.to_thread(skills.shipped_skills)
    model = services.settings.model
    if (model.api_key or model.base_url) and model.scenario is None:
        await asyncio.to_thread(models.preload)
        await _read_limits(ctx, current)


async def _read_limits(ctx: Context, current: Current) -> None:
    """Limits as the model's server lists them. Without its list, the dated table counts."""
    services = ctx.services
    try:
        model = current.model(services.settings)
        if isinstance(model, models.AnthropicModel):
            services.listed = await listing.limits(model, services.state.path / "models.json")
            current.use(ctx, services.settings)
    except (DevloopError, models.ModelFailure) as problem:
        log.info("the list of models could not be read: %s", problem)
