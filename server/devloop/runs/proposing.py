"""Results that ask for a change of the plan: shown at the checkpoint as the daemon works it out, and made on a yes.

A planner's plan and a spike's changes are such results, in an errand and in a task of the plan. Only the daemon knows
the plan as it is now; it answers with the diff, and makes the change once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from devloop.errors import DevloopError
from devloop.redact import cut, printable
from devloop.runs import reporting
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

Outcome = dict[str, Any]

PLAN: Final = "plan"
"""What a decision leaves out that takes the report without its changes of the plan."""
RESULTS: Final = frozenset(("plan", "spike", "triage"))
"""Contracts (`agents.contracts`) with changes of the plan."""
MAX_PATCH: Final = 100_000
MAX_TEXT: Final = 60_000


def proposes(spec: RunSpec) -> bool:
    """Whether what the run hands in is to change the plan."""
    shape = spec.profile.result if spec.profile is not None else None
    return isinstance(shape, str) and shape in RESULTS and not spec.gathers


def in_plan(spec: RunSpec) -> bool:
    """Whether accepting it changes the plan beside the tick of its own task."""
    return proposes(spec) and spec.task.errand is None


async def preview(services: Services, spec: RunSpec, report: Mapping[str, Any] | None) -> Outcome | None:
    """What accepting would make of the plan now: `{"path", "exists", "patch", "text", "said", "notes", "left_out",
    "optional"}`; None where nothing is asked of it. A preview that fails says why in its notes."""
    if not proposes(spec) or report is None or not isinstance(report["data"], Mapping):
        return None
    try:
        found = await services.plan.preview(_content(services, spec, report))
    except DevloopError as problem:
        found = {"path": spec.plan.path, "exists": True, "patch": "", "text": None, "said": ""}
        found |= {"notes": [f"{problem.message} {problem.hint}".strip()], "left_out": [], "optional": False}
    if found is None:
        return None
    patch, text = str(found.get("patch") or ""), found.get("text")
    if len(patch) > MAX_PATCH:
        patch = cut(patch, MAX_PATCH, "").rpartition("\n")[0] + "\n"
        found["notes"] = [*found["notes"], "The diff is longer than what is shown here."]
    found |= {"patch": printable(patch), "text": text if isinstance(text, str) and len(text) <= MAX_TEXT else None}
    return dict(services.redactor.data(found))


async def propose(services: Services, run: str, message: str, leave_out: Sequence[str]) -> Outcome:
    """Make the change of a task of the plan; made once, however often this is asked. `done`, or `refused` with why."""
    spec = services.spec(run)
    found = reporting.report(services, run)
    if found is None or (PLAN in leave_out and spec.profile is not None and spec.profile.result == "plan"):
        services.notice(run, "Accepted without its changes of the plan.")
        return {"outcome": "done"}
    content = {**_content(services, spec, found), "message": services.redactor.text(message)}
    try:
        told = await services.plan.propose({**content, "leave_out": list(leave_out)})
    except DevloopError as problem:
        return {"outcome": "refused", "reason": problem.message, "hint": problem.hint}
    services.notice(run, *filter(None, [told]))
    return {"outcome": "done"}


def _content(services: Services, spec: RunSpec, report: Mapping[str, Any]) -> Outcome:
    errand = spec.task.errand
    return {
        "command": errand.command if errand is not None else None,
        "given": errand.given if errand is not None else {},
        "run": spec.id,
        "title": services.redactor.text(spec.task.title),
        "task": spec.task.reference(),
        "result": spec.profile.result if spec.profile is not None else None,
        "report": {name: report[name] for name in ("data", "fits", "text")},
    }


def may_leave_out(services: Services, run: str) -> bool:
    """Whether a decision may take the report of this run without its changes of the plan."""
    spec = services.spec(run)
    shape = spec.profile.result if spec.profile is not None else None
    return proposes(spec) and (spec.task.errand is None or shape == "spike")
