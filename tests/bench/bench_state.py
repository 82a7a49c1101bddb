"""How long a status line takes, beside an interpreter that does nothing; and plan-state.json for 1,000 tasks.

python tests/bench/bench_state.py [--rounds 15] [--json]

Bars: a status line 60 ms and plan-state.json for 1,000 tasks 50 ms, both of CPU: others may use the machine. The wall
time of a status line is shown beside, with that of an interpreter that does nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devloop import plan as plans
from devloop.daemon import glance
from devloop.paths import StateDir
from devloop.state import plan_state

LINE_BAR_MS, STATE_BAR_MS, TASKS = 60.0, 50.0, 1_000


def plan_text(tasks: int) -> str:
    lines = ["# Plan: bench", ""]
    for n in range(tasks):
        if n % 40 == 0:
            lines += ["", f"## Phase {n // 40 + 1}: part", ""]
        depends = f" [depends:{n // 40 + 1}.{n % 40}]" if n % 40 else ""
        lines += [f"- [{'x' if n < tasks // 2 else ' '}] Task {n // 40 + 1}.{n % 40 + 1}: do {n}{depends}"]
        lines += [f"  - Files: `src/{n}.py`"]
    return "\n".join(lines) + "\n"


def cost(command: list[str], folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """(wall ms, CPU ms) of one process."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    took, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took * 1e3, used * 1e3


def state_cost(plan_bytes: bytes, rounds: int) -> float:
    """CPU ms from a parsed plan to the text of the file, the smallest of `rounds`."""
    best = float("inf")
    for _ in range(rounds):
        plan = plans.parse(plan_bytes)
        assert plan.stats.total == TASKS
        begin = time.process_time()
        plan_state.text_of(plan_state.of(plan, ".devloop/plan.md", datetime.now(UTC)))
        best = min(best, (time.process_time() - begin) * 1e3)
    return best


def measure(rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as top:
        root = Path(top).resolve() / "p"
        (root / ".devloop").mkdir(parents=True)
        text = plan_text(TASKS)
        (root / ".devloop/plan.md").write_text(text)
        os.environ["DEVLOOP_STATE_DIR"] = f"{top}/s"
        env = {**os.environ, "COLUMNS": "120"}
        kept = glance.keep_plan(str(root), str(root / ".devloop/plan.md"))
        assert kept["total"] == TASKS and (StateDir.of(root).path / glance.PLAN_FILE).is_file()
        program = Path(sys.executable).with_name("devloop")
        begin = [str(program)] if program.is_file() else [sys.executable, "-m", "devloop.cli.entry"]
        line = [*begin, "statusline"]
        bare = [sys.executable, "-c", "pass"]
        both = [(cost(bare, root, env), cost(line, root, env)) for _ in range(rounds)]
        made = state_cost(text.encode(), 7)
    found: dict[str, Any] = {}
    for at, name in enumerate(("python -c pass", "devloop statusline")):
        walls, cpus = ([pair[at][part] for pair in both] for part in (0, 1))
        found[name] = {"min_ms": min(walls), "median_ms": statistics.median(walls), "cpu_ms": statistics.median(cpus)}
    used = found["devloop statusline"]["cpu_ms"]
    found["statusline"] = {"value": used, "bar": LINE_BAR_MS, "met": used <= LINE_BAR_MS}
    found["plan_state"] = {"value": made, "bar": STATE_BAR_MS, "met": made <= STATE_BAR_MS}
    return found


def main(argv: list[str] | None = None) -> int:
    """0 when both bars are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    found = measure(max(3, args.rounds))
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        for name in ("python -c pass", "devloop statusline"):
            row = found[name]
            print(
                f"{name:24}{row['min_ms']:8.1f} min {row['median_ms']:8.1f} median wall ms {row['cpu_ms']:8.1f} CPU ms"
            )
        for name, label in (
            ("statusline", "status line (CPU)"),
            ("plan_state", f"plan-state.json, {TASKS} tasks (CPU)"),
        ):
            row = found[name]
            print(
                f"{label}: {row['value']:.1f} ms of CPU, bar {row['bar']:.0f} ms: {'met' if row['met'] else 'MISSED'}"
            )
    return 0 if found["statusline"]["met"] and found["plan_state"]["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
