"""Tasks of a loop that are done at the same time (plan-format §7): they wait for each other, and ask once.

Each is a run with a checkpoint of its own. One that comes to it while others still work is *held*: its checkpoint is
recorded, and nobody is told of it. When the last one waits or has ended, all are told, one after the other. Everything
here is computed from the records, so a kill changes nothing.
"""

from __future__ import annotations

from typing import Any

from devloop.runs import chaining, checkpoint
from devloop.runs.services import Services
from devloop.runs.spec import ACCEPTING, RunSpec

Row = dict[str, Any]

HELD = checkpoint.HELD
_WORKS_ON = ("answer", "revise")
SHOWN = "checking"
"""The state that front-ends are told of a held run: `waiting` would ask a person."""


def members(services: Services, spec: RunSpec) -> list[Row]:
    """The newest run of each task of the group, in order; of a task that stands alone its own."""
    found: dict[int, Row] = {}
    for row in services.store.find_runs(loop=spec.loop.id, limit=1000):  # newest first
        loop = RunSpec.model_validate(row["spec"]).loop
        if loop.begins == spec.loop.begins:
            found.setdefault(loop.done, row)
    return [found[place] for place in sorted(found)]


def of_group(services: Services, group: str) -> list[Row]:
    """Those of the group with this id that have not ended, in order."""
    rows = services.store.find_runs(open_only=True, limit=1000)
    found = [row for row in rows if (own := RunSpec.model_validate(row["spec"]).loop.group) and own.id == group]
    return sorted(found, key=lambda row: RunSpec.model_validate(row["spec"]).loop.done)


def _last_decision(services: Services, run: str) -> str | None:
    """The decision on the run's work that counts now; None where none was made yet, or where the work went on after it
    (an answer, a revision): what is accepted then without a checkpoint is the loop's own decision.
    """
    last, number = None, 1
    while (found := services.store.checkpoint(run, number)) is not None:
        if found["decision"] != "recheck":  # what was decided before is tried again
            last = None if found["decision"] in _WORKS_ON else found["decision"]
        number += 1
    return last


def _went_on(services: Services, row: Row) -> bool:
    taken: bool = row["outcome"] in chaining.TAKEN and not row["cancel"]
    return taken and _last_decision(services, row["id"]) in (None, "continue", "commit")


def _over(services: Services, row: Row) -> bool:
    """Ended, and no other mode goes on with its task."""
    if row["state"] != "ended":
        return False
    return chaining.following(RunSpec.model_validate(row["spec"])) is None or not _went_on(services, row)


def is_last(services: Services, spec: RunSpec) -> bool:
    """Whether no other task of the group is at work any more."""
    return spec.loop.group is None or all(
        row["id"] == spec.id or _over(services, row) for row in members(services, spec)
    )


def all_went_on(services: Services, spec: RunSpec) -> bool:
    """Whether the loop goes on after the group: every task was accepted, and at none the person stopped."""
    if spec.loop.group is None:
        return True
    return all(_went_on(services, row) for row in members(services, spec))


def opened(services: Services, run: str, number: int, shown: Row) -> list[str]:
    """The run has come to checkpoint `number`: tell everybody, or hold it until the others are there, too. Answers with
    the runs that were told of now.
    """
    spec = services.spec(run)
    if spec.loop.group is None:
        _tell(services, run, number, shown)
        return [run]
    services.store.update_run(run, state="waiting", waiting_for=HELD, checkpoint=number)
    services.events.emit("run.state", {"state": SHOWN, "waiting_for": HELD}, run)  # nobody is asked yet
    return look(services, run)


def look(services: Services, run: str) -> list[str]:
    """Tell of the checkpoints that were held, when nobody of the group is at work any more; the runs that have them."""
    spec = services.spec(run)
    if spec.loop.group is None:
        return []
    rows = members(services, spec)
    if len(rows) < spec.loop.group.size or not all(r["state"] == "waiting" or _over(services, r) for r in rows):
        return []
    held = [row for row in rows if is_held(row)]
    for row in held:
        known = services.store.checkpoint(row["id"], row["checkpoint"])
        assert known is not None
        _tell(services, row["id"], row["checkpoint"], known["content"])
    return [str(row["id"]) for row in held]


def _tell(services: Services, run: str, number: int, shown: Row) -> None:
    waiting_for = checkpoint.waiting_text(shown["kind"])
    services.set_state(run, "waiting", waiting_for=waiting_for, checkpoint=number)
    services.events.emit("checkpoint.opened", shown, run)


def is_held(row: Row) -> bool:
    return bool(row["state"] == "waiting" and row["waiting_for"] == HELD)


def before(services: Services, run: str) -> list[str]:
    """The tasks of the group whose work is being accepted and has to be first: the plan branch takes one after the
    other, in the order of the plan."""
    spec = services.spec(run)
    found = []
    for row in members(services, spec):
        if row["id"] == run:
            break
        if row["state"] != "ended" and _being_accepted(services, row):
            found.append(str(row["task_id"]))
    return found


def _being_accepted(services: Services, row: Row) -> bool:
    """A decision that accepts was made, and it does not wait for another one."""
    return _last_decision(services, row["id"]) in ACCEPTING
