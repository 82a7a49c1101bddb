"""Commands that give an agent something to do beside the plan: quick (ARCHITECTURE, "Errands")."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from devloop.cli import run_commands
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.run_commands import FOLLOWED, DecideOption, DetachOption

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command(
        "quick",
        rich_help_panel=WORKING,
        epilog=epilog(
            'devloop quick "Fix the typo in the greeting"',
            'devloop quick "Pin the parser\'s version" --decide commit',
            fields=FOLLOWED,
        ),
    )(quick)


def start(
    command: str, text: str, options: Row, *, decide: str | None = None, detach: bool = False, as_json: bool = False
) -> None:
    """Ask for an errand and follow it, as `run` follows a task."""
    params: Row = {"command": command, "text": text, "options": options, "decide": decide}
    run_commands.start("devloop/errand", params, limit=1, detach=detach, as_json=as_json)


def quick(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="The change, in your words.")],
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="Who does it; else its words decide.")
    ] = None,
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Make one small change without a plan: its own worktree, the same gates, the same checkpoint."""
    options = {"agent": agent} if agent else {}
    start("quick", what, options, decide=decide.value if decide else None, detach=detach, as_json=as_json)
