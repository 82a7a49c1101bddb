"""A real sandbox with a worktree: tests skip (or fail, with DEVLOOP_REQUIRE_SANDBOX=1) where none works."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devloop.sandbox import Backend, Command, Limits, Mount, Outcome, detect, toolchain_mounts

PYTHON = (sys.executable, "-I", "-S", "-c")


@pytest.fixture
async def backend() -> Backend:
    found = await detect()
    if found.state != "on":
        if os.environ.get("DEVLOOP_REQUIRE_SANDBOX") == "1":
            pytest.fail(f"no sandbox: {found.reason} {found.fix}")
        pytest.skip(found.reason)
    return found.backend


@dataclass
class Place:
    """A worktree that is seen at `view`, and a `mark` that finds this test's processes on the host."""

    backend: Backend
    worktree: Path
    view: Path
    mark: str = field(default_factory=lambda: f"mark{uuid.uuid4().hex}")

    def command(self, *argv: str, **changes: object) -> Command:
        words = argv if len(argv) > 1 else ("/bin/sh", "-c", *argv)
        base = Command(
            argv=words,
            cwd=self.view,
            mounts=(Mount(self.worktree, self.view, write=True), *toolchain_mounts([Path(sys.executable)])),
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/home/somebody"},
            limits=Limits(wall_s=20),
        )
        return dataclasses.replace(base, **changes)

    async def run(self, *argv: str, **changes: object) -> Outcome:
        return await self.backend.run(self.command(*argv, **changes))

    async def python(self, source: str, **changes: object) -> Outcome:
        return await self.run(*PYTHON, source, **changes)

    def residue(self) -> list[str]:
        return sorted(str(path.relative_to(self.worktree)) for path in self.worktree.rglob("*"))

    def alive(self) -> list[int]:
        """The host's processes whose command line or environment bears the mark."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                data = (folder / "cmdline").read_bytes()
                zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            except OSError:
                continue
            if self.mark.encode() in data and not zombie and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        return found

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> float:
        """Wait for `condition`; how long it took."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < seconds, "condition never came true"
            await asyncio.sleep(0.01)
        return time.monotonic() - begin


@pytest.fixture
def place(backend: Backend, tmp_path: Path) -> Place:
    worktree = tmp_path / "state" / "worktree"
    worktree.mkdir(parents=True)
    return Place(backend, worktree, Path("/home/somebody/project"))
