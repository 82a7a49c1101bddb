"""Reaching the workflow of a run from outside: its id, and the answer that it waits for."""

from __future__ import annotations

import contextlib
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
    _look_now(workflow_id(run))


def _look_now(workflow: str) -> None:
    """Let a workflow of this process look for its message at once. On SQLite, DBOS lets it look four times a second: a
    person would wait for an eighth on the average. Whoever looks in vain goes on waiting; without this, as before."""
    # No public way leads there: where another DBOS has it otherwise, runs look by themselves.
    with contextlib.suppress(ImportError, AttributeError, TypeError, ValueError):
        from dbos._dbos import _get_dbos_instance

        for _, (waiting, *_), signal in _get_dbos_instance()._sys_db.notifications_map.snapshot():
            if waiting == workflow:
                signal.set()
