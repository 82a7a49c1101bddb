"""devloop.mark, devloop.move, devloop.depends: the plan's own buffer is changed by an edit, which can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.errors import UsageError
from devloop.lsp.commands.places import must_be_main

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def mark(connection: Connection, given: Arguments) -> Answer:
    """`to`: `todo`, `skip`, `block` or `done`; skipping and blocking need a `reason`."""
    return await _changed(connection, given, "devloop/mark", {"to": given.to, "reason": given.reason})


async def move(connection: Connection, given: Arguments) -> Answer:
    """Before or after a task, or to the end of a phase."""
    beside = {"before": given.before, "after": given.after}
    params = {name: task.reference for name, task in beside.items() if task is not None}
    return await _changed(connection, given, "devloop/move", {**params, "phase": given.phase})


async def depends(connection: Connection, given: Arguments) -> Answer:
    """`on`: all that the task waits for by its own word."""
    return await _changed(connection, given, "devloop/depends", {"on": given.on})


async def _changed(connection: Connection, given: Arguments, method: str, params: Answer) -> Answer:
    must_be_main(connection, given)
    if given.task is None:
        raise UsageError("Which task?", hint='Name it: {"task": {"id": "1.2"}}.')
    answer: Answer = await connection.service.call(method, {"task": given.task.reference, **params})
    return answer
