"""What agents cost: bytes of each mode's first request, and the time of one routing decision.

    python tests/bench/bench_agents.py [--json]

Bars: system prompt and tools of a mode at most 4,500 bytes; one routing decision below 1 ms.
floor: one regular expression over the same title, nothing else.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from devloop import tools
from devloop.agents import Mode, load_agents, route
from devloop.agents.contracts import model_of, schema_of
from devloop.runs.spec import TaskSpec

PREFIX_BAR = 4_500
ROUTE_BAR_MS = 1.0
TABLE = Path(__file__).parents[1] / "agents" / "routing.toml"
_FLOOR = re.compile(r"\b(review|test|document|design)\b")


def prefix(mode: Mode) -> int:
    finish = None
    if mode.result is not None:
        model = model_of(mode.result)
        finish = {"description": model.__doc__, "input_schema": schema_of(model)}
    listed = tools.definitions(mode.tools, finish)
    return len(mode.prompt.encode()) + len(json.dumps(listed, separators=(",", ":")).encode())


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(argv).json
    agents = load_agents()
    sizes = {f"{agent.name}:{mode.name}": prefix(mode) for agent in agents.values() for mode in agent.modes}
    rows = [each for listed in tomllib.loads(TABLE.read_text("utf-8")).values() for each in listed]
    tasks = [TaskSpec(id="1", **({"title": each} if isinstance(each, str) else each)) for each in rows]
    route(agents, tasks[0])
    times = [min(milliseconds(lambda each=each: route(agents, each)) for _ in range(5)) for each in tasks]
    floor = statistics.median(milliseconds(lambda each=each: _FLOOR.search(each.title)) for each in tasks)
    found = {
        "first_request_bytes": sizes,
        "route_ms": {"median": statistics.median(times), "max": max(times), "floor": floor, "tasks": len(tasks)},
    }
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        for name, size in sizes.items():
            print(f"first request of {name:<28} {size:6,} bytes  (bar {PREFIX_BAR:,})")
        print(
            f"one routing decision: median {statistics.median(times):.3f} ms, slowest {max(times):.3f} ms of "
            f"{len(tasks)} tasks  (bar {ROUTE_BAR_MS} ms; floor {floor:.4f} ms)"
        )
    return 0 if max(sizes.values()) <= PREFIX_BAR and max(times) < ROUTE_BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
