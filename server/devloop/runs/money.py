"""Holding every model call to its budget: a reservation before it, the true cost after it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from devloop.models import Limits, Request, Usage, budget, cost
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

WALL_USED_UP = "the run's wall time is used up; a longer one: `wall` under [budget], or the task's own limit"


def limits_of(services: Services, spec: RunSpec) -> dict[budget.Scope, Limits]:
    """Caps by scope. A task's own tags may only narrow them."""
    caps = services.settings.budget
    own = spec.profile.turns if spec.profile is not None else None
    return {
        "run": Limits(
            usd=_narrower(caps.run_usd, spec.task.budget_usd),
            tokens=caps.run_tokens,
            turns=min(each for each in (caps.turns, spec.task.turns, own) if each),
            wall_s=_narrower(caps.wall, spec.task.timeout_s),
        ),
        "plan": Limits(usd=caps.plan_usd),
        "day": Limits(usd=caps.day_usd),
    }


def so_far(services: Services, run: str) -> dict[str, Any]:
    """`{"cost_usd", "tokens"}` of a run's turns until now, without what is only reserved."""
    return figures(services.store.spent(run=run, reserved=False))


def spent_by(services: Services, spec: RunSpec, *, reserved: bool = True) -> dict[str, Any]:
    """What the store has of a run's turns; one that gathers did all of it through its parts."""
    if spec.gathers:
        return services.store.spent(parts_of=spec.id, reserved=reserved)
    return services.store.spent(run=spec.id, reserved=reserved)


def figures(spent: dict[str, Any]) -> dict[str, Any]:
    """The same from what the store has summed up."""
    return {
        "cost_usd": round(spent["usd"], 6),
        "tokens": {name: spent[name] for name in ("input", "output", "cache_read", "cache_write")},
    }


def reserve(services: Services, spec: RunSpec, turn: int, request: Request) -> str | None:
    """Reserve the worst case of `request`; when a cap forbids it, reserve nothing and answer with why."""
    wanted = budget.reservation(request, spec.model, overrides=services.prices)
    exceeded = budget.check(limits_of(services, spec), _spent_by_scope(services, spec, turn), wanted)
    if exceeded is not None:
        return f"{exceeded.message} {exceeded.hint}"
    services.store.reserve(spec.id, turn, wanted.tokens, wanted.usd)
    return None


def held_by_others(services: Services, spec: RunSpec, turn: int, request: Request) -> bool:
    """Whether a turn that could not be reserved could be, if the turns that other parts of the same run make just now
    cost nothing: what they do not need of their worst case is free again in a moment."""
    if _whole(spec) is None:
        return False
    wanted = budget.reservation(request, spec.model, overrides=services.prices)
    spent = _spent_by_scope(services, spec, turn, reserved_by_parts=False)
    return budget.check(limits_of(services, spec), spent, wanted) is None


def _spent_by_scope(
    services: Services, spec: RunSpec, turn: int, *, reserved_by_parts: bool = True
) -> dict[budget.Scope, budget.Spent]:
    """A part shares money and tokens with the other parts of the run that gathers them; turns and time are its own."""
    key, whole = (spec.id, turn), _whole(spec)
    own = _spent(services, run=spec.id, except_turn=key)
    used = _spent(services, parts_of=whole, except_turn=key, reserved=reserved_by_parts) if whole else own
    return {
        "run": replace(used, turns=own.turns, wall_s=worked_s(services, spec.id)),
        "plan": _spent(services, except_turn=key),
        "day": _spent(services, since=_midnight(), except_turn=key),
    }


def _whole(spec: RunSpec) -> str | None:
    return spec.task.errand.part_of if spec.task.errand is not None else None


def worked_s(services: Services, run: str) -> float:
    """Seconds since the run started, without the time it waited for a person or had no engine."""
    row = services.store.run(run)
    if row is None or row["started"] is None:
        return 0.0
    return time.time() - float(row["started"]) - services.store.waited_s(run) - services.absence_s(run)


def remaining_wall_s(services: Services, spec: RunSpec) -> float | None:
    cap = limits_of(services, spec)["run"].wall_s
    return None if cap is None else cap - worked_s(services, spec.id)


def price(services: Services, model: str, usage: Usage) -> float | None:
    return cost(model, usage, services.prices)


def refusal(services: Services, model: str) -> str | None:
    """A cap in money can't be held for a model without a price: one sentence, or None when it can."""
    caps = services.settings.budget
    in_money = [name for name in ("run_usd", "plan_usd", "day_usd") if getattr(caps, name) is not None]
    if in_money and cost(model, Usage(), services.prices) is None:
        return f"There is no price for {model}, so the cap {in_money[0]} can't be held."
    return None


def overview(services: Services) -> dict[str, Any]:
    """The object of `devloop budget --json`."""
    return {"caps": services.settings.budget.model_dump(), **services.store.overview(_midnight())}


def _spent(services: Services, **scope: Any) -> budget.Spent:
    row = services.store.spent(**scope)
    return budget.Spent(row["usd"], row["tokens"], row["turns"], unpriced=row["unpriced"] > 0)


def _midnight() -> float:
    """Of the person's day, also where the clocks were changed since."""
    now = datetime.now(UTC).astimezone()
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None).timestamp()


def _narrower(cap: float | None, own: float | None) -> float | None:
    known = [value for value in (cap, own) if value is not None]
    return min(known) if known else None
