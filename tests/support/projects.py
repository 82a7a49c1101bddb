"""Small git repositories to work on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from devloop.shipped import folder

PERSON = ("Pat Person", "pat@example.org")


def at_home(place: Path, patch: pytest.MonkeyPatch) -> Path:
    """Private state and configuration directories below a place; the answer is where `config.toml` belongs."""
    patch.setenv("DEVLOOP_STATE_DIR", str(place / "state"))
    patch.setenv("DEVLOOP_CONFIG_DIR", str(place / "config"))
    (place / "config").mkdir(exist_ok=True)
    return place / "config"


def git(root: Path, *arguments: str) -> str:
    """Run git as the person would, and answer what it printed."""
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_repository(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", PERSON[0])
    git(root, "config", "user.email", PERSON[1])
    return root


def commit_all(root: Path, message: str = "start") -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


def demo_project(root: Path) -> Path:
    """The demo's project, committed."""
    shutil.copytree(folder("plans") / "demo" / "project", root)
    (root / "devloop").rename(root / ".devloop")
    (root / "gitignore").rename(root / ".gitignore")
    make_repository(root)
    commit_all(root)
    return root


def tiny_project(root: Path, plan: str, gate: tuple[str, ...] = ("/bin/sh", "check.sh")) -> Path:
    """A project whose only gate is a shell script (milliseconds): it fails while a file `broken` exists."""
    make_repository(root)
    (root / ".devloop").mkdir()
    (root / ".devloop" / "plan.md").write_text(plan)
    command = ", ".join(f'"{part}"' for part in gate)
    (root / ".devloop" / "config.toml").write_text(f'[gates.check]\nkind = "tests"\ncommand = [{command}]\n')
    (root / "check.sh").write_text("test ! -e broken\n")
    (root / "notes.txt").write_text("start\n")
    commit_all(root)
    return root
