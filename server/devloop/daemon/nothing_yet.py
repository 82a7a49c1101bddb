"""Answers for a workspace in which nothing was ever run: no engine has to start to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from devloop.errors import NotFound
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.settings import Settings

_ZERO = {"usd": 0.0, "scripted_usd": 0.0, "turns": 0, "input": 0, "output": 0, "cache_read": 0, "cache_write": 0}


def answer(name: str, params: Mapping[str, Any], settings: Callable[[], Settings]) -> dict[str, Any]:
    """What the engine would answer to `engine/<name>` with no record. Reads settings where they count: not for the
    daemon's loop. Raises `NotFound` for a run that is named."""
    if params.get("run"):
        raise NotFound(f"There is no run {one_line(str(params['run']), 80)!r}.", hint="Nothing has been run here yet.")
    match name:
        case "land":
            return {"commits": 0, "branch": None, "old": None, "new": None, "run": None}
        case "runs":
            return {"runs": []}
        case "events":
            return {"events": [], "last": 0}
        case "hooks":
            return {"results": []}
        case "skills":
            return {"skills": []}
        case "stats":
            empty = {**_ZERO, "label": "", "runs": 0, "tasks": 0, "ended": 0, "accepted": 0}
            shares = dict.fromkeys(("success", "cache_share", "rounds", "usd_per_accepted"))
            lists: dict[str, Any] = {name: [] for name in ("agent", "mode", "model", "task", "day", "skills")}
            return {"since": params.get("since"), "total": {**empty, **shares}, **lists, "sessions": []}
        case "budget":
            caps = settings().budget.model_dump(mode="json")
            nothing: dict[str, Any] = {f"by_{each}": [] for each in ("task", "agent", "mode", "day")}
            return {"caps": caps, "day": dict(_ZERO), "total": dict(_ZERO), **nothing}
        case _:
            raise NotFound("No run was named.", hint="Nothing has been run here yet.")
