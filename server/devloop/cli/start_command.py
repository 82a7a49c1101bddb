"""`devloop start`: a request from triage to summary, as a plan of twelve phases."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from devloop.cli import output, run_commands
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.output import safe, safe_block
from devloop.cli.run_commands import FOLLOWED, DecideOption, DetachOption
from devloop.cli.session import ask
from devloop.errors import UsageError

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command(
        "start",
        rich_help_panel=WORKING,
        epilog=epilog(
            'devloop start "Let people reset their password"',
            'devloop start "Export as CSV" --skip complexity --skip architecture',
            "devloop start - < request.md",
            'devloop start "Move to the new parser" --no-run',
            fields=f"{FOLLOWED}; with --no-run {{path, text, skipped, written, archived, patch}}",
        ),
    )(start)


def start(
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help="What is wanted, in your words; - reads it from stdin.")
    ],
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", metavar="PHASE", help="Leave a phase out; may be given more than once."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the plan that is in hand aside, into the archive.")
    ] = False,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Go on with it at once, or only write the plan.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; write nothing.")] = False,
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Take a request through the whole workflow: triage, requirements, design, plan, building, review, summary.

    It becomes a plan of twelve phases; each phase is done by its agent and waits for you. Nothing is built before you
    have accepted the plan.
    """
    text = sys.stdin.read() if request == "-" else request
    if decide is not None and not run:
        raise UsageError("--decide goes with a run, not with --no-run.")
    params: Row = {"text": text, "skip": skip or [], "replace": replace, "write": not dry_run, "begins": run}
    params["decide"] = decide.value if decide else None
    answer = ask("devloop/start", params)
    if dry_run or not run:
        if as_json:
            output.print_json(answer)
        elif dry_run:
            output.console().print(safe_block(answer["text"]), highlight=False)
        else:
            _written(answer)
            output.console().print("Go on with `devloop continue`.")
        return
    if not as_json:
        _written(answer)
    chosen: Row = {"limit": None, "decide": decide.value if decide else None, "hand_off": False}
    run_commands.start("devloop/continue", chosen, limit=None, detach=detach, as_json=as_json)


def _written(answer: Row) -> None:
    console = output.console()
    console.print(f"The workflow is a plan: {safe(answer['path'], 200)}.")
    if answer["archived"]:
        console.print(f"[dim]The plan before it: {safe(answer['archived'], 200)}[/]")
    if answer["skipped"]:
        console.print(f"[dim]Left out: {safe(', '.join(answer['skipped']), 300)}[/]")
