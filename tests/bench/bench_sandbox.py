"""What the sandbox and the confined file tools cost, beside doing it plainly, in one interleaved run. Also: what the
filter of system calls adds, what landlock costs, and how long choosing a sandbox takes when devloop starts.

    python tests/bench/bench_sandbox.py [--rounds N] [--json]

Bar: a command of a run, its masks included, costs at most 8 ms more than a plain one. From the plain command to that
one every step has a row of its own, with what it adds to its floor, the row that it is built on. bwrap's smallest
profile is what no profile gets below. Compare minima on a busy machine; `chrt -r 1` before it keeps others out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from devloop import sandbox
from devloop.sandbox import limits, masks, profile, seccomp
from devloop.sandbox.bubblewrap import Bubblewrap
from devloop.sandbox.canary import try_out
from devloop.sandbox.landlock import Landlock
from devloop.tools import PROTECTED, ToolCall, ToolContext, run_batch

BAR_MS = 8.0
VIEW = Path("/home/somebody/project")
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"}
WORDS = ("/bin/sh", "-c", "true")
PLAIN, FLOOR, PROFILE, LIMITS = "plain sh -c true", "bwrap, smallest profile", "+ our profile", "+ limits"
MASKS, WHOLE, BARE_RUN = f"+ {len(PROTECTED)} masks of a run", "the whole way", "the whole way, no masks"
UNFILTERED, TOOL = "the whole way, no filter", "run_command"
FLOORS = {
    FLOOR: PLAIN,
    PROFILE: FLOOR,
    LIMITS: PROFILE,
    MASKS: LIMITS,
    WHOLE: MASKS,
    BARE_RUN: LIMITS,
    UNFILTERED: MASKS,
    TOOL: WHOLE,
    "landlock": PLAIN,
    "search": PLAIN,
    "read_file": "plain read",
}
"""Each row and the one that it is built on."""
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
    with tempfile.TemporaryDirectory() as name, bare_profiles(backend, Path(name)) as bare:
        worktree, output, spare = Path(name, "worktree"), Path(name, "output"), Path(name, "spare")
        worktree.mkdir()
        output.mkdir()
        (worktree / "file.py").write_text("x = 1\n" * 200)
        mount = sandbox.Mount(worktree, VIEW, write=True, spare=spare)
        protected = tuple(VIEW / path for path in PROTECTED)
        minimal = sandbox.Command(argv=WORDS, cwd=VIEW, mounts=(mount,), env=ENV)
        masked = sandbox.Command(argv=WORDS, cwd=VIEW, mounts=(mount,), env=ENV, masks=protected)
        context = ToolContext(
            worktree, VIEW, backend, (mount,), (), ENV, sandbox.Limits(), output, redact=lambda text: text
        )

        async def plain_read() -> None:
            (worktree / "file.py").read_text()

        def tool(tool_name: str, **values: Any) -> Work:
            return lambda: run_batch([ToolCall("a", tool_name, values)], context)

        unfiltered = Bubblewrap(backend.program)
        weak = Landlock(backend.filters)
        commands = await interleaved(
            {
                PLAIN: lambda: started(WORDS, ENV),
                **{row: (lambda words=words: started(words, {})) for row, words in bare.items()},
                WHOLE: lambda: backend.run(masked),
                BARE_RUN: lambda: backend.run(minimal),
                UNFILTERED: lambda: unfiltered.run(masked),
                TOOL: tool("run_command", command="true"),
                "landlock": lambda: weak.run(minimal),
                "search": tool("search", pattern="x = 2"),
            },
            rounds,
        )
        start = await interleaved({"canary": lambda: try_out(backend), "build the filter": seccomp.build}, 10)
        files = await interleaved(
            {"plain read": plain_read, "read_file": tool("read_file", path="file.py")}, max(rounds, 50)
        )
    rows = {**commands, **start, **files}
    return {
        "bar_ms": BAR_MS,
        "rounds": rounds,
        "mounts_of_the_host": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "hidden_in_etc": len(profile.secret_paths()),
        "superuser": os.getuid() == 0,
        "ms": rows,
        "over_floor_ms": {row: less(rows[row], rows[floor]) for row, floor in FLOORS.items()},
        "over_plain_ms": {row: less(commands[row], commands[PLAIN]) for row in (*bare, WHOLE, BARE_RUN, TOOL)},
    }


@contextlib.contextmanager
def bare_profiles(backend: Bubblewrap, folder: Path) -> Iterator[dict[str, list[str]]]:
    """bwrap with more and more of what a command of a run gets, without devloop around it: no door and no filter."""
    worktree = folder / "bare"
    worktree.mkdir()
    mount = sandbox.Mount(worktree, VIEW, write=True)
    command = sandbox.Command(argv=WORDS, cwd=VIEW, mounts=(mount,), env=ENV)
    program = str(backend.program)
    ground = masks.prepare(command.mounts, [VIEW / path for path in PROTECTED])
    capped = ["--", *limits.prefix(command.limits, processes=True), *WORDS]
    smallest = [program, *profile.FLAGS, "--ro-bind", "/", "/"]
    ours, full = ([program, *profile.arguments(command, each)] for each in ([mount], ground.mounts))
    try:
        yield {
            FLOOR: [*smallest, "--", *WORDS],
            PROFILE: [*ours, "--", *WORDS],
            LIMITS: [*ours, *capped],
            MASKS: [*full, *capped],
        }
    finally:
        ground.restore()


async def started(words: Sequence[str], env: dict[str, str]) -> None:
    """What is done plainly: start it, read what it prints, wait for its end."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=env
    )
    await process.communicate()
    assert process.returncode == 0, words


def less(value: dict[str, float], floor: dict[str, float]) -> dict[str, float]:
    return {kind: value[kind] - floor[kind] for kind in ("min", "median")}


def pair(value: dict[str, float]) -> str:
    return f"{value['min']:.2f} / {value['median']:.2f}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    result = asyncio.run(measure(options.rounds))
    if options.json:
        print(json.dumps(result))
        return 0
    who = "the superuser" if result["superuser"] else "an ordinary user"
    print(f"{who}, {result['hidden_in_etc']} places to hide in /etc, {result['mounts_of_the_host']} mounts on the host")
    print(f"{'ms, min / median':26}{'':>15}{'over its floor':>16}   the floor")
    for name, value in result["ms"].items():
        floor = FLOORS.get(name)
        over = pair(result["over_floor_ms"][name]) if floor else ""
        print(f"{name:26}{pair(value):>15}{over:>16}   {floor or ''}".rstrip())
    print(f"\nover plain, bar {BAR_MS:.0f} ms:")
    for name, value in result["over_plain_ms"].items():
        print(f"{name:26}{pair(value):>15}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
