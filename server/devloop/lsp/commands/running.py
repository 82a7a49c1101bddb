"""devloop.run, devloop.continue, devloop.runPhase, devloop.cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from devloop.errors import Refused, Unavailable, UsageError
from devloop.lsp.commands.places import must_be_main, task_of
from devloop.lsp.decisions import run_of

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]
TOGETHER = "Begin together"


async def run(connection: Connection, given: Arguments) -> Answer:
    """The task as the plan's buffer has it now, saved or not; one that changed since the editor was told of it is
    refused (`StaleEdit`)."""
    must_be_main(connection, given)
    if given.task is None:
        raise UsageError("Which task?", hint='Name it: {"task": {"id": "1.2"}}.')
    return await _started(connection, "devloop/run", {"task": given.task.reference})


async def proceed(connection: Connection, given: Arguments) -> Answer:
    """The plan's next tasks; with a task from that one on."""
    must_be_main(connection, given)
    first = given.task.reference if given.task is not None else None
    return await _started(connection, "devloop/continue", {"limit": given.limit, "task": first, **_rules(given)})


async def run_phase(connection: Connection, given: Arguments) -> Answer:
    must_be_main(connection, given)
    if given.phase is None:
        raise UsageError("Which phase?", hint='Name it: {"phase": "2"}.')
    return await _started(connection, "devloop/continue", {"phase": given.phase, "limit": given.limit, **_rules(given)})


async def cancel(connection: Connection, given: Arguments) -> Answer:
    """The run that is named, or the open one of the task."""
    if given.run is not None:
        run = given.run
    elif given.task is not None:
        run = run_of(connection.board, await task_of(connection, given)).id
    else:
        working = [view.id for view in connection.board.open]
        if len(working) != 1:
            raise Refused("Which run?" if working else "No run is open.", hint=", ".join(working[:5]))
        run = working[0]
    answer: Answer = await connection.service.call("devloop/cancel", {"run": run})
    return answer


async def _started(connection: Connection, method: str, params: Answer) -> Answer:
    asks = method == "devloop/continue" and connection.options.checkpoint_messages
    answer: Answer = await connection.service.call(method, {**params, "decide": None, "asks": asks})
    if answer.get("state") == "ask_parallel":
        together = await _together(connection, str(answer["message"]))
        answer = await connection.service.call(method, {**params, "decide": None, "parallel": together})
    loop = method == "devloop/continue"  # who runs a single task sees the plan, and what is wrong with it, before them
    for warning in answer.get("warnings") or () if loop else ():
        text = t.ShowMessageParams(t.MessageType.Warning, str(warning))
        connection.notify(t.WINDOW_SHOW_MESSAGE, text)
    for run in answer.get("runs") or filter(None, [answer.get("run")]):
        connection.live.began_by(connection, str(run), answer.get("loop"))
    return answer


def _rules(given: Arguments) -> Answer:
    return {"stop_at": given.stop_at, "parallel": given.parallel}


async def _together(connection: Connection, message: str) -> bool:
    """Whether tasks of a group begin at once, as the person says; one after the other where nobody answers."""
    actions = [t.MessageActionItem(TOGETHER), t.MessageActionItem("One by one")]
    params = t.ShowMessageRequestParams(t.MessageType.Info, message, actions)
    try:
        chosen = await connection.ask(t.WINDOW_SHOW_MESSAGE_REQUEST, params)
    except Unavailable:
        return False
    return chosen is not None and chosen.title == TOGETHER
