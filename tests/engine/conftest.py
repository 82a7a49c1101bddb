"""Projects and engine processes: one for a whole module where tests need no restart, else one for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.engines import Engine, engine, trust_everything
from support.projects import at_home, git, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n- [ ] Task 1.3: Third\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Private state and configuration directories; the answer is where the person's config.toml belongs."""
    return at_home(tmp_path, monkeypatch)


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """A tiny project whose gate is trusted."""
    root = tiny_project(tmp_path / "project", PLAN)
    trust_everything(root)
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """One engine for a module. Each test takes a task id of its own and leaves no run open."""
    place = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        at_home(place, patch)
        root = tiny_project(place / "project", PLAN)
        trust_everything(root)
        async with engine(root) as held:
            yield held


@pytest_asyncio.fixture(loop_scope="module")
async def one(shared: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """The module's engine. What a test changes of gate, configuration and trust is as before afterwards; a run that it
    leaves open is a failure."""
    at_home(shared.root.parent, monkeypatch)
    files = {shared.root / name: (shared.root / name).read_text() for name in ("check.sh", ".devloop/config.toml")}
    yield shared
    shared.config.unlink(missing_ok=True)
    changed = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in changed:
        path.write_text(files[path])
    if changed:
        git(shared.root, "add", *map(str, changed))
        git(shared.root, "commit", "-q", "--allow-empty", "-m", "as before", "--", *map(str, changed))
        trust_everything(shared.root)
    shared.following.clear()
    shared.handed_off.clear()
    left = [row["id"] for row in (await shared.ask("status"))["runs"]]
    for run in left:
        await shared.ask("cancel", run=run)
        await shared.ended(run)
    assert left == []
