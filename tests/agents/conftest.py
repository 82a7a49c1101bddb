"""A project and an engine process for runs of all kinds of agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.engines import Engine, engine, trust_everything
from support.projects import at_home, commit_all, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n" + "".join(f"- [ ] Task 1.{n}: Task\n" for n in range(1, 40))
PAINTER = """---
name: painter
description: Paints
tools: Read, Edit, WebFetch
model: opus
---
You paint.
"""
READER = """---
name: reader
description: Reads
access: read
tools: [search]
result:
  verdict: [GOOD, BAD]
  places: [text]
---
You read.
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """A tiny project with two agents of its own, its gate trusted, its agents not."""
    root = tiny_project(tmp_path / "project", PLAN)
    trust_everything(root)
    for place, name, text in ((".claude", "painter", PAINTER), (".devloop", "reader", READER)):
        (root / place / "agents").mkdir(parents=True)
        (root / place / "agents" / f"{name}.md").write_text(text)
    commit_all(root, "agents")
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """One engine for a module; each test takes a task of its own. The project's agents are trusted."""
    place = tmp_path_factory.mktemp("agents")
    with pytest.MonkeyPatch.context() as patch:
        at_home(place, patch)
        root = tiny_project(place / "project", PLAN)
        (root / ".devloop" / "agents").mkdir()
        (root / ".devloop" / "agents" / "reader.md").write_text(READER)
        commit_all(root, "agents")
        trust_everything(root)
        async with engine(root) as held:
            yield held
