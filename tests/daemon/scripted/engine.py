"""An engine that follows a script instead of a model: a real process on the real protocol, with its runs in a file.

A task's title says what happens to its run: `question`, `fails`, `exhausts`, `works` (for ever), `flood` (many events),
anything else ends at a checkpoint. Runs survive the process, as those of the real engine do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path

from devloop.errors import NotFound, Refused
from devloop.rpc import Peer

ZERO = {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0}


class Engine:
    def __init__(self, state: Path) -> None:
        self.state = state
        self.file = state / "records.db"
        self.kept = json.loads(self.file.read_text()) if self.file.exists() else {"runs": {}, "events": []}
        self.variables: dict[str, str] = {}
        self.peer: Peer
        self.tasks: set[asyncio.Task[None]] = set()

    def handlers(self):
        names = (
            "environment",
            "start",
            "decide",
            "cancel",
            "runs",
            "show",
            "diff",
            "events",
            "budget",
            "status",
            "stop",
        )
        return {f"engine/{name}": getattr(self, name) for name in names}

    def save(self) -> None:
        self.file.write_text(json.dumps(self.kept))

    def emit(self, kind, data, run=None, store=True):
        number = len(self.kept["events"]) + 1 if store else None
        event = {"seq": number, "at": time.time(), "run": run, "kind": kind, "data": data}
        if store:
            self.kept["events"].append(event)
            self.save()
        self.peer.notify("engine/event", event)

    def go(self, work) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def environment(self, params):
        first = not self.variables
        self.variables.update(params["variables"])
        if first:
            if (self.state / "engine-refuses").exists():
                raise Refused("The engine can't work here.", hint="Remove the file.")
            if (self.state / "engine-dies").exists():
                print("scripted death", file=sys.stderr, flush=True)
                os._exit(3)
            self.save()
            for run in self.kept["runs"].values():
                if run["state"] in ("queued", "working"):
                    self.go(self.work(run))
        return {"pid": os.getpid()}

    async def start(self, params):
        task = params["task"]
        for run in self.kept["runs"].values():
            if run["task"] == task["id"] and run["state"] != "ended":
                return {"run": run["id"], "attempt": run["attempt"], "state": run["state"], "attached": True}
        loop = {**params["loop"], "id": f"loop-{len(self.kept['runs'])}"}
        run = self.record(task, loop)
        self.go(self.work(run))
        return {"run": run["id"], "attempt": run["attempt"], "state": run["state"], "attached": False}

    def record(self, task, loop):
        attempt = 1 + sum(run["task"] == task["id"] for run in self.kept["runs"].values())
        run = {
            "id": f"run-{task['id']}-{attempt}",
            "task": task["id"],
            "title": task["title"],
            "agent": "engineer",
            "mode": None,
            "state": "queued",
            "outcome": None,
            "reason": None,
            "turn": 0,
            "waiting_for": None,
            "cost_usd": 0.0125,
            "tokens": {**ZERO, "input": 900, "output": 100},
            "model": "scripted-model",
            "scripted": True,
            "attempt": attempt,
            "loop": loop["id"],
            "loop_limit": loop["limit"],
            "loop_done": loop["done"],
            "started": time.time(),
            "ended": None,
            "branch": None,
            "commit": None,
            "checkpoint": None,
            "spec": {"task": task, "loop": loop},
            "content": None,
        }
        self.kept["runs"][run["id"]] = run
        self.emit("run.queued", {"task": task["id"], "title": task["title"], "attempt": attempt}, run["id"])
        return run

    def set_state(self, run, state, **more):
        run.update(state=state, **more)
        self.save()
        self.emit("run.state", {"state": state, "waiting_for": run["waiting_for"]}, run["id"])

    async def apply(self, run, kind, text=""):
        reference = {key: run["spec"]["task"][key] for key in ("id", "key", "title", "line")}
        event = {"kind": kind, "task": reference, "text": text, "at": "2026-03-04T05:06:07+00:00"}
        return await self.peer.request("plan/apply", {"event": event})

    async def work(self, run):
        title = run["title"]
        self.set_state(run, "working", turn=1, waiting_for=None)
        await self.apply(run, "started")
        self.emit("turn.started", {"turn": 1}, run["id"])
        for tokens in range(1, 4):
            self.emit(
                "turn.progress", {"turn": 1, "doing": "text", "tokens": tokens, "tool": None}, run["id"], store=False
            )
        self.emit("tool.started", {"turn": 1, "tool": "edit"}, run["id"])
        self.emit("tool.ended", {"turn": 1, "summary": "edit a.py \x1b[31m[red]", "is_error": False}, run["id"])
        self.emit("turn.ended", {"turn": 1, "outcome": "finished"}, run["id"])
        if "works" in title:
            return
        if "flood" in title:
            await self.flood(run)
        if "fails" in title:
            await self.end(run, "failed", "the model's answer made no sense")
        elif "exhausts" in title:
            await self.end(run, "exhausted", "the cap of the run is used up")
        elif "question" in title:
            self.ask(
                run, "question", ["answer", "stop", "discard"], question={"text": "Which one?", "choices": ["a", "b"]}
            )
        else:
            self.emit("gate.ended", {"gate": "tests", "verdict": "pass", "reason": "", "required": True}, run["id"])
            if run["spec"]["loop"]["decide"]:
                await self.decided(run, run["spec"]["loop"]["decide"])
            else:
                self.ask(run, "decision", ["continue", "commit", "fresh", "stop", "revise", "discard"])

    async def flood(self, run):
        for number in range(3000):
            self.emit(
                "turn.progress", {"turn": 1, "doing": "x" * 50, "tokens": number, "tool": None}, run["id"], store=False
            )
        padding = "y" * 20_000
        for number in range(1000):
            event = {
                "seq": 1_000_000 + number,
                "at": time.time(),
                "run": run["id"],
                "kind": "notice",
                "data": {"text": padding},
            }
            self.peer.notify("engine/event", event)
            if number % 50 == 0:
                await asyncio.sleep(0.005)

    def ask(self, run, kind, decisions, question=None):
        number = (run["checkpoint"] or 0) + 1
        content = {
            "number": number,
            "kind": kind,
            "summary": "Did it. \x1b[2J[bold]",
            "decisions": decisions,
            "diff": {
                "files": 1,
                "added": 2,
                "deleted": 1,
                "list": [{"path": "a.py", "status": "M", "added": 2, "deleted": 1}],
            },
            "gates": [
                {
                    "gate": "tests",
                    "kind": "tests",
                    "verdict": "pass",
                    "reason": "",
                    "required": True,
                    "exit_code": 0,
                    "counts": {"passed": 3},
                    "duration_s": 0.4,
                    "command": ["pytest"],
                    "tree": "t",
                }
            ],
            "guards": [],
            "question": question,
            "problem": None,
            "cost_usd": 0.0125,
            "turns": 1,
            "tokens": run["tokens"],
            "scripted": True,
            "notices": [],
            "opened": time.time(),
        }
        run["content"] = content
        waiting_for = "an answer" if kind == "question" else "a decision"
        self.set_state(run, "waiting", waiting_for=waiting_for, checkpoint=number)
        self.emit("checkpoint.opened", content, run["id"])

    async def decide(self, params):
        run = self.find(params["run"])
        if run["state"] != "waiting":
            raise Refused(f"{run['id']} does not wait for a decision.")
        number = run["checkpoint"]
        self.set_state(run, "working", waiting_for=None)
        data = {"number": number, "decision": params["decision"], "message": params["message"] or ""}
        left = {"leave_out": params["leave_out"]} if params.get("leave_out") else {}
        self.emit("checkpoint.closed", {**data, **left}, run["id"])
        self.go(self.decided(run, params["decision"]))
        return {"run": run["id"], "checkpoint": number, "decision": params["decision"], **left}

    async def decided(self, run, decision):
        if decision in ("revise", "answer"):
            self.ask(run, "decision", ["continue", "commit", "stop", "discard"])
            return
        if decision == "discard":
            await self.apply(run, "discarded")
            await self.end(run, "discarded", "discarded by a person")
            return
        await self.apply(run, "completed", "done")
        if decision == "commit":
            await self.apply(run, "committed", "abc1234")
        await self.end(run, "landed" if decision == "commit" else "accepted", "")
        loop = run["spec"]["loop"]
        if decision not in ("continue", "commit"):
            return
        if loop["limit"] is not None and loop["done"] + 1 >= loop["limit"]:
            self.emit("loop.ended", {"loop": loop["id"], "state": "limit", "done": loop["done"] + 1}, run["id"])
            return
        held = [each["task"] for each in self.kept["runs"].values() if each["state"] != "ended"]
        following = await self.peer.request("plan/next", {"held": held})
        if not following.get("task"):
            data = {"loop": loop["id"], "state": following["state"], "done": loop["done"] + 1}
            self.emit("loop.ended", data, run["id"])
            return
        self.go(self.work(self.record(following["task"], {**loop, "done": loop["done"] + 1})))

    async def end(self, run, outcome, reason):
        if outcome in ("failed", "exhausted", "cancelled"):
            await self.apply(run, "reset")
        self.set_state(run, "ended", outcome=outcome, reason=reason, ended=time.time(), waiting_for=None)
        self.emit("run.ended", {"outcome": outcome, "reason": reason}, run["id"])

    async def cancel(self, params):
        run = self.find(params["run"])
        self.go(self.end(run, "cancelled", "cancelled by a person"))
        return {"run": run["id"], "state": "cancelling"}

    def find(self, name):
        if name not in self.kept["runs"]:
            raise NotFound(f"There is no run {name!r}.")
        return self.kept["runs"][name]

    def shown(self, run):
        return {key: value for key, value in run.items() if key not in ("spec", "content")}

    async def runs(self, params):
        found = [
            self.shown(run)
            for run in self.kept["runs"].values()
            if params.get("task") in (None, run["task"]) and not (params.get("open") and run["state"] == "ended")
        ]
        return {"runs": found[::-1][: params.get("limit") or 50]}

    async def show(self, params):
        run = self.find(params["run"])
        turn = {"number": 1, "model": "scripted-model", "scripted": True, "stop_reason": "end_turn", "request_id": None}
        turn |= {"cost_usd": 0.0125, "tools": [{"name": "edit", "summary": "edit a.py"}], "tokens": run["tokens"]}
        content = run["content"] if run["state"] == "waiting" else None
        return {"run": self.shown(run), "turns": [turn], "gates": [], "checkpoint": content, "notices": []}

    async def diff(self, params):
        run = self.find(params["run"])
        patch = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new \x1b[31m\r\n"
        files = [{"path": "a.py", "status": "M", "added": 1, "deleted": 1, "binary": False}]
        return {"run": run["id"], "base": "b", "commit": "c", "patch": patch, "files": files, "added": 1, "deleted": 1}

    async def events(self, params):
        after, limit, run = params.get("after", -1), params.get("limit") or 500, params.get("run")
        found = [event for event in self.kept["events"] if run in (None, event["run"])]
        found = found[-limit:] if after < 0 else [event for event in found if event["seq"] > after][:limit]
        return {"events": found, "last": len(self.kept["events"])}

    async def budget(self, params):
        spent = {"usd": 0.0125, "turns": 1, **ZERO, "input": 900}
        caps = {"run_usd": 5.0, "plan_usd": None, "day_usd": 25.0, "run_tokens": None, "turns": 60, "wall": 3600.0}
        rows = [{"label": "1.1", **spent}]
        return {
            "caps": caps,
            "day": spent,
            "total": spent,
            "by_task": rows,
            "by_agent": [],
            "by_mode": [],
            "by_day": rows,
        }

    async def status(self, params):
        return {
            "pid": os.getpid(),
            "state": "ready",
            "variables": sorted(k for k, v in self.variables.items() if v),
            "sandbox": {"backend": "bubblewrap", "degraded": False, "state": "on", "reason": "It works.", "fix": ""},
            "model": {"name": "scripted-model", "scripted": True, "key": bool(self.variables.get("ANTHROPIC_API_KEY"))},
            "runs": [self.shown(run) for run in self.kept["runs"].values() if run["state"] != "ended"],
            "budget": await self.budget({}),
        }

    async def stop(self, params):
        return {"stopping": True}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    arguments = parser.parse_args()
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=arguments.fd))
    engine = Engine(arguments.state)
    engine.peer = Peer(reader, writer, engine.handlers(), name="daemon")
    with (arguments.state / "environments.txt").open("a") as seen:
        seen.write(json.dumps({k: v for k, v in os.environ.items() if k.startswith(("ANTHROPIC", "DEVLOOP"))}) + "\n")
    await engine.peer.serve()
    os._exit(0)


asyncio.run(main())
