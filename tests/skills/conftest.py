"""A workspace with private state and configuration directories, and a way to write skills into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SKILL = """---
name: {name}
description: {description}
when_not: anything else
triggers:
  keywords: [{keyword}]
---
# {name}

{body}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's configuration directory."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


@pytest.fixture
def root(home: Path, tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def write() -> Callable[..., Path]:
    """`write(folder, name, body=…, description=…, keyword=…, files=…)`: a skill; the answer is its SKILL.md."""

    def make(
        folder: Path,
        name: str,
        body: str = "Do it well.",
        *,
        description: str = "How it is done. Use when it has to be done.",
        keyword: str = "widget",
        files: dict[str, str] | None = None,
    ) -> Path:
        path = folder / name / "SKILL.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SKILL.format(name=name, description=description, keyword=keyword, body=body), "utf-8")
        for inside, text in (files or {}).items():
            (path.parent / inside).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / inside).write_text(text, "utf-8")
        return path

    return make
