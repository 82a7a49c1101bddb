"""The commands, in the groups in which help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devloop import __version__
from devloop.cli import (
    analyze_command,
    care_commands,
    config_commands,
    editor_command,
    errand_commands,
    hook_commands,
    look_commands,
    onboard_commands,
    plan_commands,
    review_command,
    run_commands,
    ship_command,
    skill_commands,
    spike_command,
    start_command,
    state_commands,
    stats_commands,
    worklog_command,
)
from devloop.cli.session import options

HELP = """Drive coding agents from a Markdown plan.

Write tasks in [bold].devloop/plan.md[/], then let an agent do them, one after the other: each in a git worktree of its
own, checked by your tests and linters before you are asked what to do with the work.

[bold]Start:[/] devloop init · devloop doctor · devloop continue

[bold]Exit codes:[/] 0 done · 1 failed · 2 usage · 3 waiting for a decision · 4 refused · 5 exhausted or stalled
"""

app = typer.Typer(
    name="devloop",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"devloop {__version__}")
        raise typer.Exit


@app.callback()
def globally(
    root: Annotated[
        Path | None,
        typer.Option("--root", metavar="DIR", help="The project; else the nearest folder with .devloop/ or .git."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    options.root = root


plan_commands.register(app)
start_command.register(app)
run_commands.register(app)
errand_commands.register(app)
spike_command.register(app)
review_command.register(app)
analyze_command.register(app)
ship_command.register(app)
look_commands.register(app)
stats_commands.register(app)
skill_commands.register(app)
hook_commands.register(app)
care_commands.register(app)
config_commands.register(app)
onboard_commands.register(app)
state_commands.register(app)
worklog_command.register(app)
editor_command.register(app)
