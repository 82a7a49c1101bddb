"""The daemon's process: takes the lock, listens, serves until it is told to stop or nobody needs it any more."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop import __version__, children, keys, launch
from devloop.daemon import endpoint
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.engine_link import EngineFactory, EngineLink
from devloop.daemon.environment import ClientEnvironment
from devloop.daemon.fanout import Fanout
from devloop.daemon.glance import Glance
from devloop.daemon.key_watch import KeyWatch
from devloop.daemon.logs import log_to
from devloop.daemon.plan_port import PlanPort
from devloop.daemon.service import Service
from devloop.daemon.sessions import FrontEnd
from devloop.daemon.watch import PlanWatch
from devloop.engine import EngineClient
from devloop.errors import DevloopError
from devloop.files import held_lock
from devloop.paths import StateDir
from devloop.redact import RedactedOutput, Redactor

if TYPE_CHECKING:
    from devloop.daemon.errands import Errands

log = logging.getLogger(__name__)

IDLE_S = 15 * 60.0
"""Without a client and without a working run the daemon ends after so long; `DEVLOOP_IDLE_S` changes it."""
LOOK_S = 2.0
"""How often the daemon looks whether it is needed, and whether it can still be found."""

MakeFactory = Callable[[Path, StateDir], EngineFactory]


MakeFrontEnds = Callable[[Service], Mapping[str, FrontEnd]]


def main(
    argv: list[str] | None = None,
    *,
    make_engine: MakeFactory | None = None,
    make_front_ends: MakeFrontEnds | None = None,
    version: str = __version__,
) -> int:
    """`python -m devloop.serve --root PATH`. Ends with 0 at once when the workspace has a daemon already."""
    parser = argparse.ArgumentParser(prog="devloop.serve", description="Internal: devloop starts this by itself.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument(launch.SECRETS, action="store_true", help="secret variables come by standard input")
    arguments = parser.parse_args(argv)
    root = arguments.root.resolve()
    os.umask(0o077)
    children.collectable()
    keys.close_to_others()
    if arguments.secrets:
        launch.take()
    redactor = Redactor.of_environment()
    if arguments.secrets:  # a process of its own, whose output is the log
        sys.stderr = sys.stdout = RedactedOutput(sys.stderr, redactor)
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        del os.environ[name]
    state = StateDir.of(root).make()
    with held_lock(state.daemon_lock) as lock:
        if lock is None:
            return 0
        log_to(state.logs / "daemon.log", redactor)
        try:
            daemon = Daemon(root, state, redactor, make_engine or _real_engine, version)
            daemon.add_front_ends(make_front_ends)
            asyncio.run(daemon.serve())
        except DevloopError as problem:
            log.error("%s %s", problem.message, problem.hint)
            return 1
        except Exception:
            log.exception("the daemon broke")
            return 1
    return 0


def _real_engine(root: Path, state: StateDir) -> EngineFactory:
    async def start(variables: Any, handlers: Any) -> EngineClient:
        return await EngineClient.start(root, state, environment=variables, handlers=handlers)

    return start


def idle_seconds() -> float:
    with contextlib.suppress(ValueError):
        return max(0.1, float(os.environ.get("DEVLOOP_IDLE_S", "")))
    return IDLE_S


class Daemon:
    """Everything that lives as long as the process, wired together."""

    def __init__(self, root: Path, state: StateDir, redactor: Redactor, make_engine: MakeFactory, version: str) -> None:
        self._state, self._version = state, version
        self._stopping = asyncio.Event()
        explicit = os.environ.get("DEVLOOP_PLAN_PATH")
        self._documents = Documents(
            root, Path(explicit).absolute() if explicit else None, state.path / "plan.lock", state.path / "owed.json"
        )
        self._port = PlanPort(self._documents, state, self._publish, self._plan_written)
        handlers = {
            **self._port.handlers(),
            "errand/accepted": self._errand_accepted,
            "plan/preview": self._plan_preview,
            "plan/propose": self._plan_propose,
        }
        self._engine = EngineLink(
            make_engine(root, state), handlers, log_hint=f"Its log is {state.logs / 'engine.log'}."
        )
        self._fanout = Fanout()
        self._watch = PlanWatch(self._documents, self._plan_seen)
        self._keys = KeyWatch(lambda: self._service.key_news.tell("key"))
        self._service = Service(
            root,
            state,
            version=version,
            documents=self._documents,
            engine=self._engine,
            fanout=self._fanout,
            environment=ClientEnvironment(redactor),
            errands=lambda: self._errands,
            stop=self._stopping.set,
        )
        self._service.news.look = self._watch.look_soon
        self._glance = Glance(state, self._documents, self._service.board)
        self._service.news.told = self._glance.changed

    @functools.cached_property
    def _errands(self) -> Errands:
        from devloop.daemon.errands import Errands, Project  # here: agents, skills and more come with them

        project = Project(self._service.root, self._documents, self._state, self._errand_wrote)
        return Errands(project, self._engine)

    async def _errand_accepted(self, params: dict[str, Any]) -> dict[str, Any]:
        return await self._errands.accepted(params)

    async def _plan_preview(self, params: dict[str, Any]) -> dict[str, Any]:
        return await self._errands.preview(params)

    async def _plan_propose(self, params: dict[str, Any]) -> dict[str, Any]:
        return await self._errands.propose(params)

    def add_front_ends(self, make: MakeFrontEnds | None) -> None:
        """What speaks another protocol on the same socket than the terminal, by the protocol's name."""
        if make is not None:
            self._service.sessions.front_ends.update(make(self._service))

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_unexpected)
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        await asyncio.to_thread(self._documents.restore)
        await self._open_door()
        self._glance.start()
        log.info("devloop %s serves %s, pid %d", self._version, self._service.root.name, os.getpid())
        works = (self._watch.run(), self._keys.run(), self._resume(), self._until_idle())
        tasks = [asyncio.create_task(each) for each in works]
        try:
            await self._stopping.wait()
        finally:
            self._service.sessions.shut()
            endpoint.withdraw(self._state, self._socket)
            self._server.close()
            await self._end(tasks)
            log.info("the daemon ends")

    async def _open_door(self) -> None:
        """Listen, and say where."""
        bound = endpoint.listen(self._state)
        self._socket = Path(bound.getsockname())
        self._server = await asyncio.start_unix_server(self._service.sessions.accept, sock=bound)
        endpoint.announce(self._state, bound, self._version)

    async def _reopen_door(self) -> None:
        """Somebody removed the socket's file: nobody new could come in. Those who are in notice nothing."""
        if endpoint.is_announced(self._state) and not self._socket.exists():
            log.info("the socket's file is gone; listening anew")
            before = self._server
            try:
                await self._open_door()
            except (OSError, DevloopError) as problem:
                log.warning("listening anew failed: %s", problem)
                return
            before.close()

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._fanout.close()
        await self._glance.close()
        await self._service.board.close()
        await self._service.sessions.close()
        await self._engine.stop()

    async def _resume(self) -> None:
        """Runs that were open go on as soon as there is a daemon, not only when somebody asks."""
        if await asyncio.to_thread(self._service.may_have_records):
            try:
                await self._engine.ensure()
            except DevloopError as problem:
                log.warning("the engine did not start: %s", problem.message)

    async def _until_idle(self) -> None:
        limit = idle_seconds()
        sessions = self._service.sessions
        busy_until, gone, place = time.monotonic(), 0, _identity(self._service.root)
        while True:
            await asyncio.sleep(min(limit / 4, LOOK_S))
            sessions.drop_stuck()
            await self._reopen_door()
            there = _identity(self._service.root)
            gone = 0 if there is not None else gone + 1
            if gone > 1 or there not in (None, place):  # another folder of that name: we are in the one that is no more
                log.info("the project's folder is gone")
                self._stopping.set()
                return
            if not len(sessions) and not endpoint.is_announced(self._state):
                log.info("nobody can find the daemon any more: its file is gone")
                self._stopping.set()
                return
            if len(sessions) or await self._service.working():
                busy_until = time.monotonic()
            elif time.monotonic() - max(busy_until, sessions.empty_since) >= limit:
                log.info("nobody needs the daemon")
                self._stopping.set()
                return

    def _publish(self, event: dict[str, Any]) -> None:
        self._service.publish(event)

    def _errand_wrote(self, found: PlanText | None) -> None:
        if found is not None:
            self._plan_written(found)
        else:
            self._watch.look_soon()

    def _plan_seen(self, found: PlanText) -> None:
        self._service.news.changed(found)

    def _plan_written(self, found: PlanText) -> None:
        """A change that came through here is told once; the watch then finds nothing new."""
        if found.open or self._watch.saw(found):  # of an open plan the file has not changed
            self._service.news.changed(found)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def _log_unexpected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    problem = context.get("exception")
    log.error("%s", context.get("message"), exc_info=problem if isinstance(problem, BaseException) else None)
