"""The engine: a durable step, start to the first model request, the three-turn job, memory. Prints bars beside floors.

    python tests/bench/bench_engine.py [--json] [--rounds N]

Everything is real: the engine's process, git, the sandbox, the SDK, and HTTP to the strict local double.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from double import Double  # noqa: E402
from support.engines import Engine, EngineClient, trust_everything, work  # noqa: E402
from support.projects import tiny_project  # noqa: E402

PLAN = "# P\n\n## Phase 1: A\n\n- [ ] Task 1.1: Change the notes\n"
JOB = {
    "tasks": {
        "*": {
            "turns": [
                {"calls": [{"name": "read_file", "input": {"path": "notes.txt"}}]},
                {
                    "calls": [
                        {
                            "name": "edit_file",
                            "input": {"path": "notes.txt", "old_string": "start", "new_string": "end"},
                        }
                    ]
                },
                {"calls": [{"name": "finish", "input": {"summary": "done"}}]},
            ]
        }
    }
}


def row(name: str, value: float, unit: str, bar: float | None, floor: str = "") -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "bar": bar, "floor": floor}


def durable_step(count: int = 300) -> list[dict[str, Any]]:
    """A no-op step as the engine configures DBOS, beside one bare insert and commit with the same pragmas."""
    code = f"""
import asyncio, json, sys, tempfile, time, pathlib
from devloop.paths import StateDir
from devloop.engine.database import configuration, forbid_pickle
from dbos import DBOS
state = StateDir(pathlib.Path(tempfile.mkdtemp())).make()
@DBOS.step(name="noop")
async def noop(n): return {{"n": n}}
@DBOS.workflow(name="w")
async def w(count):
    for n in range(count): await noop(n)
    return 1
async def main():
    forbid_pickle()
    DBOS(config=configuration(state, None)); DBOS.launch()
    await w(20)
    begin = time.perf_counter(); await w({count}); took = time.perf_counter() - begin
    print(json.dumps(took / {count} * 1000)); sys.stdout.flush()
    import os; os._exit(0)
asyncio.run(main())
"""
    step = float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    folder = tempfile.mkdtemp()
    connection = sqlite3.connect(f"{folder}/floor.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"pragma {pragma}")
    connection.execute("create table t (n integer, v text)")
    begin = time.perf_counter()
    for n in range(count):
        connection.execute("begin immediate")
        connection.execute("insert into t values (?, ?)", (n, "{}"))
        connection.execute("commit")
    bare = (time.perf_counter() - begin) / count * 1000
    connection.close()
    shutil.rmtree(folder)
    return [row("durable step", step, "ms", 2.0, f"bare SQLite insert and commit: {bare:.3f} ms")]


async def _job(engine: Engine, double: Double, task: str) -> tuple[float, float, int, int]:
    """(start to first request, first request to the end of the turns, uploaded bytes, requests) of one job."""
    before = len(double.messages)
    begin = time.perf_counter()
    run = await engine.run(task, "Change the notes", task_fields={"key": task})
    await double.reached(before + 1)
    first = time.perf_counter()
    await engine.until("checkpoint.opened", run)
    checking = next(
        e for e in engine.events if e["run"] == run and e["kind"] == "turn.ended" and e["data"]["outcome"] == "finished"
    )
    turns_done = first + (checking["at"] - time.time()) + (time.perf_counter() - first)
    entries = double.messages[before:]
    await engine.ask("decide", run=run, decision="discard")
    await engine.until("run.ended", run)
    return first - begin, turns_done - first, sum(e.size for e in entries), len(entries)


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu(pid: int) -> tuple[float, float]:
    """Seconds of CPU time: of a process, and of those that it started and that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    tick = os.sysconf("SC_CLK_TCK")
    return own / tick, children / tick


async def _landed(engine: Engine, tasks: int) -> tuple[float, float]:
    """CPU seconds of a task from its start until it landed, the least of some: of the engine, of git and the gates."""
    assert engine.client is not None
    found = []
    for number in range(tasks):
        before = _cpu(engine.client.pid)
        run = await engine.run(f"land{number}", "Change the notes", task_fields={"key": f"land{number}"})
        await engine.checkpoint(run)
        await engine.decide(run, "commit")
        await engine.ended(run)
        found.append(tuple(now - then for now, then in zip(_cpu(engine.client.pid), before, strict=True)))
    return min(own for own, _ in found), min(children for _, children in found)


