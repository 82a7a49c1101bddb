"""What the engine tells the daemon: runs, events, budget, as plain objects (ARCHITECTURE.md names their shapes)."""

from __future__ import annotations

import asyncio
from typing import Any

from devloop.engine import grouping
from devloop.errors import NotFound, UsageError
from devloop.redact import PLACEHOLDER, one_line
from devloop.runs import chaining, hooking, money, paths_told, reporting, transcript_data, transcript_text
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Transcript
from devloop.workspace import CONTENT_LIMIT, Content

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
        "state": grouping.SHOWN if grouping.is_held(row) else row["state"],
        "outcome": row["outcome"],
        "reason": row["reason"] and clean(row["reason"]),
        "choice": spec.choice,
        "turn": row["turn"],
        "turn_limit": limits.turns,
        "waiting_for": row["waiting_for"] and clean(row["waiting_for"]),
        **_figures(services, spec, spent),
        "attempt": row["attempt"],
        "errand": errand.command if (errand := spec.task.errand) else None,
        "part_of": errand.part_of if errand else None,
        "loop": row["loop"],
        "loop_limit": spec.loop.limit,
        "loop_done": spec.loop.done,
        "group": spec.loop.group.model_dump(include={"id", "size", "label"}) if spec.loop.group else None,
        "chain": chaining.told(spec),
        "started": row["started"],
        "ended": row["ended"],
        "branch": row["branch"],
        "commit": row["commit_id"],
        "checkpoint": None if grouping.is_held(row) else row["checkpoint"],
    }


def _figures(services: Services, spec: RunSpec, spent: Row | None) -> Row:
    """What a run cost."""
    if spent is None or spec.gathers:
        spent = money.spent_by(services, spec, reserved=False)
    return money.figures(spent)


def find(services: Services, run: str) -> Row:
    row = services.store.run(_text(run))
    if row is None:
        raise NotFound(f"There is no run {one_line(run)!r}.", hint=_meant_run(services, run))
    return row


def _text(given: str) -> str:
    """A terminal's arguments may be bytes that are no text; no record is called like that."""
    return given.encode("utf-8", "replace").decode()


def _meant_run(services: Services, said: str) -> str:
    """Which it could be: an id is not completed, because another run might begin alike tomorrow."""
    newest = [str(row["id"]) for row in services.store.find_runs(limit=200)]
    alike = [each for each in newest if said and each.startswith(said)]
    named = ", ".join((alike or newest)[:5]) or "none yet"
    return f"{'These begin so' if alike else 'The newest runs'}: {named}. All: devloop runs."


def runs(services: Services, params: Row) -> Row:
    """The newest runs, newest first. `task`: only those of a task, by its id; `open`: only those that did not end."""
    limit, still_open = int(params.get("limit") or 50), bool(params.get("open"))
    task = params.get("task")
    rows = services.store.find_runs(task=None if task is None else _text(str(task)), open_only=still_open, limit=limit)
    spent = services.store.spent_of([row["id"] for row in rows])
    return {"runs": [summary(services, row, spent[row["id"]]) for row in rows]}


def show(services: Services, params: Row) -> Row:
    row = find(services, str(params.get("run")))
    open_one = None if grouping.is_held(row) else row["checkpoint"]
    checkpoint = services.store.checkpoint(row["id"], open_one) if open_one else None
    return {
        "run": summary(services, row),
        "turns": [_turn(turn) for turn in services.store.turns(row["id"])],
        "gates": services.store.gates(row["id"]),
        "checkpoint": checkpoint["content"] if checkpoint else None,
        "decisions": _decisions(services, row["id"]),
        "decide": RunSpec.model_validate(row["spec"]).loop.decide,
        "notices": row["notices"],
        "report": reporting.report(services, row["id"]),
        "given": _given(row),
        "skills": services.store.skill_uses(row["id"]),
        "hooks": hooking.told(services, row["id"]),
    }


def _decisions(services: Services, run: str) -> list[Row]:
    """What was decided, oldest first: `{"number", "kind", "decision", "message", "by", "at", "guards", "guards_more"}`;
    `by`: person or rule; `guards`: the changes to the checks that were shown."""
    found, number = [], 1
    while (known := services.store.checkpoint(run, number)) is not None:
        if known["decision"] is not None:
            by = "rule" if known["content"].get("rule") else "person"
            message = services.redactor.text(known["message"] or "")
            about = {"number": number, "kind": known["content"]["kind"], "decision": known["decision"]}
            content = known["content"]
            shown = {"guards": content.get("guards") or [], "guards_more": content.get("guards_more") or 0}
            found.append({**about, "message": message, "by": by, "at": known["decided"], **shown})
        number += 1
    return found


def hooks(services: Services, params: Row) -> Row:
    """What came of each hook when it ran last: `{"results": [{"id", "run", "at", "result", "reason", "ms"}]}`."""
    return {"results": hooking.last_results(services)}


def _given(row: Row) -> Row | None:
    """What the command was called with that gave the errand to agents."""
    errand = RunSpec.model_validate(row["spec"]).task.errand
    return errand.given if errand is not None else None


