"""What a server says of its models, kept in a file for a day: limits, efforts, and prices where it has them.
The dated tables stand in where it says nothing (`catalog`, `prices`); the person's settings come before both.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from devloop.errors import DevloopError
from devloop.files import write_atomic
from devloop.models.catalog import ModelLimits

FRESH_S = 24 * 3600.0


class Listed(Protocol):
    """A model that can be asked for the list: `models.AnthropicModel`."""

    base_url: str
    listed: dict[str, ModelLimits]

    async def read_limits(self) -> dict[str, ModelLimits]: ...


async def limits(model: Listed, path: Path, *, now: float | None = None) -> dict[str, ModelLimits]:
    """Limits by model, from the file while it is fresh and of this server, else from the server itself; {} where the
    server has no list. Also `model.listed`. Raises `ModelFailure` when the server can't be asked; an older file of it
    counts then."""
    moment = time.time() if now is None else now
    at, kept = _kept(path, model.base_url)
    if kept and 0 <= moment - at < FRESH_S:
        model.listed = kept
        return kept
    try:
        found = await model.read_limits()
    except Exception:
        if not kept:
            raise
        model.listed = kept
        return kept
    if found:
        data = {"at": moment, "server": model.base_url, "models": [asdict(each) for each in found.values()]}
        with contextlib.suppress(OSError, DevloopError):  # it is asked for again then
            write_atomic(path, json.dumps(data, indent=1).encode(), mode=0o600)
    return found


def _kept(path: Path, server: str) -> tuple[float, dict[str, ModelLimits]]:
    """A file that is damaged, or of another server, holds nothing."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["server"] != server:
            return 0.0, {}
        found = [_limits(each) for each in data["models"]]
        return float(data["at"]), {each.id: each for each in found}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0.0, {}


def _limits(data: Mapping[str, Any]) -> ModelLimits:
    context, output, effort = data["context"], data["max_output"], data["effort"]
    if not isinstance(data["id"], str) or not isinstance(context, int) or not isinstance(output, int):
        raise TypeError("these are no limits")
    price = data.get("price")
    told = {"effort": None if effort is None else tuple(map(str, effort))}
    return ModelLimits(**{**data, **told, "price": None if price is None else (float(price[0]), float(price[1]))})
