"""A repository with a folder `devloop` of its own: it is never taken for ours by what is started inside of it."""

from __future__ import annotations

import subprocess

import pytest

from devloop.launch import Launcher
from devloop.lsp.pipe import dial
from devloop.paths import StateDir


@pytest.fixture
def repository(tmp_path):
    package = tmp_path / "repository" / "devloop"
    package.mkdir(parents=True)
    for name in ("__init__.py", "serve.py"):
        (package / name).write_text("import pathlib; pathlib.Path('taken').touch()\n", "utf-8")
    return package.parent


@pytest.mark.parametrize("who", ["terminal", "editor"])
def test_the_daemon_is_ours_in_a_repository_with_a_package_of_the_same_name(repository, tmp_path, who):
    state = StateDir(tmp_path / "state").make()
    starter = Launcher(repository, state, dial.SERVE if who == "editor" else None)
    command = [*starter._command[: starter._command.index("devloop.serve") + 1], "--help"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    assert not (repository / "taken").exists()
    assert "--root" in done.stdout + done.stderr