async def jobs(rounds: int) -> list[dict[str, Any]]:
    root = tiny_project(Path(tempfile.mkdtemp(prefix="dlb-")) / "project", PLAN)
    trust_everything(root)
    async with Double(scenario=JOB) as double:
        variables = {"ANTHROPIC_API_KEY": double.key, "ANTHROPIC_BASE_URL": double.url}
        begin = time.perf_counter()
        engine = Engine(root, EngineClient)
        await engine.up(variables)
        up = time.perf_counter() - begin
        assert engine.client is not None
        cold, *_ = await _job(engine, double, "cold")
        results = [await _job(engine, double, f"warm{n}") for n in range(rounds)]
        memory = _rss(engine.client.pid)
        first_body = double.messages[0].body or {}
        prefix = len(json.dumps([first_body.get("system"), first_body.get("tools")], separators=(",", ":")).encode())
        await engine.client.stop()
    scripted = Engine(root, EngineClient)
    await scripted.play({f"land{number}": work(f"{number}.txt") for number in range(rounds)})
    await scripted.up(scripted.variables)
    assert scripted.client is not None
    await asyncio.sleep(1.5)  # what "idle" means here: nothing asked for a moment
    idle, (started, _) = _rss(scripted.client.pid), _cpu(scripted.client.pid)
    own_cpu, git_cpu = await _landed(scripted, rounds)
    await scripted.client.stop()
    floor_first, floor_job = await _floor()
    warm = statistics.median(r[0] for r in results) * 1000
    own = statistics.median(r[1] for r in results)
    return [
        row("engine start to ready", up * 1000, "ms", None),
        row("engine start until idle, CPU", started, "s", None, "half of it loads dbos and SQLAlchemy"),
        row("a task until it landed, CPU of the engine", own_cpu, "s", None),
        row("a task until it landed, CPU of git and gates", git_cpu, "s", None),
        row("cold: ready to first request", cold * 1000, "ms", None, "imports the SDK"),
        row("warm: start to first request", warm, "ms", 100, f"bare httpx2 request: {floor_first * 1000:.1f} ms"),
        row("three-turn job after first request", own, "s", 0.3, f"bare httpx2 loop: {floor_job:.3f} s"),
        row("requests of the job", results[0][3], "", 3),
        row("uploaded by the job", results[0][2], "B", None),
        row("first request: system and tools", prefix, "B", 4500),
        row("engine memory, idle, no model library", idle, "MiB", 120),
        row("engine memory, after jobs with the SDK", memory, "MiB", None),
    ]


async def _floor() -> tuple[float, float]:
    """The same three requests by a bare HTTP loop: no SDK, no tools, no git, no durability."""
    import httpx2

    async with Double(scenario=JOB) as double, httpx2.AsyncClient(trust_env=False) as client:
        headers = {"x-api-key": double.key, "anthropic-version": "2026-10-21"}
        messages: list[dict[str, Any]] = [{"role": "user", "content": "Task: 1.1 Change the notes"}]
        tools = [
            {"name": n, "description": n, "input_schema": {"type": "object", "properties": {}}}
            for n in ("read_file", "edit_file", "finish")
        ]
        begin = time.perf_counter()
        first = 0.0
        for _ in range(3):
            body = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": messages, "tools": tools}
            answer = (await client.post(f"{double.url}/v1/messages", json=body, headers=headers)).json()
            first = first or time.perf_counter() - begin
            messages.append({"role": "assistant", "content": answer["content"]})
            results = [
                {"type": "tool_result", "tool_use_id": b["id"], "content": "ok"}
                for b in answer["content"]
                if b["type"] == "tool_use"
            ]
            messages.append({"role": "user", "content": results})
        return first, time.perf_counter() - begin - first


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args(argv)
    os.environ["DEVLOOP_STATE_DIR"] = tempfile.mkdtemp(prefix="dlb-")
    os.environ["DEVLOOP_CONFIG_DIR"] = tempfile.mkdtemp(prefix="dlb-")
    rows = durable_step() + asyncio.run(jobs(arguments.rounds))
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return 0
    for item in rows:
        bar = "" if item["bar"] is None else f"bar {item['bar']:g} {item['unit']}"
        print(f"{item['name']:42} {item['value']:>10g} {item['unit']:4} {bar:14} {item['floor']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
