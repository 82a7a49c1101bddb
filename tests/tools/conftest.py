"""A worktree and the context of a run, with the machine's real sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devloop import sandbox
from devloop.redact import Redactor
from devloop.sandbox.plain import Plain
from devloop.tools import ToolCall, ToolContext, ToolResult, run_batch

SECRET = "not-a-real-" + "secret-value"


@dataclass
class Desk:
    """Where the tools of one run work; `do` makes one call."""

    context: ToolContext

    @property
    def worktree(self) -> Path:
        return self.context.worktree

    async def do(self, name: str, **values: Any) -> ToolResult:
        [result] = await run_batch([ToolCall("call_1", name, values)], self.context)
        return result

    def put(self, name: str, data: bytes | str) -> Path:
        path = self.worktree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path


Make = Callable[..., Desk]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(backend: sandbox.Backend | None = None, **changes: Any) -> Desk:
        worktree, output, view = tmp_path / "worktree", tmp_path / "output", Path("/home/somebody/project")
        worktree.mkdir(exist_ok=True)
        output.mkdir(exist_ok=True)
        values: dict[str, Any] = {
            "worktree": worktree,
            "view": view,
            "backend": backend or Plain(),
            "mounts": (sandbox.Mount(worktree, view, write=True),),
            "masks": (),
            "env": {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"},
            "limits": sandbox.Limits(wall_s=20),
            "output_dir": output,
            "redact": Redactor({"MY_TOKEN": SECRET}).text,
        }
        return Desk(ToolContext(**{**values, **changes}))

    return make


@pytest.fixture
def desk(make: Make) -> Desk:
    """Files and searches only: what works without a sandbox, too."""
    return make()


@pytest.fixture
async def boxed(make: Make) -> Desk:
    """With commands, in the real sandbox."""
    found = await sandbox.detect()
    if found.state != "on":
        if os.environ.get("DEVLOOP_REQUIRE_SANDBOX") == "1":
            pytest.fail(f"no sandbox: {found.reason}")
        pytest.skip(found.reason)
    return make(found.backend)
