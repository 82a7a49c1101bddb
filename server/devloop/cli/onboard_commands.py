"""`devloop onboard` and `devloop bootstrap`: devloop comes to a project, or a project begins."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop.cli import errand_commands, output
from devloop.cli.common import CARE, Json, epilog
from devloop.cli.output import safe
from devloop.cli.run_commands import FOLLOWED, DecideOption, DetachOption
from devloop.cli.session import project_root
from devloop.errors import NotFound, UsageError
from devloop.state import onboarding

Row = dict[str, Any]

MAX_FILE = 1 << 20


def register(app: typer.Typer) -> None:
    app.command(
        "onboard",
        rich_help_panel=CARE,
        epilog=epilog(
            "devloop onboard",
            "devloop onboard --dry-run",
            "devloop onboard --no-agent",
            'devloop onboard "We deploy by hand; say so"',
            fields=f"{FOLLOWED}; with --dry-run or --no-agent {{steps: [{{what, path, source}}], project}}",
        ),
    )(onboard)
    app.command(
        "bootstrap",
        rich_help_panel=CARE,
        epilog=epilog(
            "devloop bootstrap requirements.md",
            'devloop bootstrap docs/vision.md docs/api.md --stack "Python, FastAPI, PostgreSQL"',
            fields=FOLLOWED,
        ),
    )(bootstrap)


def onboard(
    wish: Annotated[str, typer.Argument(metavar="[WISH]", help="What the agent should mind, in your words.")] = "",
    minimal: Annotated[bool, typer.Option("--minimal", help="Only the plan and .gitignore, and no agent.")] = False,
    agent: Annotated[
        bool, typer.Option("--agent/--no-agent", help="Let an agent describe the project, or not.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")] = False,
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Set devloop up in a project: its files, what an earlier system left, and a guide that an agent writes.

    Overwrites and removes nothing; what it copies stays where it was.
    """
    root = project_root()
    if dry_run:
        steps = onboarding.steps(root, minimal=minimal)
    else:
        steps = onboarding.take(root, datetime.now().astimezone(), minimal=minimal)
    alone = dry_run or minimal or not agent
    if as_json and alone:
        known = onboarding.shown(root)
        output.print_json({"steps": [step.to_json() for step in steps], "project": known})
    elif not as_json:
        _show(steps, done=not dry_run)
    if not alone:
        chosen = decide.value if decide else None
        errand_commands.start("onboard", wish, {}, decide=chosen, detach=detach, as_json=as_json)


def _show(steps: tuple[onboarding.Step, ...], *, done: bool) -> None:
    words = {"leave": "not copied"} | ({"create": "made", "copy": "copied", "detect": "looked at"} if done else {})
    console = output.console()
    for step in steps:
        why = " (can't be read: a link out of the project, no file, or too large)" if step.what == "leave" else ""
        source = f" from {safe(step.source, 120)}" if step.source else ""
        line = f"{words.get(step.what, step.what):10} {safe(step.path, 160)}{source}{why}"
        console.print(f"[dim]{line}[/]" if step.what in ("keep", "leave") else line)


def bootstrap(
    documents: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="The requirements: Markdown or any text.", show_default=False),
    ],
    stack: Annotated[str | None, typer.Option("--stack", metavar="WORDS", help="What it is to be built with.")] = None,
    wish: Annotated[str, typer.Option("--wish", metavar="WORDS", help="What the agent should mind.")] = "",
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Begin a project from its requirements: an agent writes its guide and README, then a plan can be made of them."""
    found = [{"name": path.name, "text": _text(path)} for path in documents]
    options: Row = {"documents": found}
    if stack:
        options["stack"] = stack
    chosen = decide.value if decide else None
    errand_commands.start("bootstrap", wish, options, decide=chosen, detach=detach, as_json=as_json)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path} is too long.", hint="Name the documents that decide most.")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text.", hint="Give it as Markdown or plain text.") from None
    except OSError as problem:
        raise NotFound(f"{path} can't be read: {problem.strerror}.", hint="Name a file that is there.") from None
