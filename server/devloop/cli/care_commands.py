"""Commands that set devloop up and look after it: init, trust, doctor, demo, stop."""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from devloop import beginning
from devloop.cli import output
from devloop.cli.common import CARE, Json, epilog
from devloop.cli.output import safe, safe_block
from devloop.cli.session import ask, options, project_root
from devloop.daemon import stop as stop_daemon
from devloop.errors import Refused, RepositoryUnfit

Row = dict[str, Any]

STATES = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "problem": "[red]problem[/]"}


def register(app: typer.Typer) -> None:
    app.command(
        "init",
        rich_help_panel=CARE,
        epilog=epilog("devloop init", "devloop init --template feature", fields="{root, plan, created: [path…], git}"),
    )(init)
    app.command(
        "doctor",
        rich_help_panel=CARE,
        epilog=epilog("devloop doctor", fields="{checks: [{name, state, message, fix}]}"),
    )(doctor)
    app.command(
        "trust",
        rich_help_panel=CARE,
        epilog=epilog(
            "devloop trust",
            "devloop trust --yes",
            fields="{items: [{key, kind, path, sha256, status, text, diff, reason}]}",
        ),
    )(trust)
    app.command("demo", rich_help_panel=CARE, epilog=epilog("devloop demo", "devloop demo --dir try-devloop --yes"))(
        demo
    )
    app.command(
        "archive",
        rich_help_panel=CARE,
        epilog=epilog(
            "devloop archive", "devloop archive 1 2", fields="{path, phases: [id…], files: [path…], worklog}"
        ),
    )(archive)
    app.command("stop", rich_help_panel=CARE, epilog=epilog("devloop stop", fields="{stopped}"))(stop)


def init(
    template: Annotated[
        str, typer.Option("--template", "-t", help="Which plan to begin with.")
    ] = beginning.DEFAULT_TEMPLATE,
    as_json: Json = False,
) -> None:
    """Make a plan, .devloop/plan.md, and keep one person's files out of git. Overwrites nothing."""
    root = Path.cwd().resolve() if options.root is None else project_root()
    root = _repository_root(root)
    if all((root / name).exists() for name in ("HEAD", "objects", "refs")):
        raise RepositoryUnfit(
            f"{root} is a bare repository or a .git directory: there are no files to work on.",
            hint="Open a checkout of it: git clone, or git worktree add.",
        )
    text = beginning.plan_text(template, root.name, date.today())  # noqa: DTZ011 - the person's own date
    created = [beginning.PLAN] if beginning.write_plan(root, text) else []
    git = (root / ".git").exists()
    if git and beginning.ignore(root):
        created.append(".gitignore")
    if as_json:
        output.print_json({"root": str(root), "plan": beginning.PLAN, "created": created, "git": git})
        return
    out = output.console()
    if beginning.PLAN in created:
        out.print(f"Created {safe(beginning.PLAN)}. Write your tasks there, then: devloop doctor, devloop continue.")
    else:
        out.print(f"There is a plan already: {safe(beginning.PLAN)}. Nothing was changed.")
    if ".gitignore" in created:
        out.print("Added a block to .gitignore.")
    if not git:
        out.print(
            "[yellow]This is no git repository yet[/]; runs need one: git init && git add -A && git commit -m start"
        )


def _repository_root(start: Path) -> Path:
    """The top of the repository around `start`; `start` itself outside of one."""
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)


def doctor(as_json: Json = False) -> None:
    """Check what devloop needs, and say what to do about what is missing. Exit code 1 when there is a problem."""
    checks = ask("devloop/doctor")["checks"]
    if as_json:
        output.print_json({"checks": checks})
    else:
        out = output.console()
        for check in checks:
            out.print(
                f"{STATES.get(check['state'], '?')}  [bold]{safe(check['name'], 30)}[/]: {safe(check['message'], 500)}"
            )
            if check["fix"]:
                out.print(f"           {safe(check['fix'], 500)}")
    raise typer.Exit(1 if any(check["state"] == "problem" for check in checks) else 0)


