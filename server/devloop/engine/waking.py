"""Reaching the workflow of a run from outside: its id, and the answer that it waits for."""

from __future__ import annotations

from collections.abc import Sequence

from dbos import DBOS

from devloop.engine.context import context


def workflow_id(run: str) -> str:
    return f"{context().services.state.path.name}/{run}"


async def send_decision(run: str, number: int, decision: str, message: str, leave_out: Sequence[str] = ()) -> None:
    """Wake the run at checkpoint `number`. One topic and one key per checkpoint: no answer is taken by another."""
    await DBOS.send_async(
        workflow_id(run),
        {"decision": decision, "message": message, "leave_out": list(leave_out)},
        topic=f"decision-{number}",
        idempotency_key=f"{workflow_id(run)}/checkpoint-{number}",
    )
