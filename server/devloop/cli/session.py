"""One command's connection to the daemon, and what the global options said."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from devloop.daemon import DaemonPeer, connect
from devloop.errors import UsageError
from devloop.paths import find_root
from devloop.rpc import Handler

T = TypeVar("T")

INTERRUPTED = 130


class Options:
    """What stands before the command's name."""

    root: Path | None = None
    on_interrupt: str = ""
    """What a person should know who presses Ctrl-C now."""

    @property
    def called(self) -> str:
        """How the program is called for the same project."""
        return f"devloop --root {shlex.quote(str(self.root))}" if self.root is not None else "devloop"


options = Options()


def project_root() -> Path:
    """`--root`, else the nearest folder upwards with `.devloop/` or `.git`. Raises `UsageError` for no directory."""
    if options.root is None:
        return find_root(Path.cwd())
    if not options.root.is_dir():
        raise UsageError(f"{options.root} is no directory.", hint="--root names the project's folder.")
    return options.root.resolve()


@contextlib.asynccontextmanager
async def daemon(handlers: Mapping[str, Handler] | None = None) -> AsyncIterator[DaemonPeer]:
    peer = await connect(project_root(), handlers=handlers)
    try:
        yield peer
    finally:
        await peer.close()


def ask(method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One question to the daemon, from a command that is not asynchronous."""

    async def once() -> dict[str, Any]:
        async with daemon() as peer:
            answer: dict[str, Any] = await peer.request(method, params)
            return answer

    return run(once())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C ends the command with 130 and says what goes on without it."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        sys.stdout.flush()
        print(f"\ndevloop: {options.on_interrupt or 'interrupted'}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
