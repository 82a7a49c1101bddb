"""The worktree stands where the person's checkout is: environments that point at the checkout see the worktree."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.sandbox import Mount, environment, toolchain_mounts


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a home folder, with a virtual environment in which its package is an editable install."""
    checkout = tmp_path / "home" / "code" / "project"
    (checkout / "src").mkdir(parents=True)
    (checkout / "src" / "package.py").write_text("WHERE = 'checkout'\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    site = next((checkout / ".venv").glob("lib/python3*/site-packages"))
    (site / "editable.pth").write_text(f"{checkout / 'src'}\n")
    (tmp_path / "home" / ".netrc").write_text("secret")
    return checkout


@pytest.fixture
def seen(place, checkout):
    """The place, seen at the checkout's path, its home folder empty."""
    (place.worktree / "src").mkdir()
    (place.worktree / "src" / "package.py").write_text("WHERE = 'worktree'\n")
    return dataclasses.replace(place, view=checkout)


def mounts(seen) -> tuple[Mount, ...]:
    return (
        Mount(seen.worktree, seen.view, write=True),
        *toolchain_mounts([seen.view / ".venv" / "bin" / "python"]),
    )


def variables(seen) -> dict[str, str]:
    return environment(seen.view.parent.parent, path=[seen.view / ".venv" / "bin"], source={"PATH": "/usr/bin:/bin"})


async def test_an_editable_install_sees_the_worktree(seen):
    result = await seen.run(
        "python -c 'import package; print(package.WHERE, package.__file__)'", mounts=mounts(seen), env=variables(seen)
    )
    assert result.output == f"worktree {seen.view}/src/package.py\n"
    (seen.worktree / "src" / "__pycache__").is_dir()
    assert not (seen.view / "src" / "__pycache__").exists()


async def test_the_environment_is_read_only_and_leaves_no_mount_point(seen):
    result = await seen.run(
        "touch .venv/x; rm -rf .venv/bin; mv .venv y; touch new", mounts=mounts(seen), env=variables(seen)
    )
    assert result.ok
    assert (seen.view / ".venv" / "bin" / "python").exists()
    assert not (seen.view / ".venv" / "x").exists()
    assert (seen.worktree / "new").exists()
    assert not (seen.worktree / ".venv").exists()
    assert not (seen.view / "new").exists()


async def test_the_checkout_and_the_home_folder_can_not_be_seen(seen):
    (seen.view / "uncommitted").write_text("x")
    result = await seen.run("ls -A . ~ ~/code", mounts=mounts(seen), env=variables(seen))
    assert "uncommitted" not in result.output
    assert ".netrc" not in result.output
    assert "src" in result.output


async def test_the_view_can_be_the_home_folder_itself(seen):
    home = {**variables(seen), "HOME": str(seen.view)}
    result = await seen.run("cd ~ && cat src/package.py && touch ok", mounts=mounts(seen), env=home)
    assert "worktree" in result.output
    assert (seen.worktree / "ok").exists()
