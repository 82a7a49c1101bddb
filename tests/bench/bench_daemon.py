"""The daemon: start, answer, memory. Bars beside floors.

python tests/bench/bench_daemon.py [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from devloop.daemon import connect, stop
from devloop.paths import StateDir
from devloop.plan import parse
from support.projects import demo_project


def rss(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def floor_process(code: str) -> tuple[float, float]:
    """(milliseconds, MiB) of a Python process that runs `code`."""
    script = f"{code}\nimport re;print(re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    begin = time.perf_counter()
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return (time.perf_counter() - begin) * 1000, int(out) / 1024


async def plan_of_a_thousand(root: Path, peer: Any) -> tuple[float, float]:
    """Milliseconds from question to answer about a plan of 1,000 tasks, and of reading such a plan."""
    text = "# Plan: Large\n"
    for number in range(1000):
        phase, at = divmod(number, 20)
        if at == 0:
            text += f"\n## Phase {phase + 1}: Part\n\n" + (f"**Dependencies**: Phase {phase}\n\n" if phase else "")
        depends = f" [depends:{phase + 1}.{at}]" if at else ""
        text += f"- [ ] Task {phase + 1}.{at + 1}: Do thing {number}{depends}\n  - Acceptance: `pytest -k t{number}`\n"
    plan = root / ".devloop" / "plan.md"
    before = plan.read_text()
    begin = time.perf_counter()
    parse(text)
    parsed = (time.perf_counter() - begin) * 1000
    plan.write_text(text)
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        answer = await peer.request("devloop/plan")
        times.append((time.perf_counter() - begin) * 1000)
        assert len(answer["tasks"]) == 1000
    plan.write_text(before)
    return statistics.median(times), parsed


async def measure() -> list[dict[str, Any]]:
    root = demo_project(Path(tempfile.mkdtemp(prefix="dlb-")) / "purse")
    begin = time.perf_counter()
    peer = await connect(root)
    cold = (time.perf_counter() - begin) * 1000
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        await peer.request("devloop/hello", {"client": "bench", "version": peer.hello["version"], "environment": {}})
        times.append((time.perf_counter() - begin) * 1000)
    again = []
    for _ in range(10):
        begin = time.perf_counter()
        other = await connect(root)
        again.append((time.perf_counter() - begin) * 1000)
        await other.close()
    listed, parsed_ms = await plan_of_a_thousand(root, peer)
    await asyncio.sleep(1.0)  # idle: nothing asked for a moment
    memory = rss(json.loads(StateDir.of(root).daemon_file.read_text())["pid"])
    await peer.close()
    await stop(root, force=True)
    bare_ms, bare_mib = floor_process("import asyncio")
    pydantic_ms, pydantic_mib = floor_process("import asyncio, pydantic")
    return [
        {
            "name": "no daemon: connect",
            "value": cold,
            "unit": "ms",
            "bar": None,
            "floor": f"python with asyncio: {bare_ms:.0f} ms",
        },
        {"name": "daemon there: connect", "value": statistics.median(again), "unit": "ms", "bar": None, "floor": ""},
        {"name": "one question", "value": statistics.median(times), "unit": "ms", "bar": None, "floor": ""},
        {
            "name": "devloop/plan, 1,000 tasks, read before",
            "value": listed,
            "unit": "ms",
            "bar": 50,
            "floor": f"reading that plan: {parsed_ms:.0f} ms",
        },
        {
            "name": "daemon memory, idle",
            "value": memory,
            "unit": "MiB",
            "bar": 60,
            "floor": f"asyncio {bare_mib:.0f} MiB, with pydantic {pydantic_mib:.0f} MiB ({pydantic_ms:.0f} ms)",
        },
    ]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    os.environ["DEVLOOP_STATE_DIR"] = tempfile.mkdtemp(prefix="dlb-")
    os.environ["DEVLOOP_CONFIG_DIR"] = tempfile.mkdtemp(prefix="dlb-")
    rows = asyncio.run(measure())
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return 0
    for row in rows:
        bar = "" if row["bar"] is None else f"bar {row['bar']:g} {row['unit']}"
        print(f"{row['name']:42} {row['value']:>10.3f} {row['unit']:4} {bar:14} {row['floor']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
