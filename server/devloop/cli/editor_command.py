"""`devloop lsp`, declared for help and for the calls that `entry` does not take on its fast way."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from devloop.cli.common import CARE, epilog
from devloop.cli.session import options
from devloop.errors import UsageError


def register(app: typer.Typer) -> None:
    app.command(
        "lsp",
        rich_help_panel=CARE,
        epilog=epilog("devloop lsp", "devloop lsp --root ~/project", "devloop lsp --tcp --port 7007"),
    )(lsp)


def lsp(
    root: Annotated[
        Path | None, typer.Option("--root", metavar="DIR", help="The project, instead of the editor's folder.")
    ] = None,
    tcp: Annotated[
        bool, typer.Option("--tcp", help="Listen on 127.0.0.1 and print host, port and token as one JSON line.")
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --tcp; 0 is any free one.")] = 0,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Standard input and output: what happens anyway. Some editors add it.")
    ] = False,
) -> None:
    """Speak the Language Server Protocol: the plan as a living document in your editor, which starts this by itself.

    With --tcp, each connection shows the token as initializationOptions.token.
    """
    chosen = root or options.root
    if chosen is not None and not chosen.is_dir():
        raise UsageError(f"{chosen} is no directory.", hint="--root names the project's folder.")
    if port and not tcp:
        raise UsageError("--port is for --tcp.", hint="devloop lsp --tcp --port N")
    if tcp and stdio:
        raise UsageError("--tcp and --stdio are two ways.", hint="Leave one of them out.")
    name = None if chosen is None else str(chosen)
    if tcp:
        raise typer.Exit(importlib.import_module("devloop.lsp.pipe.tcp").main(port, root=name))
    raise typer.Exit(importlib.import_module("devloop.lsp.pipe.stdio").main(name))
