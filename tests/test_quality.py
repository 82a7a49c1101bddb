"""Lint, formatting, types and layer rules are tests like all others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECKS = {
    "ruff": [sys.executable, "-m", "ruff", "check", "."],
    "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "layers": [str(Path(sys.executable).with_name("lint-imports"))],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_code_passes(name):
    result = subprocess.run(CHECKS[name], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_file_names_a_machine_or_a_registry():
    """The project speaks only of itself: no path of a machine, no host of a package registry."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    words = [
        a + b
        for a, b in (("/wo", "rk/"), ("/ro", "ot/"), ("registry.np", "mjs"), ("pyp", "i.org"), ("pythonho", "sted"))
    ]
    bad = [
        f"{name}: {word}"
        for name in listed.decode().split("\0")
        if name and (ROOT / name).is_file()
        for word in words
        if word in (ROOT / name).read_text("utf-8", "replace")
    ]
    assert bad == []
