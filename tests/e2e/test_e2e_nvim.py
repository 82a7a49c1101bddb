"""Neovim as it is, without plug-ins, from opening the plan to the landed commit (`nvim/attach.lua` is the person)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NVIM = os.environ.get("DEVLOOP_NVIM") or shutil.which("nvim")  # read before tests take such variables away
REQUIRED = os.environ.get("DEVLOOP_REQUIRE_NVIM") == "1"
ATTACH = Path(__file__).parent / "nvim" / "attach.lua"
README = Path(__file__).parents[2] / "README.md"
SERVER = [sys.executable, "-m", "devloop.cli.entry", "lsp"]
SECONDS = 60
PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1, 1.2]

## Progress Log
"""


@pytest.fixture
def nvim():
    """The editor. A machine without it skips, unless DEVLOOP_REQUIRE_NVIM=1 says that it has to be there."""
    if NVIM is None:
        if REQUIRED:
            pytest.fail("nvim is not installed, and DEVLOOP_REQUIRE_NVIM=1 asks for it")
        pytest.skip("nvim is not installed: apt-get install neovim")
    return NVIM


def drive(nvim, place, **steps):
    """What attach.lua printed, by its lines' first words."""
    path = os.pathsep.join([str(Path(sys.executable).parent), place.environment["PATH"]])
    home = {
        "PATH": path,
        "XDG_DATA_HOME": str(place.tmp / "d"),
        "XDG_STATE_HOME": str(place.tmp / "d"),
        "HOME": str(place.tmp),
    }
    with (place.tmp / "nvim.out").open("w+") as out:
        process = subprocess.Popen(
            [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {ATTACH}"],
            cwd=place.root,
            env={**place.environment, **home, "SERVER_CMD": json.dumps(SERVER), **steps},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:  # it shows an error and waits for a key
            process.kill()
            code = process.wait()
        out.seek(0)
        told = out.read()
    assert code == 0, told
    said = {}
    for line in told.splitlines():
        word, _, rest = line.strip().partition(" ")
        said.setdefault(word, []).append(rest)
    return said


def version(nvim):
    said = subprocess.run([nvim, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.search(r"v(\d+)\.(\d+)", said).groups())


@pytest.mark.slow
@pytest.mark.parametrize(("number", "since"), [(0, (0, 11)), (1, (0, 7))])
def test_the_settings_in_the_readme_attach_fix_and_run(nvim, place, number, since):
    """The README's own text is what Neovim loads."""
    if version(nvim) < since:
        pytest.skip(f"this Neovim is older than {since[0]}.{since[1]}")
    if version(nvim) >= (0, 12) and since == (0, 7):
        pytest.skip("that API is gone from this Neovim")
    settings = re.findall(r"```lua\n(.*?)```", README.read_text(), re.DOTALL)[number]
    path = place.tmp / "settings.lua"
    path.write_text(settings)
    place.project(PLAN)
    said = drive(nvim, place, SETTINGS=str(path), FIX="emove", RUN="Run$", ANSWER="Commit")
    assert said["FIXED"] == ["- [ ] Task 1.2: Second thing [depends:1.1]"]
    assert said["TICKED"] == ["- [x] Task 1.1: First thing"]
    assert "NOTIFIED" not in said, said["NOTIFIED"]
    assert place.git("log", "-1", "--format=%s") == "First thing"


@pytest.mark.slow
def test_neovim_from_diagnostics_to_the_landed_commit(nvim, place):
    place.project(PLAN)
    said = drive(nvim, place, FIX="emove", RUN="Run$", ANSWER="Commit")
    assert said["ATTACHED"] == ["devloop"]
    assert said["DIAGNOSTIC"] == ["8:29 Task 1.2 waits for itself [devloop]"]
    assert said["FIXED"] == ["- [ ] Task 1.2: Second thing [depends:1.1]"]
    assert "Run" in said["LENSES"][0]
    assert "First thing" in said["ASKED"][0] and "Commit" in said["ASKED"][0]
    assert said["TICKED"] == ["- [x] Task 1.1: First thing"]
    kinds = said["PROGRESS"][0].split()
    assert kinds[0] == "begin" and kinds.count("begin") == kinds.count("end")
    log = place.git("log", "-1", "--format=%s%n%b")
    assert log.startswith("First thing\n") and re.search(r"^Devloop-Task: 1\.1$", log, re.MULTILINE)
    assert place.git("show", "HEAD:new.txt") == "new"
    assert "- [x] Task 1.1" in place.git("show", "HEAD:.devloop/plan.md")
    assert said["1"] == ["passed, 0 failed"]
