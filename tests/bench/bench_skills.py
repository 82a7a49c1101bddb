"""Skills: what the first request of a run costs when skills are loaded on demand, against all texts in it at once.

    python tests/bench/bench_skills.py [--json]

The first requests are real: the engine's process, the SDK, HTTP to the strict local double. Tokens are
estimated: bytes of JSON / 4, on both sides alike.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from devloop import skills  # noqa: E402
from double import Double  # noqa: E402
from support.engines import engine, finish, trust_everything, turn, write  # noqa: E402
from support.projects import tiny_project  # noqa: E402

PLAN = "# P\n\n## Phase 1: A\n\n- [ ] Task 1.1: Change the notes\n"
TASKS = {
    "plain": ("Change the notes", []),
    "bug": ("Fix the crash when the list is empty", ["src/cart.py"]),
    "api": ("Add a login endpoint with pagination and tests", ["api/login.py", "tests/test_login.py"]),
    "database": ("Add a migration for the orders table", ["db/orders.sql"]),
    "many": ("Refactor the API, its SQL schema, tests, security and deployment", ["a.py", "b.go", "c.tsx", "d.sql"]),
}
LEAST_SAVED = 90.0
LARGEST_PREFIX = 4.5 * 1024


def row(
    name: str, value: float, unit: str, bar: float | None, floor: str = "", *, least: bool = False
) -> dict[str, Any]:
    ok = bar is None or (value >= bar if least else value <= bar)
    return {"name": name, "value": round(value, 2), "unit": unit, "bar": bar, "least": least, "floor": floor, "ok": ok}


def size(body: Any) -> int:
    return len(json.dumps(body, ensure_ascii=False).encode())


def sent(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("system", "tools", "messages")}


def with_all(body: dict[str, Any], bodies: str) -> dict[str, Any]:
    """The same request with every skill's text in its first message, and without the index."""
    loaded = copy.deepcopy(sent(body))
    block = loaded["messages"][0]["content"][0]
    block["text"] = f"{block['text'].partition('Skills for this task')[0]}{bodies}"
    return loaded


async def first_requests() -> dict[str, dict[str, Any]]:
    place = Path(tempfile.mkdtemp(prefix="dls-"))
    os.environ["DEVLOOP_STATE_DIR"], os.environ["DEVLOOP_CONFIG_DIR"] = str(place / "state"), str(place / "config")
    root = tiny_project(place / "project", PLAN)
    trust_everything(root)
    script = {"tasks": {"*": {"turns": [turn(write("notes.txt")), turn(finish())]}}}
    found: dict[str, dict[str, Any]] = {}
    async with Double(scenario=script) as double:
        variables = {"ANTHROPIC_API_KEY": double.key, "ANTHROPIC_BASE_URL": double.url}
        async with engine(root, variables) as held:
            for name, (title, files) in TASKS.items():
                before = len(double.messages)
                run = await held.run(name, title, task_fields={"files": files})
                await held.checkpoint(run)
                found[name] = double.messages[before].body or {}
                await held.decide(run, "discard")
                await held.ended(run)
    return found


def tokens() -> list[dict[str, Any]]:
    requests = asyncio.run(first_requests())
    active = skills.shipped_skills().active
    bodies = "\n\n".join(skills.load(active, name).text for name in sorted(active))
    rows, saved = [], []
    for name, body in requests.items():
        small, large = size(sent(body)) / 4, size(with_all(body, bodies)) / 4
        saved.append((1 - small / large) * 100)
        index = sum(line.startswith("- ") for line in _index(body))
        told = f"all {len(active)} texts: {large:,.0f} tokens; {index} skills listed"
        rows.append(row(f"first request, task “{name}”", small, "tokens", None, told))
    rows.append(row("saved in the worst of these", min(saved), "%", LEAST_SAVED, "all texts at once: 0 %", least=True))
    prefix = max(size([body["system"], body["tools"]]) for body in requests.values())
    rows.append(row("system prompt and tools", prefix, "bytes", LARGEST_PREFIX, "4.5 KB"))
    return rows


def _index(body: dict[str, Any]) -> list[str]:
    return str(body["messages"][0]["content"][0]["text"]).partition("Skills for this task")[2].splitlines()


def speed() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        skills.shipped_skills()
        listed = [found.skill for found in skills.discover(root, root / "trust.json").active.values()]
        subjects = [skills.Subject(title, files=tuple(files)) for title, files in TASKS.values()]
        matching = _median(lambda: [skills.match(listed, subject) for subject in subjects]) / len(subjects)
        looking = _median(lambda: skills.discover(root, root / "trust.json"))
    begin = time.perf_counter()
    skills.shipped_skills.__wrapped__()
    reading = (time.perf_counter() - begin) * 1000
    return [
        row("matching one task", matching, "ms", 1.0, f"{len(listed)} skills"),
        row(
            "looking for skills in a workspace without any",
            looking,
            "ms",
            20.0,
            f"reading all shipped: {reading:.0f} ms",
        ),
    ]


def _median(work: Any, rounds: int = 30) -> float:
    """Milliseconds of this thread's own time: other work on the machine does not count."""
    took = []
    for _ in range(rounds):
        begin = time.thread_time()
        work()
        took.append((time.thread_time() - begin) * 1000)
    return statistics.median(took)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    rows = [*tokens(), *speed()]
    if options.json:
        print(json.dumps(rows))
    else:
        print("tokens are estimated: bytes of JSON / 4")
        for each in rows:
            sign = "≥" if each["least"] else "≤"
            bar = f"{sign} {each['bar']:,g}" if each["bar"] is not None else ""
            mark = "" if each["ok"] else "  OVER THE BAR"
            print(f"{each['name']:<48} {each['value']:>10,.2f} {each['unit']:<7} {bar:<9} {each['floor']}{mark}")
    return 0 if all(each["ok"] for each in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
