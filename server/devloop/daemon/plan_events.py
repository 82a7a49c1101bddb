"""Between the protocol's plain objects and the plan package's types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from devloop import plan as plans
from devloop.daemon.documents import PlanText
from devloop.errors import UsageError


def time_of(event: Mapping[str, Any]) -> datetime:
    """`at` of an event; now where it says nothing that can be understood."""
    try:
        found = datetime.fromisoformat(str(event.get("at")))
    except ValueError:
        return datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def event_of(w):
    return plans.Event(w["kind"], w["task"], w["text"], time_of(w))


def task_of(plan, t):
    return plans.exp(t)


def plan_of(found, plan):
    return {"path": found.relative, "name": plan.title, "goal": plan.goal}
