"""`devloop plan revise "…"`: the plan changes in mid-flight and keeps its history."""

from __future__ import annotations

import asyncio
from typing import Final

from devloop.daemon.errands import planning
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, Proposal, errand_task
from devloop.daemon.errands.sources import as_data, source
from devloop.runs.spec import TaskSpec

EXAMPLE: Final = 'devloop plan revise "Drop the export, and split the import in two"'
_HOW: Final = (
    "Change the plan below as the person wishes, and nothing else. Hand in changes, and phases for what is a phase of "
    "its own. Tasks that are done ([x], [-]) or in hand ([~]) stay as they are."
)


async def build(project: Project, asked: Asked) -> TaskSpec:
    found = await source(project, asked)
    if found is None:
        asked.required(EXAMPLE)
    _, plan = await asyncio.to_thread(project.documents.plan)
    parts = [asked.text, _HOW]
    if found is not None:
        parts.append(as_data(f"What the plan has to fit, from {found.label}", found.text))
    parts.append(as_data("The plan", planning.outline(plan), planning.MAX_OUTLINE))
    title = asked.text.split("\n")[0] or (found.title or found.label if found is not None else "")
    return errand_task(
        "plan-revise",
        f"Revise the plan: {title}",
        given={"agreed": asked.flag("yes")},
        notes="\n\n".join(filter(None, parts)),
        agent="task-planner",
        mode="planner",
    )


async def preview(project: Project, accepted: Accepted) -> Proposal:
    return await planning.preview_change(project, accepted)


async def take_effect(project: Project, accepted: Accepted) -> str:
    return await planning.change(project, accepted)


COMMAND: Final = Command("plan-revise", build, take_effect, preview=preview)
