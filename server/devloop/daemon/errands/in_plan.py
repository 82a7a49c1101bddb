"""Tasks of the plan whose result changes the plan: the planner's, behind whose phase the work is added, spikes, and a
workflow's triage."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from devloop.daemon.errands import planning, spike, workflow
from devloop.daemon.errands.model import Accepted, Project, Proposal
from devloop.plan.find import TaskRef


async def preview(project: Project, accepted: Accepted) -> Proposal | None:
    if accepted.result == "spike":
        return await spike.preview(project, accepted)
    asked = await _asked(project, accepted)
    if asked is None:
        return None
    return await planning.preview_change(project, asked, beside=TaskRef.from_json(accepted.task), optional=True)


async def take_effect(project: Project, accepted: Accepted) -> str:
    if accepted.result == "spike":
        return await spike.take_effect(project, accepted)
    asked = await _asked(project, accepted)
    if asked is None:
        return ""
    return await planning.change(project, asked, beside=TaskRef.from_json(accepted.task))


async def _asked(project: Project, accepted: Accepted) -> Accepted | None:
    """The same, with what it asks of this plan as its result; None where that is nothing."""
    _, plan = await asyncio.to_thread(project.documents.plan)
    data = workflow.changes_of(plan, accepted.result, accepted.data)
    return replace(accepted, report={**(accepted.report or {}), "data": data}) if data is not None else None
