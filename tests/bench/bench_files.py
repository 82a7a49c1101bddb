"""What confined reading, writing and listing cost beside plain `open`, and what trust costs, in one interleaved run.

    python tests/bench/bench_files.py [--rounds N] [--json]

Floors: the same bytes by plain `open`, with and without `fsync`. Compare minima on a busy machine. Bars: a confined
read costs at most 0.2 ms and a whole tool call 1.5 ms more than a plain one; trust of a repository with 30 items 15 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devloop import beneath, sandbox, trust
from devloop.sandbox.plain import Plain
from devloop.tools import Confined, ToolCall, ToolContext, run_batch

VIEW = Path("/home/somebody/project")
NAME = "src/package/module/file.py"
DATA = b"x = 1\n" * 200
ITEMS = 30
BARS = {"confined read": 0.2, "read_file, whole call": 1.5, f"trust of {ITEMS} items": 15.0}
FLOOR = {
    "confined read": "plain read",
    "confined read, by component": "plain read",
    "read of devloop": "plain read",
    "read_file, whole call": "plain read",
    "confined write": "plain write, fsync, rename",
    "confined write, by component": "plain write, fsync, rename",
    "write of devloop": "plain write, fsync, rename",
    "write_file, whole call": "plain write, fsync, rename",
}


def laid_out(place: Path) -> Path:
    worktree = place / "worktree"
    (worktree / NAME).parent.mkdir(parents=True)
    (worktree / NAME).write_bytes(DATA)
    config = "".join(f'[gates.g{n}]\ncommand = ["make", "g{n}"]\n' for n in range(10))
    files = {".devloop/config.toml": config}
    files |= {f".devloop/agents/a{n}.md": f"---\nname: a{n}\n---\n{'You work. ' * 200}" for n in range(10)}
    for n in range(10):
        files[f".devloop/skills/s{n}/SKILL.md"] = f"---\nname: s{n}\ndescription: d\n---\n{'Words. ' * 600}"
        files[f".devloop/skills/s{n}/scripts/run.py"] = "print(1)\n" * 100
    for name, text in files.items():
        (worktree / name).parent.mkdir(parents=True, exist_ok=True)
        (worktree / name).write_text(text)
    return worktree


def measure(rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        worktree, store = laid_out(place), place / "state" / "trust.json"
        items = trust.items(worktree)
        if len(items) != ITEMS:
            raise SystemExit(f"{len(items)} items instead of {ITEMS}")
        trust.accept(worktree, store, [(each.key, each.sha256) for each in items])
        (place / "output").mkdir()
        context = ToolContext(
            worktree, VIEW, Plain(), (), (), {}, sandbox.Limits(), place / "output", redact=lambda text: text
        )
        path, parts = worktree / NAME, tuple(NAME.split("/"))

        def plain_write(sync: bool) -> None:
            other = path.with_name("other")
            with other.open("wb") as stream:
                stream.write(DATA)
                if sync:
                    stream.flush()
                    os.fsync(stream.fileno())
            other.replace(path)

        def confined(kernel: bool | None, writing: bool) -> None:
            with Confined(worktree, VIEW, kernel=kernel) as files:
                if writing:
                    files.replace(parts, DATA)
                else:
                    with os.fdopen(files.open_file(parts), "rb") as stream:
                        stream.read()

        loop = asyncio.new_event_loop()

        def tool(kind: str, **values: Any) -> Callable[[], Any]:
            return lambda: loop.run_until_complete(run_batch([ToolCall("a", kind, values)], context))

        works: dict[str, Callable[[], Any]] = {
            "plain read": path.read_bytes,
            "confined read": lambda: confined(None, False),
            "confined read, by component": lambda: confined(False, False),
            "read of devloop": lambda: beneath.read(worktree, NAME, 1 << 20),
            "read_file, whole call": tool("read_file", path=NAME),
            "plain write": lambda: plain_write(False),
            "plain write, fsync, rename": lambda: plain_write(True),
            "confined write": lambda: confined(None, True),
            "confined write, by component": lambda: confined(False, True),
            "write of devloop": lambda: beneath.write(worktree, NAME, DATA),
            "write_file, whole call": tool("write_file", path=NAME, content=DATA.decode()),
            f"trust of {ITEMS} items": lambda: trust.state(worktree, store),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for number in range(rounds + 3):
            for name, work in works.items():
                begin = time.perf_counter()
                work()
                if number >= 3:
                    times[name].append((time.perf_counter() - begin) * 1000)
        loop.close()
    ms = {name: {"min": min(each), "median": statistics.median(each)} for name, each in times.items()}
    return {"rounds": rounds, "bars_ms": BARS, "ms": ms}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result))
        return 0
    print(f"{'':34}{'min ms':>9}{'median':>9}{'floor':>9}{'over':>9}{'ratio':>8}{'bar':>7}")
    failed = 0
    for name, value in result["ms"].items():
        floor = result["ms"][FLOOR[name]]["min"] if name in FLOOR else 0.0
        over, bar = value["min"] - floor, BARS.get(name)
        beside = f"{floor:9.3f}{over:9.3f}{value['min'] / floor:8.1f}" if floor else " " * 26
        told = "" if bar is None else f"{bar:7.1f}" + ("" if over <= bar else "  too slow")
        failed |= bar is not None and over > bar
        print(f"{name:34}{value['min']:9.3f}{value['median']:9.3f}{beside}{told}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
