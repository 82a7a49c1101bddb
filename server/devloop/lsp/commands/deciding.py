"""devloop.decide, devloop.fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.errors import NotFound, UsageError
from devloop.lsp import decisions
from devloop.lsp.commands.places import task_of
from devloop.lsp.run_texts import offered

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def decide(connection: Connection, given: Arguments) -> Answer:
    """The checkpoint of the run that is named, of the task's run, or of the only one that waits."""
    if given.decision is None:
        raise UsageError("Which decision?", hint='Name it: {"decision": "continue"}.')
    if given.group is not None:
        params: Answer = {"group": given.group, "decision": given.decision, "message": given.message}
        params["checkpoints"] = given.checkpoints
        answer: Answer = await connection.service.call("devloop/decide", params)
        return answer
    task = await task_of(connection, given) if given.task is not None and given.run is None else None
    view = decisions.waiting_run(connection.board, given.run, task)
    return await decisions.decide(
        connection.service, view, given.decision, given.message, given.checkpoint, given.leave_out
    )


async def fresh(connection: Connection, given: Arguments) -> Answer:
    """Accept what waits and write the hand-off."""
    if given.run is None and given.task is None:
        able = [view for view in connection.board.open if view.needs_person and "fresh" in offered(view)]
        if not able:
            raise NotFound("No run waits whose work could be accepted.", hint="`devloop status` lists what there is.")
        if len(able) == 1:
            return await decisions.decide(
                connection.service, able[0], "fresh", given.message, leave_out=given.leave_out
            )
    return await decide(connection, given.model_copy(update={"decision": "fresh"}))
