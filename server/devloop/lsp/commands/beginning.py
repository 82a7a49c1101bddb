"""devloop.start, devloop.quick, devloop.ship, devloop.onboard, devloop.bootstrap: what begins with a person's words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from devloop.errors import NotFound, UsageError
from devloop.lsp.commands.looking_over import begun

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def start(connection: Connection, given: Arguments) -> Answer:
    """`message`: the request; `skip`: phases; `replace`. The plan is written, then its loop begins."""
    asked = {"text": given.message or "", "skip": given.skip or [], "replace": given.replace, "begins": True}
    written: Answer = await connection.service.call("devloop/start", asked)
    loop = {"limit": None, "decide": None, "hand_off": False}
    answer: Answer = await connection.service.call("devloop/continue", loop)
    if answer.get("run"):
        connection.live.began_by(connection, str(answer["run"]), answer.get("loop"))
    return {**answer, "plan": {name: written[name] for name in ("path", "skipped", "archived")}}


async def quick(connection: Connection, given: Arguments) -> Answer:
    """`message`: the change."""
    return await begun(connection, "quick", given.message or "", {})


async def ship(connection: Connection, given: Arguments) -> Answer:
    """`message`: what to mind; `version`; `tag`; `reason`: why what should not go out may. Without a run: `preview`."""
    options: Answer = {"tag": given.tag}
    more = {"version": given.version, "override": given.reason}
    options |= {name: value for name, value in more.items() if value is not None}
    if given.preview:
        asked = {"command": "ship", "question": "preview", "text": given.message or "", "options": options}
        found: Answer = await connection.service.call("devloop/errand", asked)
        return found
    return await begun(connection, "ship", given.message or "", options)


async def onboard(connection: Connection, given: Arguments) -> Answer:
    """`message`: what to mind."""
    return await begun(connection, "onboard", given.message or "", {})


async def bootstrap(connection: Connection, given: Arguments) -> Answer:
    """`files`: the requirements, in the project; `message`: what to mind."""
    root = connection.service.root
    if not given.files:
        raise UsageError("Which requirements?", hint='Name them: {"files": ["requirements.md"]}.')
    documents = [await asyncio.to_thread(_document, root, name) for name in given.files]
    return await begun(connection, "bootstrap", given.message or "", {"documents": documents})


def _document(root: Any, name: str) -> Answer:
    from devloop.own_files import read_text

    text = read_text(root, name)
    if text is None:
        raise NotFound(f"{name} can't be read.", hint="Name a text file of the project.")
    return {"name": name, "text": text}
