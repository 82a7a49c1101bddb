"""A project folder with a state directory of its own."""

from __future__ import annotations

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(tmp_path / "c"))
    root = tmp_path / "p"
    (root / ".devloop").mkdir(parents=True)
    return root


@pytest.fixture
def put(project):
    """`put("a/b.md", text)`: write a file of the project, byte for byte."""

    def write(path, text):
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    return write
