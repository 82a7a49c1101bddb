"""A person's answer to the checkpoint of one run: checked against what it offers, and kept. The first one counts."""

from __future__ import annotations

import asyncio
from typing import Any

from devloop.engine import answers
from devloop.errors import Refused, UsageError
from devloop.runs import leaks, leaving_out
from devloop.runs.services import Services
from devloop.runs.spec import DECISIONS

Row = dict[str, Any]


async def record(services: Services, params: Row) -> tuple[Row, str]:
    """`{"run", "checkpoint", "decision", "leave_out"}` and the message; the run does not know of it yet. Raises
    `Refused` where it does not wait (at that checkpoint) any more, `UsageError` for what is no answer to it."""
    row = answers.find(services, str(params.get("run")))
    number = row["checkpoint"]
    if row["state"] != "waiting" or number is None:
        raise Refused(
            f"{row['id']} does not wait for a decision; it is {row['outcome'] or row['state']}.",
            hint=f"What it did: devloop show {row['id']}. What waits for you: devloop status.",
        )
    if params.get("checkpoint") not in (None, number):
        raise Refused(f"That checkpoint is answered already; {row['id']} now waits at checkpoint {number}.")
    checkpoint = services.store.checkpoint(row["id"], number)
    assert checkpoint is not None
    decision, message = _fitting(services, checkpoint["content"]["decisions"], params)
    kind, wanted = checkpoint["content"]["kind"], params.get("leave_out")
    paths = await leaving_out.checked(services, row, kind, decision, wanted)
    if params.get("not_secret"):
        await asyncio.to_thread(leaks.accept, services, row, params["not_secret"])
    if not services.store.decide_checkpoint(row["id"], number, decision, message, paths):
        raise Refused(f"Checkpoint {number} of {row['id']} is answered already.")
    return {"run": row["id"], "checkpoint": number, "decision": decision, "leave_out": list(paths)}, message


def _fitting(services: Services, offered: list[str], params: Row) -> tuple[str, str]:
    """The decision, one of those offered, and its message without what is secret."""
    decision = str(params.get("decision"))
    if decision not in offered:
        known = f"{decision!r} is not possible here" if decision in DECISIONS else f"{decision!r} is no decision"
        raise UsageError(f"{known}.", hint=f"Choose one of: {', '.join(offered)}.")
    message = services.redactor.text(str(params.get("message") or ""))
    if decision == "answer" and not message.strip():
        raise UsageError("An answer needs words.", hint='Add --message "…".')
    return decision, message
