"""Emacs with eglot, from opening the plan to the landed commit (`emacs.el` is the person; settings from the README)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PERSON = Path(__file__).parent / "emacs.el"
README = Path(__file__).parents[2] / "README.md"
PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1, 1.2]

## Progress Log
"""


@pytest.fixture
def emacs():
    found = shutil.which("emacs")
    if found is None:
        pytest.skip("emacs is not installed: apt-get install emacs-nox elpa-eglot")
    ask = [found, "--batch", "-q", "--eval", "(progn (package-initialize) (require 'eglot))"]
    if subprocess.run(ask, capture_output=True).returncode != 0:
        pytest.skip("this Emacs has no eglot: apt-get install elpa-eglot")
    return found


@pytest.mark.slow
def test_emacs_from_diagnostics_to_the_landed_commit(emacs, place, until):
    place.project(PLAN)
    settings = place.tmp / "settings.el"
    settings.write_text(re.search(r"```elisp\n(.*?)```", README.read_text(), re.DOTALL)[1])
    path = os.pathsep.join([str(Path(sys.executable).parent), place.environment["PATH"]])
    given = {"PATH": path, "HOME": str(place.tmp), "PLAN": ".devloop/plan.md", "SETTINGS": str(settings)}
    done = subprocess.run(
        [emacs, "--batch", "-q", "-l", str(PERSON)],
        cwd=place.root,
        env={**place.environment, **given, "ANSWER": "Commit"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert said["DIAGNOSTIC"] == "8 devloop [self-dependency]: Task 1.2 waits for itself"
    assert said["ACTIONS"] == "Remove the dependency on itself"
    assert said["FIXED"] == "- [ ] Task 1.2: Second thing [depends:1.1]"
    assert "Commit" in said["ASKED"]
    assert said["TICKED"] == "- [x] Task 1.1: First thing"
    until(lambda: place.git("log", "-1", "--format=%s") == "First thing", "the landed commit")