def skills(services: Services, params: Row) -> Row:
    """How often each skill was offered and loaded, and what that was in tokens; see `Store.skill_stats`."""
    return {"skills": services.store.skill_stats()}


def stats(services: Services, params: Row) -> Row:
    """What runs cost and what came of them, by agent, mode, model, task and day; see `store.statistics`."""
    since = params.get("since")
    if isinstance(since, bool) or not isinstance(since, int | float | None):
        raise UsageError("`since` must be a time in Unix seconds, or null.")
    return services.store.statistics(since)


def _turn(turn: Row) -> Row:
    usage = {name: turn[name] for name in ("input", "output", "cache_read", "cache_write")}
    kept = ("number", "model", "scripted", "stop_reason", "request_id", "cost_usd", "tools", "at", "duration_s")
    return {**{name: turn[name] for name in kept}, "tokens": usage}


async def diff(services: Services, params: Row) -> Row:
    """The run's changes against its base; `files` are all of them, whatever the patch was cut to."""
    row = find(services, str(params.get("run")))
    base, commit = row["base"], _work(services, row)
    if base is None or commit is None:
        return {"run": row["id"], "base": base, "commit": None, "patch": "", "files": [], "added": 0, "deleted": 0}
    found, names = await services.workspace.diff(base, commit), paths_told.Names(services, row["id"])
    return {
        "run": row["id"],
        "base": base,
        "commit": commit,
        "patch": services.redactor.text(names.patch(found.patch, found.files)),
        "truncated": found.truncated,
        "files": [names.file(file) for file in found.files],
        "added": found.added,
        "deleted": found.deleted,
    }


async def content(services: Services, params: Row) -> Row:
    """One file of a run, `side` base or work: `{"run", "path", "side", "commit", "exists", "text", "binary", "size",
    "problem"}`; `text` is null where there is no such file, and where `problem` says why it is not shown. `commit`: as
    it stands in that one, so that what is being looked at stays what it was while the run goes on.

    Not redacted, and its control characters stay: it is the person's own file, shown in their editor, which has ways of
    its own to show what hides in a text. A comparison that is not true to the bytes would be worse than none.
    """
    row = find(services, str(params.get("run")))
    path, side = str(params.get("path") or ""), str(params.get("side") or "work")
    if side not in ("base", "work"):
        raise UsageError(f"{one_line(side, 40)!r} is no side of a run.", hint="Choose base or work.")
    commit = params.get("commit") or (row["base"] if side == "base" else _work(services, row) or row["base"])
    if not isinstance(commit, str | None):
        raise UsageError("`commit` must be a commit's full name.")
    said = path
    if commit is not None and PLACEHOLDER.search(path):  # as it was shown, without the secret in its name
        path = await _meant(services, row, commit, path)
    found = await services.workspace.content(commit, path) if commit is not None else None
    answer = {"run": row["id"], "path": said, "side": side, "commit": commit}
    if found is None:
        return {**answer, "exists": False, "text": None, "binary": False, "size": 0, "problem": None}
    return {
        **answer,
        "exists": True,
        "text": found.text,
        "binary": found.binary,
        "size": found.size,
        "problem": _not_shown(found),
    }


async def _meant(services: Services, row: Row, commit: str, path: str) -> str:
    work = _work(services, row) if commit == row["base"] else commit
    if row["base"] is None or work is None:
        return path
    changed = await services.workspace.diff(row["base"], work, limit=0)
    there = [each for file in changed.files for each in (file.path, file.old_path)]
    return paths_told.Names(services, row["id"]).meant(path, there)


def _not_shown(found: Content) -> str | None:
    if found.too_large:
        return f"It has {found.size / (1 << 20):.1f} MiB; up to {CONTENT_LIMIT >> 20} MiB are shown."
    return "It is a binary file." if found.binary else None


def _work(services: Services, row: Row) -> str | None:
    """The run's work: its commit; while the agent works (see `runs.turn`) or made none, its newest snapshot."""
    transcript = Transcript(services.folder(row["id"]), services.redactor)
    return row["commit_id"] or transcript.snapshot(transcript.last_turn() + 1)


async def transcript(services: Services, params: Row) -> Row:
    """A run's conversation, to read: `{"run", "text"}`, Markdown."""
    row = find(services, str(params.get("run")))
    told = Transcript(services.folder(row["id"]), services.redactor)
    asked = hooking.told(services, row["id"])
    text = await asyncio.to_thread(transcript_text.markdown, row, told, services.redactor, asked)
    return {"run": row["id"], "text": text}


async def conversation(services: Services, params: Row) -> Row:
    """A run's conversation as data, of turns after `after`; see `transcript_data`."""
    row, after = find(services, str(params.get("run"))), params.get("after") or 0
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise UsageError("`after` must be the number of a turn.")
    return await asyncio.to_thread(transcript_data.conversation, services, row, after)


def events(services: Services, params: Row) -> Row:
    after, run = params.get("after"), params.get("run")
    limit = min(int(params.get("limit") or 500), 5000)
    found = services.store.events(after=-1 if after is None else int(after), limit=limit, run=run and _text(str(run)))
    return {"events": found, "last": services.store.last_event()}
