"""`devloop/…` requests of an editor on its own connection: the terminal's methods, answered by the same service.

They are no LSP, so pygls has no types for them: parameters are one JSON object, which the service checks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from devloop.errors import UsageError
from devloop.lsp.commands import must_be_trusted
from devloop.lsp.protocol import Plain

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

PREFIX: Final = "devloop/"
ALWAYS: Final = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("status", "plan", "library", "runs", "show", "diff", "content", "conversation", "transcript", "events"),
        *("budget", "skills", "findings", "findings/dismiss", "hooks", "stats", "trust", "doctor", "templates"),
        "cancel",
    )
)
"""Looking, and stopping a run. Everything else needs an editor that trusts the folder, what comes later included."""
STARTS: Final = frozenset({"devloop/run", "devloop/continue", "devloop/errand", "devloop/findings/fix"})


def handler(connection: Connection, method: str) -> Callable[[Any], Awaitable[Plain]] | None:
    """What answers a method; None for one that devloop does not have."""
    if not method.startswith(PREFIX) or method not in connection.service.actions:
        return None

    async def answer(params: Any) -> Plain:
        return Plain(await _answer(connection, method, params))

    return answer


async def _answer(connection: Connection, method: str, params: Any) -> Any:
    """Raises `UsageError` for wrong parameters, `Refused` without trust, and what the method itself refuses."""
    if params is not None and not isinstance(params, Mapping):
        raise UsageError(f"{method} takes one object.")
    if method not in ALWAYS:
        must_be_trusted(connection)
    found = await connection.service.call(method, params)
    if method in STARTS and found.get("run"):
        connection.live.began_by(connection, str(found["run"]), found.get("loop"))
    elif method in ("devloop/archive", "devloop/restore"):
        await connection.live.archive_changed()
    return found
