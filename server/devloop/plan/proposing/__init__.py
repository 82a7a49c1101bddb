"""What a planner hands in, as text: a new plan, or a change of the one that is there. Pure; no result makes it raise.

    made = new_plan(data, now="2026-01-31 12:30")           made.text, made.notes
    change = revised(plan, data, mark="Plan changed (run-plan-1)", now=now)     change.edits, change.left_out

`data` is what `agents.contracts.PlanDraft` describes.
"""

from __future__ import annotations

from devloop.plan.proposing.comparing import patch
from devloop.plan.proposing.drafting import NewPlan, new_plan
from devloop.plan.proposing.revising import Revision, applied, revised

__all__ = ["NewPlan", "Revision", "applied", "new_plan", "patch", "revised"]
