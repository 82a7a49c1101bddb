"""Ending a run because a person wants it: at once, and wherever it is."""

from __future__ import annotations

from typing import Any

from devloop.engine.context import Context
from devloop.engine.waking import send_decision


async def end(ctx: Context, row: dict[str, Any]) -> None:
    """Make the wish known, and answer the checkpoint that the run may wait at."""
    ctx.cancelling.request(row["id"])
    number = row["checkpoint"]
    if number is not None and ctx.services.store.decide_checkpoint(row["id"], number, "cancel", ""):
        await send_decision(row["id"], number, "cancel", "")
