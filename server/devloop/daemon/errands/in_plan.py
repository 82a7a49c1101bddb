"""Tasks of the plan whose result changes the plan: the planner's, behind whose phase the work is added, and spikes."""

from __future__ import annotations

from devloop.daemon.errands import planning, spike
from devloop.daemon.errands.model import Accepted, Project, Proposal
from devloop.plan.find import TaskRef


async def preview(project: Project, accepted: Accepted) -> Proposal | None:
    if accepted.result == "spike":
        return await spike.preview(project, accepted)
    beside = TaskRef.from_json(accepted.task)
    return await planning.preview_change(project, accepted, beside=beside, optional=True)


async def take_effect(project: Project, accepted: Accepted) -> str:
    if accepted.result == "spike":
        return await spike.take_effect(project, accepted)
    return await planning.change(project, accepted, beside=TaskRef.from_json(accepted.task))
