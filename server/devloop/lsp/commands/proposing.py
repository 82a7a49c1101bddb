"""devloop.planNew, devloop.planRevise, devloop.spike: what is handed in is shown before it changes the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.lsp.commands.looking_over import begun

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def plan_new(connection: Connection, given: Arguments) -> Answer:
    """`message`: what is wanted; `source`: an issue or a file of the repository; `add` or `replace` where a plan is."""
    return await begun(connection, "plan-new", given.message or "", {**_from(given), **_how(given)})


async def plan_revise(connection: Connection, given: Arguments) -> Answer:
    """`message`: what is to change; `source`."""
    return await begun(connection, "plan-revise", given.message or "", _from(given))


async def spike(connection: Connection, given: Arguments) -> Answer:
    """`message`: the question; `source`; `time_box`: as `30m`, `2h`."""
    box = {"time_box": given.time_box} if given.time_box is not None else {}
    return await begun(connection, "spike", given.message or "", {**_from(given), **box})


def _from(given: Arguments) -> Answer:
    return {"from": given.source} if given.source is not None else {}


def _how(given: Arguments) -> Answer:
    return {"add": given.add, "replace": given.replace}
