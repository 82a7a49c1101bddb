"""What a run says to the plan about its task; an errand stands in none, so it says nothing."""

from __future__ import annotations

from devloop.runs import chaining
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec


async def mark(services: Services, spec: RunSpec, kind: str, text: str = "") -> str | None:
    """Make a change of the plan about the run's task, and answer with the plan's text after it; None: there is none."""
    if spec.task.errand is not None:
        return None
    if kind == "completed" and chaining.following(spec) is not None:
        kind, text = "started", ""  # another mode goes on with it
    return await services.plan.apply(kind, spec.task.reference(), text)
