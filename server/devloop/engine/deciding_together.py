"""One answer for all tasks of a group that wait (`grouping.py`): given to each, in the order of the plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from devloop.engine import grouping
from devloop.errors import NotFound, Refused, UsageError
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.spec import DECISIONS

Row = dict[str, Any]
Decide = Callable[[Row], Awaitable[Row]]


async def decide(services: Services, params: Row, one: Decide) -> Row:
    """`{"group", "decision", "runs": [as of one run], "skipped": [{run, why}]}`. `one` answers the checkpoint of one.

    Where a checkpoint does not offer the decision (a question, a gate that fails) it stays open and is named. Raises
    `NotFound`, `Refused` while one of the tasks is still at work, `UsageError` where no checkpoint offers it.
    """
    group, decision = str(params["group"]), str(params.get("decision"))
    if params.get("leave_out"):
        raise UsageError("Files are left out of one task at a time.", hint="Name the run instead of the group.")
    rows = grouping.of_group(services, group)
    if not rows:
        raise NotFound(f"No task of a group {one_line(group, 60)!r} is open.")
    working = [row["task_id"] for row in rows if row["state"] != "waiting" or grouping.is_held(row)]
    if working:
        raise Refused(
            f"Task {', '.join(working[:5])} of the group is still at work.",
            hint="Answer one run by its name, or wait for all of them.",
        )
    answered: list[Row] = []
    skipped: list[Row] = []
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
