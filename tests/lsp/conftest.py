"""Editors on a language server in the test's own process: real sockets, a real service, no engine unless asked for."""

from __future__ import annotations

import asyncio

import pytest

from devloop import __version__
from devloop.daemon.documents import Documents
from devloop.daemon.engine_link import EngineLink
from devloop.daemon.environment import ClientEnvironment
from devloop.daemon.errands import Errands, Project
from devloop.daemon.fanout import Fanout
from devloop.daemon.service import Service
from devloop.errors import Unavailable
from devloop.lsp.server import Editors
from devloop.paths import StateDir
from devloop.redact import Redactor
from support.editor import Editor

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
  - **Acceptance**: it works
- [ ] Task 1.3: Third thing [depends:1.2]

## Phase 2: Go on

- [ ] Task 2.1: A task

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""


@pytest.fixture
def project(short_tmp, monkeypatch):
    """The root of a project with a plan; state and configuration are the test's own."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(short_tmp / "c"))
    root = short_tmp / "p"
    (root / ".devloop").mkdir(parents=True)
    (root / ".devloop" / "plan.md").write_text(PLAN)
    return root


class NoEngine(EngineLink):
    """For tests that run nothing. `answers`: method → value, for those that look at records."""

    def __init__(self) -> None:
        async def factory(variables, handlers):
            raise Unavailable("There is no engine in this test.")

        super().__init__(factory, {})
        self.answers = {}
        self.requests = []

    async def request(self, method, params=None):
        self.requests.append((method, dict(params or {})))
        if method in self.answers:
            answer = self.answers[method]
            return answer(params) if callable(answer) else answer
        return await super().request(method, params)


@pytest.fixture
def service(project):
    state, engine = StateDir.of(project).make(), NoEngine()
    documents = Documents(project, lock=state.path / "plan.lock", owed=state.path / "owed.json")
    errands = Errands(Project(project, documents, state), engine)
    return Service(
        project,
        state,
        version=__version__,
        documents=documents,
        engine=engine,
        errands=lambda: errands,
        fanout=Fanout(),
        environment=ClientEnvironment(Redactor()),
        stop=lambda: None,
    )


@pytest.fixture
async def editors(service, short_tmp):
    """`await editors()`: another editor, connected, not initialized."""
    path = short_tmp / "lsp.sock"
    server_side = Editors(service)
    server = await asyncio.start_unix_server(server_side.serve, path)
    made = []

    async def make():
        made.append(Editor(*await asyncio.open_unix_connection(path), service.root))
        return made[-1]

    make.server, make.made = server_side, made
    yield make
    for each in made:
        await each.vanish()
    server.close()
    while server_side.connections:
        await asyncio.sleep(0.001)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:  # what nobody waits for any more, such as git that lists files, ends before the loop does
        await asyncio.wait(left, timeout=5)


@pytest.fixture
async def editor(editors):
    """One initialized editor that can do everything."""
    found = await editors()
    await found.initialize()
    return found
