"""What the sandbox and the confined file tools cost, beside doing it plainly, in one interleaved run. Also: what the
filter of system calls adds, what landlock costs, and how long choosing a sandbox takes when devloop starts.

    python tests/bench/bench_sandbox.py [--rounds N] [--json]

Bar: a sandboxed command costs at most 8 ms more than a plain one. Compare minima on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from devloop import sandbox
from devloop.sandbox import seccomp
from devloop.sandbox.bubblewrap import Bubblewrap
from devloop.sandbox.canary import try_out
from devloop.sandbox.landlock import Landlock
from devloop.tools import PROTECTED, ToolCall, ToolContext, run_batch

BAR_MS = 8.0
VIEW = Path("/home/somebody/project")
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"}
WORDS = ("/bin/sh", "-c", "true")
Work = Callable[[], Awaitable[Any]]


async def interleaved(works: dict[str, Work], rounds: int) -> dict[str, dict[str, float]]:
    """Minimum and median in ms; each round does every work once, so that load hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 2):
        for name, work in works.items():
            begin = time.perf_counter()
            await work()
            if number >= 2:
                times[name].append((time.perf_counter() - begin) * 1000)
    return {name: {"min": min(values), "median": statistics.median(values)} for name, values in times.items()}


async def measure(rounds: int) -> dict[str, Any]:
    detected = await sandbox.detect()
    if not isinstance(detected.backend, Bubblewrap):
        raise SystemExit(f"no sandbox to measure: {detected.reason} {detected.fix}")
    backend = detected.backend
    with tempfile.TemporaryDirectory() as name:
        worktree, output = Path(name, "worktree"), Path(name, "output")
        worktree.mkdir()
        output.mkdir()
        (worktree / "file.py").write_text("x = 1\n" * 200)
        mount = sandbox.Mount(worktree, VIEW, write=True)
        minimal = sandbox.Command(argv=WORDS, cwd=VIEW, mounts=(mount,), env=ENV)
        masked = sandbox.Command(
            argv=WORDS, cwd=VIEW, mounts=(mount,), env=ENV, masks=tuple(VIEW / path for path in PROTECTED)
        )
        context = ToolContext(
            worktree, VIEW, backend, (mount,), (), ENV, sandbox.Limits(), output, redact=lambda text: text
        )

        async def plain() -> None:
            process = await asyncio.create_subprocess_exec(
                *WORDS, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=ENV
            )
            await process.communicate()

        async def plain_read() -> None:
            (worktree / "file.py").read_text()

        def tool(tool_name: str, **values: Any) -> Work:
            return lambda: run_batch([ToolCall("a", tool_name, values)], context)

        unfiltered = Bubblewrap(backend.program)
        weak = Landlock(backend.filters)
        commands = await interleaved(
            {
                "plain sh -c true": plain,
                "sandboxed": lambda: backend.run(minimal),
                "sandboxed, no filter": lambda: unfiltered.run(minimal),
                "landlock": lambda: weak.run(minimal),
                f"sandboxed, {len(PROTECTED)} masks": lambda: backend.run(masked),
                "run_command": tool("run_command", command="true"),
                "search": tool("search", pattern="x = 2"),
            },
            rounds,
        )
        start = await interleaved({"canary": lambda: try_out(backend), "build the filter": seccomp.build}, 10)
        files = await interleaved(
            {"plain read": plain_read, "read_file": tool("read_file", path="file.py")}, max(rounds, 50)
        )
    floor = commands["plain sh -c true"]
    over = {
        name: {kind: value[kind] - floor[kind] for kind in ("min", "median")}
        for name, value in commands.items()
        if name.startswith("sandboxed")
    }
    share = {kind: commands["sandboxed"][kind] - commands["sandboxed, no filter"][kind] for kind in ("min", "median")}
    return {
        "bar_ms": BAR_MS,
        "rounds": rounds,
        "ms": {**commands, **start, **files},
        "over_plain_ms": over,
        "filter_ms": share,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    result = asyncio.run(measure(options.rounds))
    if options.json:
        print(json.dumps(result))
        return 0
    print(f"{'':28}{'min ms':>10}{'median ms':>12}")
    for name, value in result["ms"].items():
        print(f"{name:28}{value['min']:10.2f}{value['median']:12.2f}")
    print(f"\nover plain, bar {BAR_MS:.0f} ms:")
    for name, value in result["over_plain_ms"].items():
        print(f"{name:28}{value['min']:10.2f}{value['median']:12.2f}")
    share = result["filter_ms"]
    print(f"{'the filter of it':28}{share['min']:10.2f}{share['median']:12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