def trust(
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Trust everything that is shown, without a question.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at what this repository brings (gates, set-up, agents, hooks, skills) and trust exactly that content."""
    items = ask("devloop/trust")["items"]
    waiting = [item for item in items if item["status"] in ("new", "changed")]
    if as_json and not yes:
        output.print_json({"items": items})
        return
    out = output.console()
    if not as_json:
        _show_items(out, items, waiting, all_now=yes or not sys.stdin.isatty())
    chosen = waiting if yes else _choose(out, waiting)
    if chosen:
        pairs = [{"key": item["key"], "sha256": item["sha256"]} for item in chosen]
        items = ask("devloop/trust/accept", {"items": pairs})["items"]
    if as_json:
        output.print_json({"items": items})
    elif chosen:
        out.print(f"Trusted: {safe(', '.join(item['key'] for item in chosen), 1000)}.")
    if len(chosen) < len(waiting):
        raise typer.Exit(4)


def _show_items(out: Console, items: list[Row], waiting: list[Row], *, all_now: bool) -> None:
    if not items:
        out.print("This repository declares nothing that would run.")
    for item in items:
        if item["status"] == "refused":
            out.print(f"[red]{safe(item['key'], 200)} can't be trusted[/]: {safe(item['reason'], 300)}")
    if items and not waiting:
        out.print(f"{len(items)} item{'s' if len(items) != 1 else ''}; nothing waits for you.")
    if all_now:
        for item in waiting:
            _show_item(out, item)


def _show_item(out: Console, item: Row) -> None:
    changed = item["status"] == "changed"
    status = "changed since you trusted it" if changed else "new"
    out.rule(f"{safe(item['kind'], 20)} [bold]{safe(item['key'], 120)}[/] {status}", align="left")
    if changed:
        from devloop.cli.diff_view import coloured

        out.print(coloured(str(item["diff"])))
    else:
        out.print(safe_block(item["text"]))


def _choose(out: Console, waiting: list[Row]) -> list[Row]:
    """Ask about each item. Without a terminal nothing is trusted, and that is said."""
    if waiting and not sys.stdin.isatty():
        raise Refused(
            f"{len(waiting)} item{'s are' if len(waiting) != 1 else ' is'} not trusted.",
            hint="Call this in a terminal, or, having read them, `devloop trust --yes`.",
        )
    chosen = []
    for item in waiting:
        _show_item(out, item)
        if typer.confirm("Trust this?", default=False):
            chosen.append(item)
    return chosen


def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where; a new temporary folder otherwise.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask anything.")] = False,
    live: Annotated[bool, typer.Option("--live", help="With a real model instead of the scripted one.")] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the project and stop; for editors, which run it themselves.")
    ] = False,
) -> None:
    """See a whole run in a small project of its own, without a key and without a network."""
    import importlib

    code = importlib.import_module("devloop.cli.demo").run(folder, yes, live, prepare)
    raise typer.Exit(code if isinstance(code, int) else 0)


def archive(
    phases: Annotated[
        list[str] | None, typer.Argument(metavar="[PHASE]...", help="Which ones; all finished ones otherwise.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Move finished phases out of the plan, each into a file below .devloop/archive/."""
    found = ask("devloop/archive", {"phases": phases or None})
    if as_json:
        output.print_json(found)
        return
    for phase, path in zip(found["phases"], found["files"], strict=True):
        output.console().print(f"Archived phase {safe(phase, 40)} to {safe(path, 300)}.")


def stop(
    force: Annotated[
        bool, typer.Option("--force", help="Even while runs are working; they go on where they were.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stop the workspace's daemon and engine. Open runs go on with the next command."""
    stopped = asyncio.run(stop_daemon(project_root(), force=force))
    if as_json:
        output.print_json({"stopped": stopped})
    else:
        output.console().print(
            "Stopped. Open runs go on with the next command." if stopped else "No daemon was running."
        )
