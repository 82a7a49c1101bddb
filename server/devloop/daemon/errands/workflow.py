"""What results mean in the plan of a workflow (`devloop start`): a triage leaves phases out, and what the planner plans
goes into the phase that waits for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devloop import plan as plans
from devloop.daemon import full_workflow
from devloop.redact import one_line

Data = dict[str, Any]


def changes_of(plan: plans.Plan, result: str, data: Any) -> Data | None:
    """What a result asks of this plan, as a `contracts.PlanDraft`; None where that is nothing.

    `result`: the name of the contract that `data` follows. In a plan that is no workflow a planner's result is what it
    says, and a triage changes nothing.
    """
    field = plan.field("Workflow")
    workflow = field is not None and field.value.strip().lower() == "full"
    if result == "triage":
        changes = _without(plan, data) if workflow and isinstance(data, Mapping) else []
        return {"summary": "", "title": plan.name, "changes": changes} if changes else None
    place = full_workflow.place_of_work(plan) if workflow else None
    if place is not None and isinstance(data, Mapping) and data.get("phases"):
        return {**data, "phases": [], "changes": [*_into(place, data["phases"]), *(data.get("changes") or ())]}
    return dict(data) if isinstance(data, Mapping) else None


def _without(plan: plans.Plan, triage: Mapping[str, Any]) -> list[Data]:
    """The tasks of the phases that are not needed are superseded, by nothing."""
    named = {str(name).strip().lower() for name in triage.get("skip") or ()} - set(full_workflow.ALWAYS)
    why = one_line(f"Triage: not needed for this {str(triage.get('kind') or 'request').lower()}", 100)
    return [
        {"what": "supersede", "task": plan.tasks[at].id, "why": why}
        for phase in plan.phases
        if phase.name.lower() in named
        for at in plans.in_phase(plan, phase.id)
        if not plan.tasks[at].done
    ]


def _into(place: str, phases: Any) -> list[Data]:
    """All that is planned, in its order, into the one phase that the phases after it wait for."""
    return [
        {**task, "what": "add", "phase": f"Phase {place}"}
        for phase in phases
        if isinstance(phase, Mapping)
        for task in phase.get("tasks") or ()
    ]
