"""Projects with hooks, and an engine for runs with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.projects import at_home, tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n" + "".join(f"- [ ] Task 1.{n}: Task\n" for n in range(1, 20))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Private state and configuration directories; the answer is the person's configuration directory."""
    return at_home(tmp_path, monkeypatch)


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """A tiny project without hooks; nothing of it is trusted yet."""
    return tiny_project(tmp_path / "project", PLAN)
