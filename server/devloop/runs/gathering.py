"""What an errand's members handed in, put together: one report for one decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from devloop.agents import merging
from devloop.files import write_atomic
from devloop.runs import reporting
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec, TaskSpec

Outcome = dict[str, Any]
Report = dict[str, Any]

ITS_PARTS: Final = "its parts"
"""What a run that gathers waits for."""
Together = Callable[[Mapping[str, Any], Sequence[tuple[str, Mapping[str, Any]]]], Report]
"""From what the command was called with, and the members' names and reports' data, the one report: a result that fits
the contract of the run that gathers, with a `summary`. Pure."""

TOGETHER: Final[Mapping[str, Together]] = {
    "review": lambda given, reports: merging.reviews(reports, given.get("change"))
}
"""By command."""


def member_task(spec: RunSpec, task: TaskSpec) -> TaskSpec:
    """A member's task as its own run takes it: it knows whose part it is, and begins at the same commit."""
    own, whole = task.errand, spec.task.errand
    assert own is not None and whole is not None
    return task.model_copy(
        update={"errand": own.model_copy(update={"part_of": spec.id, "base": own.base or whole.base})}
    )


def gather(services: Services, run: str, members: Sequence[str]) -> Outcome:
    """Keep the one report as `report.json` of the run, beside its transcript; doing it again changes nothing.

    A member that did not come to a report is named in a notice; where none did, the run has failed.
    """
    spec = services.spec(run)
    errand = spec.task.errand
    assert errand is not None
    services.set_state(run, "checking")
    found: list[tuple[str, Mapping[str, Any]]] = []
    missing: list[str] = []
    for member in members:
        report = reporting.report(services, member)
        row = services.store.run(member)
        if report is not None and report["data"] and row is not None and row["outcome"] == "accepted":
            found.append((services.spec(member).task.title, report["data"]))
        else:
            why = row["reason"] or row["outcome"] if row is not None else "no record"
            missing.append(f"{services.spec(member).task.title}: {why}")
    if missing:
        services.notice(run, f"{len(missing)} of {len(members)} parts brought no report: {'; '.join(missing)}")
    if not found:
        return {"outcome": "failed", "reason": "no part of it brought a report"}
    together = TOGETHER[errand.command](errand.given, found)
    write_atomic(services.folder(run) / reporting.GATHERED, json.dumps(together).encode(), mode=0o600)
    return {"outcome": "gathered", "summary": str(together.get("summary") or "")}
