"""What the engine tells the daemon: runs, events, budget, as plain objects (ARCHITECTURE.md names their shapes)."""

from __future__ import annotations

import asyncio
from typing import Any

from devloop.errors import NotFound
from devloop.redact import one_line
from devloop.runs import money, transcript_text
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Transcript

Row = dict[str, Any]


def summary(services: Services, row: Row, spent: Row | None = None) -> Row:
    """A run as everybody is told of it. `spent`: what its turns used, where that is known already."""
    clean = services.redactor.text
    spec = RunSpec.model_validate(row["spec"])
    limits = money.limits_of(services, spec)["run"]
    return {
        "id": row["id"],
        "task": row["task_id"],
        "key": row["task_key"],
        "title": one_line(clean(row["title"])),
        "agent": row["agent"],
        "mode": row["mode"],
        "model": row["model"],
        "scripted": row["scripted"],
        "state": row["state"],
        "outcome": row["outcome"],
        "reason": row["reason"] and clean(row["reason"]),
        "turn": row["turn"],
        "turn_limit": limits.turns,
        "waiting_for": row["waiting_for"] and clean(row["waiting_for"]),
        **(money.so_far(services, row["id"]) if spent is None else money.figures(spent)),
        "attempt": row["attempt"],
        "loop": row["loop"],
        "loop_limit": spec.loop.limit,
        "loop_done": spec.loop.done,
        "started": row["started"],
        "ended": row["ended"],
        "branch": row["branch"],
        "commit": row["commit_id"],
        "checkpoint": row["checkpoint"],
    }


def find(services: Services, run: str) -> Row:
    row = services.store.run(run)
    if row is None:
        known = ", ".join(r["id"] for r in services.store.find_runs(limit=5)) or "none yet"
        raise NotFound(f"There is no run {one_line(run)!r}.", hint=f"The newest runs: {known}.")
    return row


def runs(services: Services, params: Row) -> Row:
    """The newest runs, newest first. `task`: only those of a task, by its id; `open`: only those that did not end."""
    limit, still_open = int(params.get("limit") or 50), bool(params.get("open"))
    rows = services.store.find_runs(task=params.get("task"), open_only=still_open, limit=limit)
    spent = services.store.spent_of([row["id"] for row in rows])
    return {"runs": [summary(services, row, spent[row["id"]]) for row in rows]}


def show(services: Services, params: Row) -> Row:
    row = find(services, str(params.get("run")))
    checkpoint = services.store.checkpoint(row["id"], row["checkpoint"]) if row["checkpoint"] else None
    return {
        "run": summary(services, row),
        "turns": [_turn(turn) for turn in services.store.turns(row["id"])],
        "gates": services.store.gates(row["id"]),
        "checkpoint": checkpoint["content"] if checkpoint else None,
        "notices": row["notices"],
    }


def _turn(turn: Row) -> Row:
    usage = {name: turn[name] for name in ("input", "output", "cache_read", "cache_write")}
    kept = ("number", "model", "scripted", "stop_reason", "request_id", "cost_usd", "tools", "at", "duration_s")
    return {**{name: turn[name] for name in kept}, "tokens": usage}


async def diff(services: Services, params: Row) -> Row:
    """The run's changes against its base: its commit, else its newest snapshot."""
    row = find(services, str(params.get("run")))
    commit = row["commit_id"] or _last_snapshot(services, row["id"])
    if row["base"] is None or commit is None:
        return {
            "run": row["id"],
            "base": row["base"],
            "commit": None,
            "patch": "",
            "files": [],
            "added": 0,
            "deleted": 0,
        }
    found = await services.workspace.diff(row["base"], commit)
    files = [
        {"path": f.path, "status": f.status, "added": f.added, "deleted": f.deleted, "binary": f.binary}
        for f in found.files
    ]
    patch = services.redactor.text(found.patch)
    return {
        "run": row["id"],
        "base": row["base"],
        "commit": commit,
        "patch": patch,
        "files": files,
        "added": found.added,
        "deleted": found.deleted,
    }


async def transcript(services: Services, params: Row) -> Row:
    """A run's conversation, to read: `{"run", "text"}`, Markdown."""
    row = find(services, str(params.get("run")))
    told = Transcript(services.folder(row["id"]), services.redactor)
    text = await asyncio.to_thread(transcript_text.markdown, row, told, services.redactor)
    return {"run": row["id"], "text": text}


def _last_snapshot(services: Services, run: str) -> str | None:
    transcript = Transcript(services.folder(run), services.redactor)
    return transcript.snapshot(transcript.last_turn() + 1)


def events(services: Services, params: Row) -> Row:
    after = params.get("after")
    limit = min(int(params.get("limit") or 500), 5000)
    found = services.store.events(after=-1 if after is None else int(after), limit=limit, run=params.get("run"))
    return {"events": found, "last": services.store.last_event()}
