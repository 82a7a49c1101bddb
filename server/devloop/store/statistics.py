"""What runs cost and what came of them, by agent, mode, model, task and day.

A run counts on the day it began, its tokens and money on the days and for the models they were used with. Money is US
dollars, times are Unix seconds, days the person's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from devloop.store.schema import gates, runs, turns
from devloop.store.turns import TOKENS, sums

Row = dict[str, Any]

DIMENSIONS: Final = ("agent", "mode", "model", "task", "day")
ACCEPTED: Final = ("accepted", "landed")


def run_facts(engine: sa.Engine, workspace: str) -> list[Row]:
    """Every run, oldest first: `id task agent mode model scripted outcome created started ended commit rounds`, the
    last being the number of commits that gates looked at."""
    rounds = (
        sa.select(gates.c.run, sa.func.count(sa.distinct(gates.c.commit_id)).label("rounds"))
        .where(gates.c.workspace == workspace)
        .group_by(gates.c.run)
        .subquery()
    )
    names = ("agent", "mode", "model", "scripted", "outcome", "created", "started", "ended")
    query = (
        sa.select(
            runs.c.id,
            runs.c.task_id.label("task"),
            runs.c.commit_id.label("commit"),
            *(runs.c[name] for name in names),
            sa.func.coalesce(rounds.c.rounds, 0).label("rounds"),
        )
        .select_from(runs.outerjoin(rounds, runs.c.id == rounds.c.run))
        .where(runs.c.workspace == workspace, runs.c.task_id != "@land")  # no agent's work: it brought some home
        .order_by(runs.c.created, runs.c.id)
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def turn_facts(engine: sa.Engine, workspace: str, since: float | None) -> list[Row]:
    """What turns used, by `run`, `model` and `day`: `turns usd scripted_usd input output cache_read cache_write`."""
    query = sa.select(turns.c.run, turns.c.model, turns.c.day, *sums()).where(turns.c.workspace == workspace)
    if since is not None:
        query = query.where(turns.c.at >= since)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.group_by(*query.selected_columns[:3])).mappings()]


def statistics(found: Sequence[Row], used: Sequence[Row], since: float | None) -> Row:
    """`{"total": group, "agent": [group…], "mode": …, "model": …, "task": …, "day": …}`, the most expensive first, of
    days the newest. A group: `label runs tasks ended accepted success turns usd scripted_usd input output cache_read
    cache_write cache_share rounds usd_per_accepted`; shares are null where nothing can be divided."""
    by_id = {row["id"]: row for row in found}
    begun = [row for row in found if since is None or row["created"] >= since]
    spent = [{**row, "of": by_id[row["run"]]} for row in used if row["run"] in by_id]
    labels: Mapping[str, tuple[Callable[[Row], str], Callable[[Row], str]]] = {
        "agent": (lambda run: run["agent"], lambda turn: turn["of"]["agent"]),
        "mode": (_mode, lambda turn: _mode(turn["of"])),
        "model": (lambda run: run["model"], lambda turn: turn["model"]),
        "task": (lambda run: run["task"], lambda turn: turn["of"]["task"]),
        "day": (lambda run: _day(run["created"]), lambda turn: turn["day"]),
    }
    answer: Row = {"total": _group("", begun, spent)}
    for name in DIMENSIONS:
        of_run, of_turn = labels[name]
        runs_of, turns_of = _by_label(begun, of_run), _by_label(spent, of_turn)
        groups = [
            _group(label, runs_of.get(label, []), turns_of.get(label, []))
            for label in dict.fromkeys([*runs_of, *turns_of])
        ]
        if name == "day":
            groups.sort(key=lambda group: str(group["label"]), reverse=True)
        else:
            groups.sort(key=lambda group: (-group["usd"], -group["runs"], str(group["label"])))
        answer[name] = groups
    return answer


def sessions(found: Iterable[Row], used: Iterable[Row], since: float | None) -> list[Row]:
    """Runs as upstream's records of sessions name them (state-files §4), times as Unix seconds."""
    tokens: dict[str, int] = {}
    for row in used:
        tokens[row["run"]] = tokens.get(row["run"], 0) + sum(row[name] for name in TOKENS)
    return [
        {
            "session_id": row["id"],
            "model": row["model"],
            "start_time": row["started"] or row["created"],
            "end_time": row["ended"],
            "start_tokens": 0,
            "end_tokens": tokens.get(row["id"], 0),
            "tokens_used": tokens.get(row["id"], 0),
            "tasks_completed": [row["task"]] if row["outcome"] in ACCEPTED else [],
            "commits": [row["commit"]] if row["commit"] and row["outcome"] in ACCEPTED else [],
        }
        for row in found
        if since is None or row["created"] >= since
    ]


def _by_label(rows: Iterable[Row], label: Callable[[Row], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(label(row), []).append(row)
    return found


def _mode(run: Row) -> str:
    return f"{run['agent']}:{run['mode']}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d")


def _group(label: str, begun: Sequence[Row], spent: Sequence[Row]) -> Row:
    ended = [run for run in begun if run["outcome"] is not None]
    accepted = [run for run in ended if run["outcome"] in ACCEPTED]
    checked = [run["rounds"] for run in begun if run["rounds"]]
    total = {name: sum(turn[name] for turn in spent) for name in ("turns", "usd", "scripted_usd", *TOKENS)}
    read = total["input"] + total["cache_read"] + total["cache_write"]
    return {
        "label": label,
        "runs": len(begun),
        "tasks": len({run["task"] for run in begun}),
        "ended": len(ended),
        "accepted": len(accepted),
        "success": round(len(accepted) / len(ended), 4) if ended else None,
        **{name: round(value, 6) for name, value in total.items()},
        "cache_share": round(total["cache_read"] / read, 4) if read else None,
        "rounds": round(sum(checked) / len(checked), 2) if checked else None,
        "usd_per_accepted": round(total["usd"] / len(accepted), 6) if accepted else None,
    }
