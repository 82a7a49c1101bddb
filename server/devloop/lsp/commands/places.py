"""Which plan and which task a command is about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from devloop import plan as plans
from devloop.errors import Refused, UsageError

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection


def must_be_main(connection: Connection, given: Arguments) -> None:
    """Runs act on the workspace's plan alone."""
    buffer = connection.find(given.uri) if given.uri else None
    if buffer is not None and not buffer.main:
        raise Refused(
            f"{buffer.relative} is not the plan of this workspace; runs act on that one alone.",
            hint="`devloop status` names it.",
        )


async def task_of(connection: Connection, given: Arguments) -> plans.Task:
    """The task that is named, as the plan has it now. Raises `StaleEdit` when it is not there any more, `NotFound` for
    an id that no task has."""
    if given.task is None:
        raise UsageError("Which task?", hint='Name it: {"task": {"id": "1.2"}}.')
    _, plan = await asyncio.to_thread(connection.service.documents.plan)
    reference = given.task.reference
    if isinstance(reference, str):
        return plans.find_task(plan, reference)
    return plans.locate(plan, plans.TaskRef.from_json(reference))
