"""What an editor is asked once it is there: its settings, and to tell of changes of settings and files."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import Unavailable
from devloop.lsp import options, refresh
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

log = logging.getLogger(__name__)

SECTION: Final = "devloop"
SAY_S: Final = 30.0
"""How long an editor that is just starting may take to say its settings. One that says nothing gets the defaults."""
WATCHED: Final = (*(name for name in plans.PLAN_FILES if not name.startswith(".devloop/")), ".devloop/**")


async def begin(connection: Connection) -> None:
    """Settings first, so that nothing is shown that the person does not want."""
    await fetch(connection)
    await _register(connection)
    connection.live.join(connection)


async def fetch(connection: Connection) -> None:
    """Ask for the settings. Whoever can't be asked, or refuses, keeps what it said."""
    if not connection.client.takes(t.WORKSPACE_CONFIGURATION):
        return
    item = t.ConfigurationItem(scope_uri=connection.root.as_uri(), section=SECTION)
    try:
        answer = await connection.ask(t.WORKSPACE_CONFIGURATION, t.ConfigurationParams([item]), seconds=SAY_S)
    except Unavailable as problem:
        log.info("an editor did not say its settings: %s", problem.message)
        return
    found = connection.protocol.plain(answer)
    take(connection, found[0] if isinstance(found, list) and found else None)


def take(connection: Connection, values: object) -> None:
    """Settings that count from now on, over what the editor began with. They never give back trust that it did not
    give: settings can come from the folder itself."""
    found, wrong = options.read(values, connection.given)
    found = replace(found, trusted=found.trusted and connection.given.trusted)
    if wrong:
        names = ", ".join(f"devloop.{name}" for name in wrong)
        text = one_line(f"{names} can't be understood; the default counts.", 300)
        connection.notify(t.WINDOW_SHOW_MESSAGE, t.ShowMessageParams(t.MessageType.Warning, text))
    if found == connection.options:
        return
    connection.options = found
    refresh.at_once(connection)
    connection.live.options_changed(connection)


async def _register(connection: Connection) -> None:
    """What only this way becomes known: each registration has an id of its own."""
    wanted = []
    if connection.client.registers("workspace.didChangeConfiguration"):
        wanted.append(_registration(t.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": SECTION}))
    if connection.client.registers("workspace.didChangeWatchedFiles"):
        wanted.append(_registration(t.WORKSPACE_DID_CHANGE_WATCHED_FILES, {"watchers": _watchers(connection)}))
    if not wanted:
        return
    try:
        await connection.ask(t.CLIENT_REGISTER_CAPABILITY, {"registrations": wanted}, seconds=SAY_S)
    except Unavailable as problem:
        log.info("an editor registered nothing: %s", problem.message)


def _registration(method: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "method": method, "registerOptions": options}


def _watchers(connection: Connection) -> list[dict[str, Any]]:
    if connection.client.can("workspace.didChangeWatchedFiles.relativePatternSupport"):
        base = connection.root.as_uri()
        return [{"globPattern": {"baseUri": base, "pattern": pattern}} for pattern in WATCHED]
    return [{"globPattern": f"**/{pattern}"} for pattern in WATCHED]
