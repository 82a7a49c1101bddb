"""workspace/executeCommand: what a person can let devloop do from an editor. Each of these is in the terminal as well.

A command takes one object (`arguments.Arguments`) and answers with the object that the terminal prints with `--json`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from devloop.errors import Refused, UsageError
from devloop.lsp.commands import beginning, deciding, looking_over, phases, planning, proposing, running, showing
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Command = Callable[["Connection", "Arguments"], Awaitable[dict[str, Any]]]

COMMANDS: Final[Mapping[str, Command]] = {
    "devloop.run": running.run,
    "devloop.continue": running.proceed,
    "devloop.runPhase": running.run_phase,
    "devloop.decide": deciding.decide,
    "devloop.fresh": deciding.fresh,
    "devloop.cancel": running.cancel,
    "devloop.showRun": showing.show_run,
    "devloop.showDiff": showing.show_diff,
    "devloop.openTranscript": showing.open_transcript,
    "devloop.nextTask": showing.next_task,
    "devloop.archive": phases.archive,
    "devloop.mark": planning.mark,
    "devloop.move": planning.move,
    "devloop.depends": planning.depends,
    "devloop.start": beginning.start,
    "devloop.quick": beginning.quick,
    "devloop.ship": beginning.ship,
    "devloop.onboard": beginning.onboard,
    "devloop.bootstrap": beginning.bootstrap,
    "devloop.planNew": proposing.plan_new,
    "devloop.planRevise": proposing.plan_revise,
    "devloop.spike": proposing.spike,
    "devloop.review": looking_over.review,
    "devloop.analyze": looking_over.analyze,
    "devloop.dismissFinding": looking_over.dismiss,
    "devloop.planFinding": looking_over.plan,
    "devloop.fixFinding": looking_over.fix,
    "devloop.status": showing.status,
    "devloop.doctor": showing.doctor,
}
NAMES: Final[Sequence[str]] = tuple(COMMANDS)
NEED_TRUST: Final = frozenset(
    f"devloop.{name}"
    for name in (
        *("run", "continue", "runPhase", "decide", "fresh", "archive", "mark", "move", "depends"),
        *("start", "quick", "ship", "onboard", "bootstrap"),
        *("planNew", "planRevise", "spike", "review", "analyze", "planFinding", "fixFinding"),
    )
)
"""What runs, decides or changes files. Stopping a run and looking are always possible."""


async def execute(connection: Connection, name: str, arguments: Sequence[Any] | None) -> dict[str, Any]:
    """Raises `UsageError` for a wrong call, `Refused` where the editor does not trust this folder, and what the
    command itself refuses."""
    from devloop.lsp.commands.arguments import read  # here: pydantic comes with it

    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(f"There is no command {one_line(name, 80)!r}.", hint=f"There are: {', '.join(NAMES)}.")
    given = read(name, arguments)
    if name in NEED_TRUST:
        must_be_trusted(connection)
    return await command(connection, given)


def must_be_trusted(connection: Connection) -> None:
    """Raises `Refused` in an editor's restricted mode."""
    if not connection.options.trusted:
        raise Refused(
            "This editor does not trust the folder, so nothing is run or decided from here.",
            hint="Trust the folder in the editor first.",
        )


__all__ = ["COMMANDS", "NAMES", "execute", "must_be_trusted"]
