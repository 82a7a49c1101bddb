"""Commands that set devloop up and look after it: init, trust, doctor, demo, stop."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop import beginning
from devloop.cli import output
from devloop.cli.common import CARE, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import ask, options, project_root
from devloop.daemon import stop as stop_daemon
from devloop.errors import RepositoryUnfit, UsageError

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
            "devloop trust gate:test",
            "devloop trust --yes",
            "devloop trust --revoke",
            fields="{items: [{key, kind, path, sha256, status, about, text, diff, reason}]}; revoking: revoked: [key…]",
        ),
    )(trust)
    app.command("demo", rich_help_panel=CARE, epilog=epilog("devloop demo", "devloop demo --dir try-devloop --yes"))(
        demo
    )
    app.command(
        "archive",
        rich_help_panel=CARE,
        epilog=epilog(
            "devloop archive",
            "devloop archive 1 2",
            "devloop archive --restore 1",
            fields="{path, phases: [id…], files: [path…], worklog}; restoring: {path, phases, file, kept}",
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
    if beginning.ignore(root):
        created.append(".gitignore")
    if as_json:
        output.print_json({"root": str(root), "plan": beginning.PLAN, "created": created, "git": git})
        return
    out = output.console()
    if beginning.PLAN in created:
        out.print(f"Created {safe(beginning.PLAN)}. Write your tasks there, then: devloop doctor, devloop continue.")
    else:
        out.print(f"There is a plan already: {safe(beginning.PLAN)}. It stays as it is.")
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
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="Only these, as the list names them.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Trust everything that is shown, without a question.")
    ] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Trust these no longer; without a KEY nothing of this repository.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at what this repository brings (gates, set-up, agents, hooks, skills) and trust exactly that content."""
    from devloop.cli import trusting

    if yes and revoke:
        raise UsageError("--yes and --revoke contradict each other.")
    if revoke:
        trusting.revoke(keys, as_json=as_json)
    else:
        trusting.trust(keys, yes=yes, as_json=as_json)


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
    back: Annotated[
        str | None,
        typer.Option(
            "--restore", metavar="PHASE", help="Put an archived phase back into the plan: its id, or its file."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Move finished phases out of the plan, each into a file below .devloop/archive/, or one back."""
    if back is not None:
        if phases:
            raise UsageError(
                "Archive phases, or restore one: not both at once.", hint="devloop archive --restore PHASE"
            )
        found = ask("devloop/restore", {"phase": back})
        if as_json:
            output.print_json(found)
        else:
            named = ", ".join(safe(each, 40) for each in found["phases"])
            output.console().print(f"Phase {named} is in the plan again. Its file is {safe(found['kept'], 300)} now.")
        return
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
