"""Commands that only look: devloop.showRun, showDiff, openTranscript, nextTask, status, doctor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import NotFound, Unavailable, UsageError
from devloop.lists import some
from devloop.lsp.client import SHOW_S
from devloop.lsp.commands.places import task_of
from devloop.lsp.decisions import run_of

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def show_run(connection: Connection, given: Arguments) -> Answer:
    return await _shown(connection, given, "devloop/show", "md")


async def show_diff(connection: Connection, given: Arguments) -> Answer:
    return await _shown(connection, given, "devloop/diff", "diff")


async def open_transcript(connection: Connection, given: Arguments) -> Answer:
    return await _shown(connection, given, "devloop/transcript", "transcript.md")


async def _shown(connection: Connection, given: Arguments, method: str, kind: str) -> Answer:
    """The data, and where the editor can show documents also a read-only one."""
    run = given.run or await _meant(connection, given)
    answer: Answer = await connection.service.call(method, {"run": run})
    await connection.live.shown.show(connection, str(answer["run"]["id"] if kind == "md" else answer["run"]), kind)
    return answer


async def _meant(connection: Connection, given: Arguments) -> str:
    """That of the task, else the only open run, else the newest."""
    if given.task is not None:
        return run_of(connection.board, await task_of(connection, given)).id
    working = [view.id for view in connection.board.open]
    if len(working) > 1:
        raise UsageError(f"{len(working)} runs are open: {some(working, 5)}.", hint="Say which.")
    if working:
        return working[0]
    newest = (await connection.service.call("devloop/runs", {"limit": 1}))["runs"]
    if not newest:
        raise NotFound("There is no run yet.")
    return str(newest[0]["id"])


async def next_task(connection: Connection, given: Arguments) -> Answer:
    """`devloop plan next --json`, with the task's line selected where the editor can show documents."""
    found, plan = await asyncio.to_thread(connection.service.documents.plan)
    following = plans.next_task(plan)
    task = following["task"]
    if task is not None:
        path = found.path.resolve()
        uri = next((each.uri for each in connection.buffers.values() if each.path == path), found.path.as_uri())
        selection = connection.positions.range(plan.document, task["line"])
        try:
            params = t.ShowDocumentParams(uri, external=False, take_focus=True, selection=selection)
            await connection.ask(t.WINDOW_SHOW_DOCUMENT, params, seconds=SHOW_S)
        except Unavailable:
            pass  # the answer says where it is
    return {"path": found.relative, **following}


async def status(connection: Connection, given: Arguments) -> Answer:
    answer: Answer = await connection.service.call("devloop/status")
    return answer


async def doctor(connection: Connection, given: Arguments) -> Answer:
    answer: Answer = await connection.service.call("devloop/doctor")
    return answer
