"""`devloop ship`: the next version, looked at first and then made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from devloop.cli import errand_commands, output
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.output import safe, safe_block, safe_name
from devloop.cli.run_commands import FOLLOWED, DecideOption, DetachOption
from devloop.cli.session import ask
from devloop.daemon import wording
from devloop.errors import UsageError
from devloop.lists import some

Row = dict[str, Any]


PREVIEW = "{version, tag, since, commits, changelog, files, found, open_tasks, notes}"


class Bump(StrEnum):
    auto = "auto"
    major = "major"
    minor = "minor"
    patch = "patch"


def register(app: typer.Typer) -> None:
    app.command(
        "ship",
        rich_help_panel=WORKING,
        epilog=epilog(
            "devloop ship --dry-run",
            "devloop ship --tag",
            'devloop ship "Mention the new format first" --version 2.0.0 --tag',
            "devloop ship --words 2.0.0",
            fields=f"{FOLLOWED}; with --dry-run {PREVIEW}",
        ),
    )(ship)


def ship(
    wish: Annotated[str, typer.Argument(metavar="[WISH]", help="What the agent should mind, in your words.")] = "",
    bump: Annotated[Bump, typer.Option("--bump", help="The step; auto: what the commits ask for.")] = Bump.auto,
    version: Annotated[str | None, typer.Option("--version", metavar="X.Y.Z", help="This version.")] = None,
    tag: Annotated[bool, typer.Option("--tag", help="Tag the commit when it has landed.")] = False,
    override: Annotated[
        str | None, typer.Option("--override", metavar="WHY", help="Ship in spite of what should not go out, and why.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be shipped; begin nothing.")] = False,
    words: Annotated[
        str | None, typer.Option("--words", metavar="X.Y.Z", help="Print the pull request's text of a shipped version.")
    ] = None,
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Make the next version: number, changelog and manifests, worded by an agent, checked by your gates. No push."""
    if words is not None:
        _words(words, as_json)
        return
    options: Row = {"bump": bump.value, "tag": tag}
    options |= {name: value for name, value in (("version", version), ("override", override)) if value is not None}
    if override is not None and not override.strip():
        raise UsageError("--override needs the reason why.", hint='For example: --override "the key is a test\'s".')
    if dry_run or not as_json:
        found = ask("devloop/errand", {"command": "ship", "question": "preview", "text": wish, "options": options})
        if dry_run and as_json:
            output.print_json(found)
        else:
            _show(found)
    if not dry_run:
        chosen = decide.value if decide else None
        errand_commands.start("ship", wish, options, decide=chosen, detach=detach, as_json=as_json)


def _words(version: str, as_json: bool) -> None:
    found = ask("devloop/errand", {"command": "ship", "question": "words", "options": {"version": version}})
    if as_json:
        output.print_json(found)
    else:
        output.console().print(safe_block(found["text"]), highlight=False)


def _show(found: Row) -> None:
    console = output.console()
    since = f"since {safe(found['since'], 60)}" if found["since"] else "from the beginning"
    console.print(f"[bold]Version {safe(found['version'], 40)}[/] · {wording.many(found['commits'], 'commit')} {since}")
    files = some(found["files"], 20, lambda each: safe_name(each, 100)) or "no file"
    console.print(f"changes {files}\n")
    console.print(safe_block(found["changelog"]), highlight=False)
    for each in found["found"]:
        colour = "red" if each["severity"] == "blocker" else "yellow"
        place = safe(f"{each['path']}:{each['line']}" if each["line"] else each["path"], 200)
        console.print(f"[{colour}]{each['severity']}[/] {each['kind']} {place} [dim]{safe(each['text'], 160)}[/]")
    if found["open_tasks"]:
        left = len(found["open_tasks"])
        console.print(f"[yellow]{wording.many(left, 'task')} of the plan {'is' if left == 1 else 'are'} not done[/]")
    for note in found["notes"]:
        console.print(f"[dim]{safe(note, 400)}[/]")
    console.print()
