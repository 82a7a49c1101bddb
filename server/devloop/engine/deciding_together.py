"""One answer for all tasks of a group that wait (`grouping.py`): given to each, in the order of the plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from devloop.engine import grouping
from devloop.errors import NotFound, Refused, UsageError
from devloop.lists import some
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.spec import DECISIONS

Row = dict[str, Any]
Decide = Callable[[Row], Awaitable[Row]]


async def decide(services: Services, params: Row, one: Decide) -> Row:
    """`{"group", "decision", "runs": [as of one run], "skipped": [{run, why}]}`. `one` answers the checkpoint of one.

    `checkpoints` (`{run: number}`): those that the person saw. No other is answered, and none that has changed since.
    Where a checkpoint does not offer the decision (a question, a gate that fails) it stays open and is named. Raises
    `NotFound`, `Refused` while one of the tasks is still at work (and none are named), or when all that are named have
    changed, `UsageError` where no checkpoint offers it.
    """
    group, decision = str(params["group"]), str(params.get("decision"))
    if params.get("leave_out"):
        raise UsageError("Files are left out of one task at a time.", hint="Name the run instead of the group.")
    seen = _seen(params)
    if decision == "answer":  # each asks something else, and a yes to a command is a yes to that one
        raise UsageError("Questions are answered one at a time.", hint="Name the run instead of the group.")
    rows = grouping.of_group(services, group)
    if not rows:
        raise NotFound(f"No task of a group {one_line(group, 60)!r} is open.")
    working = [row["task_id"] for row in rows if not _waits(row)]
    if working and seen is None:
        raise Refused(
            f"Task {some(working, 5)} of the group is still at work.",
            hint="Answer one run by its name, or wait for all of them.",
        )
    if seen is not None:
        rows = [row for row in rows if _waits(row) and seen.get(row["id"]) == row["checkpoint"]]
        if not rows:
            raise Refused("Nothing waits any more as you saw it.", hint="See what there is with `devloop status`.")
    answered: list[Row] = []
    skipped: list[Row] = []
    changed = seen.keys() - {row["id"] for row in rows} if seen is not None else ()
    skipped += [{"run": run, "why": "it does not wait any more as you saw it"} for run in sorted(changed)]
    for row in rows:
        known = services.store.checkpoint(row["id"], row["checkpoint"])
        offered = known["content"]["decisions"] if known is not None else []
        if decision not in offered:
            skipped.append({"run": row["id"], "why": f"it offers {', '.join(offered)}"})
            continue
        try:
            answered.append(await one({**params, "group": None, "run": row["id"], "checkpoint": row["checkpoint"]}))
        except Refused as problem:  # somebody else was first
            skipped.append({"run": row["id"], "why": problem.message})
    if not answered:
        why = "is not possible at any of them" if decision in DECISIONS else "is no decision"
        raise UsageError(
            f"{decision!r} {why}.", hint="; ".join(f"{each['run']}: {each['why']}" for each in skipped[:5])
        )
    return {"group": group, "decision": decision, "runs": answered, "skipped": skipped}


def _waits(row: Row) -> bool:
    return row["state"] == "waiting" and not grouping.is_held(row)


def _seen(params: Row) -> Row | None:
    found = params.get("checkpoints")
    if found is None:
        return None
    if not isinstance(found, dict) or not found or not all(type(number) is int for number in found.values()):
        raise UsageError('`checkpoints` names the runs that were seen: {"run-1.1-1": 1}.')
    return found
