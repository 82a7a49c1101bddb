"""The commands, in the groups in which help shows them.

A call that names a command loads that command's module alone: all of them together take a quarter of a second.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from devloop import __version__
from devloop.cli import help_look
from devloop.cli.session import options

HELP = """Drive coding agents from a Markdown plan.

Write tasks in [bold].devloop/plan.md[/], then let an agent do them, one after the other: each in a git worktree of its
own, checked by your tests and linters before you are asked what to do with the work.

[bold]Start:[/] devloop init · devloop doctor · devloop continue

[bold]Exit codes:[/] 0 done · 1 failed · 2 usage · 3 waiting for a decision · 4 refused · 5 exhausted or stalled
"""

MODULES: Final = (
    ("plan_commands", ("plan",)),
    ("start_command", ("start",)),
    ("run_commands", ("run", "continue")),
    ("decide_commands", ("decide", "fresh", "land", "cancel")),
    ("errand_commands", ("quick",)),
    ("spike_command", ("spike",)),
    ("review_command", ("review",)),
    ("analyze_command", ("analyze",)),
    ("ship_command", ("ship",)),
    ("look_commands", ("status", "runs", "show", "diff", "transcript", "log", "budget")),
    ("explain_command", ("explain",)),
    ("stats_commands", ("stats", "import")),
    ("skill_commands", ("skills",)),
    ("hook_commands", ("hooks",)),
    ("care_commands", ("init", "doctor", "trust", "demo", "archive", "stop")),
    ("login_command", ("login", "logout")),
    ("config_commands", ("config",)),
    ("onboard_commands", ("onboard", "bootstrap")),
    ("state_commands", ("plan", "issues", "bugs", "new", "statusline")),
    ("worklog_command", ("worklog",)),
    ("editor_command", ("lsp",)),
)
"""Modules with the commands that each registers, in the order of help. `plan` has parts in two."""


def application(asked: str | None = None) -> typer.Typer:
    """The program: with all its commands, or, where `asked` is one of them, with what registers that one."""
    app = typer.Typer(
        name="devloop",
        help=help_look.flowing(HELP),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(globally)
    wanted = [module for module, commands in MODULES if asked in commands] or [module for module, _ in MODULES]
    for module in wanted:
        importlib.import_module(f"devloop.cli.{module}").register(app)
    help_look.settle(app)
    return app


def asked_for(arguments: Sequence[str]) -> str | None:
    """The command that a call names; None where it may be about any: help, completion, nothing."""
    return None if "_DEVLOOP_COMPLETE" in os.environ else next(_words(arguments), None)


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """What is no option of the program itself, until one comes that is about all of it."""
    rest = iter(arguments)
    for each in rest:
        if each == "--root":
            next(rest, None)
        elif each.startswith("-") and not each.startswith("--root="):
            return
        elif not each.startswith("-"):
            yield each


def _version(wanted: bool) -> None:
    if wanted:
        print(f"devloop {__version__}")
        raise typer.Exit


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
