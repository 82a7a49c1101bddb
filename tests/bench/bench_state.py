"""How long a status line takes, beside an interpreter that does nothing; and plan-state.json for 1,000 tasks.

python tests/bench/bench_state.py [--rounds 15] [--json]

Bars: a status line 60 ms of wall time at the median; plan-state.json for 1,000 tasks 50 ms of CPU.
"""

from __future__ import annotations

import argparse
import json
import os
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


def wall(command: list[str], folder: Path, env: dict[str, str], rounds: int) -> list[float]:
    """ms of each of `rounds` processes."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


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
        both = [(wall(bare, root, env, 1)[0], wall(line, root, env, 1)[0]) for _ in range(rounds)]
        floor, shown = ([pair[n] for pair in both] for n in (0, 1))
        cost = state_cost(text.encode(), 7)
    middle = statistics.median(shown)
    return {
        "python -c pass": {"median_ms": statistics.median(floor), "min_ms": min(floor)},
        "devloop statusline": {"median_ms": middle, "min_ms": min(shown)},
        "statusline": {"value": middle, "bar": LINE_BAR_MS, "met": middle <= LINE_BAR_MS},
        "plan_state": {"value": cost, "bar": STATE_BAR_MS, "met": cost <= STATE_BAR_MS},
    }


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
            print(f"{name:38}{found[name]['min_ms']:9.1f} min {found[name]['median_ms']:9.1f} median   ms of wall time")
        for name, label in (("statusline", "status line"), ("plan_state", f"plan-state.json, {TASKS} tasks (CPU)")):
            row = found[name]
            print(f"{label}: {row['value']:.1f} ms, bar {row['bar']:.0f} ms: {'met' if row['met'] else 'MISSED'}")
    return 0 if found["statusline"]["met"] and found["plan_state"]["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
