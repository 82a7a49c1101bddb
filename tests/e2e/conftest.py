"""A person's machine for each test, and what it takes to break it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.programs import PROGRAM, Place, held, until

WINDOWS = [sys.executable, str(Path(__file__).parent / "windows.py")]


@pytest.fixture
def place(short_tmp, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    found = Place(short_tmp, PROGRAM)
    yield found
    found.end()


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture(name="held")
def _held():
    return held


@pytest.fixture
def windows():
    return WINDOWS


class Disk:
    """A small file system of its own at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Until nothing fits any more, not even into what was begun."""
        for size in (65536, 1024, 1):
            with contextlib.suppress(OSError), (self.path / f"fill-{size}").open("wb", buffering=0) as file:
                while file.write(b"x" * size):
                    pass

    def empty(self) -> None:
        for file in self.path.glob("fill-*"):
            file.unlink()

    def resize(self, size: str) -> None:
        mount("-o", f"remount,size={size}", str(self.path))

    def writable(self, yes: bool) -> None:
        mount("-o", f"remount,{'rw' if yes else 'ro'}", str(self.path))


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(short_tmp, place):
    """`disk("4m")`: a file system of that size. It is the person's state directory, or a place for a project."""
    made = []
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")

    def make(size: str, name: str) -> Disk:
        path = short_tmp / name
        path.mkdir()
        mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path))
        made.append(path)
        return Disk(path)

    yield make
    for path in made:
        subprocess.run(["mount", "-o", "remount,rw", str(path)], check=False, capture_output=True)
    place.end()
    for path in made:
        subprocess.run(["umount", "-l", str(path)], check=True, capture_output=True)
