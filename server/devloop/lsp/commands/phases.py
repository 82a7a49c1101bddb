"""devloop.archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.lsp.commands.places import must_be_main

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection


async def archive(connection: Connection, given: Arguments) -> dict[str, Any]:
    """Finished phases, or the one that is named: their files are written, the plan's buffer is changed by an edit."""
    must_be_main(connection, given)
    phases = None if given.phase is None else [given.phase]
    answer: dict[str, Any] = await connection.service.call("devloop/archive", {"phases": phases})
    await connection.live.archive_changed()
    return answer
