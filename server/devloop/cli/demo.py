"""`devloop demo`: a small project with a failing test suite, three tasks, and everything real but the model's words."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from devloop import plan, shipped
from devloop.cli import checkpoint_view, output
from devloop.cli.ask_person import Ask, Person
from devloop.cli.follow import Followed, Follower, exit_code
from devloop.cli.output import safe
from devloop.cli.progress import Lines, LiveView
from devloop.cli.run_commands import ended_line, tell_unlanded
from devloop.cli.session import options
from devloop.cli.session import run as run_to_end
from devloop.daemon import stop, wording
from devloop.errors import NoModel, Refused, Unavailable
from devloop.workspace import create_repository

Row = dict[str, Any]

PROJECT = "purse"
RENAMED = {"devloop": ".devloop", "gitignore": ".gitignore"}
"""Names that tools would act on, were they in devloop's own tree."""


def run(folder: Path | None, yes: bool, live: bool, prepare: bool = False) -> int:
    """Make the project, run its plan, show what came of it. Answers with the exit code of the last run.

    `prepare`: make the project and print `{"root", "scenario"}`; an editor opens it and sets `DEVLOOP_SCENARIO`.
    """
    out = output.console()
    if sys.platform == "win32":  # before a project is made that nothing could work in
        raise Unavailable("The daemon needs a Unix system.", hint="On Windows, run devloop inside WSL 2.")
    if prepare:
        output.print_json({"root": str(make_project(folder)), "scenario": str(scenario())})
        return 0
    _choose_model(live)
    root = make_project(folder)
    options.root = root
    options.on_interrupt = f"the demo's project stays in {root}; `devloop --root {root} status` shows its run."
    _introduce(out, root, live)
    attended = output.is_terminal() and not yes
    followed = run_to_end(_work(out, root, attended))
    if followed is not None:
        _conclude(out, root, followed)
    if followed is None or followed.checkpoint is not None:
        return 3
    asyncio.run(stop(root, force=True))
    return exit_code(followed.last)


def _choose_model(live: bool) -> None:
    """The client's environment decides who answers: a scenario means the scripted player."""
    if not live:
        os.environ["DEVLOOP_SCENARIO"] = str(scenario())
        return
    os.environ.pop("DEVLOOP_SCENARIO", None)
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_BASE_URL")):
        raise NoModel(
            "--live needs a key for the model.",
            hint="Set ANTHROPIC_API_KEY, or leave --live out: the demo works without.",
        )


def scenario() -> Path:
    """What the scripted player says."""
    return shipped.folder("plans") / "demo" / "scenario.toml"


def make_project(folder: Path | None) -> Path:
    """The demo's project as a git repository with one commit. Raises `Refused` for a folder that holds something."""
    root = (folder or Path(tempfile.mkdtemp(prefix="devloop-demo-")) / PROJECT).expanduser().absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Refused(f"{root} is not empty.", hint="Name a new folder: devloop demo --dir NEW.")
    shutil.copytree(shipped.folder("plans") / "demo" / "project", root, dirs_exist_ok=True)
    for name, real in RENAMED.items():
        (root / name).rename(root / real)
    asyncio.run(create_repository(root, "Start of purse"))
    return root.resolve()


def _introduce(out: Console, root: Path, live: bool) -> None:
    who = (
        "The model is real, and so is its price."
        if live
        else "[yellow]No model is asked: a scripted player speaks its lines.[/] Everything else is real: files, "
        "commands, sandbox, tests, git."
    )
    out.print(f"[bold]devloop demo[/] · a small Python project with a failing test suite, in {safe(root, 400)}")
    out.print(f"Its plan, .devloop/plan.md, has three tasks. {who}\n")


async def _work(out: Console, root: Path, attended: bool) -> Followed | None:
    view = LiveView(out) if out.is_terminal and not out.is_dumb_terminal else Lines(out)
    person = Person(out) if attended else Committer(out)
    async with Follower(root, view, person) as follower:
        answer = await follower.request("devloop/continue", {"limit": None, "decide": None})
        if not answer.get("run"):
            out.print(safe(answer.get("message") or answer["state"], 1000))
            return None
        return await follower.follow(str(answer["run"]), None, None)


class Committer(Person):
    """Nobody is there to ask: commit what can be committed, and say so."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._out = console

    async def decide(self, run: Row, checkpoint: Row, ask: Ask) -> None:
        checkpoint_view.show(self._out, run, checkpoint)
        decision = "commit" if "commit" in checkpoint["decisions"] else "stop"
        self._out.print(f"  [bold]{decision}[/] [dim](nobody is asked: --yes, or no terminal)[/]\n")
        await ask("devloop/decide", {"run": run["id"], "decision": decision, "checkpoint": checkpoint["number"]})


def _conclude(out: Console, root: Path, followed: Followed) -> None:
    landed = [row for row in followed.runs if row.get("outcome") == "landed"]
    out.print()
    for row in landed:
        scripted = " [yellow]scripted[/]" if row.get("scripted") else ""
        spent = f"{wording.tokens(row['tokens'])} tokens, {wording.money(row['cost_usd'])}"
        out.print(f"[green]✓[/] [bold]{str(row['commit'])[:7]}[/] {safe(row['title'])} [dim]({spent})[/]{scripted}")
    if followed.last not in landed:
        out.print(ended_line(followed.last) if followed.checkpoint is None else "The last run waits for you.")
    tell_unlanded()
    shown = plan.show(plan.parse((root / ".devloop" / "plan.md").read_bytes()))
    stats = shown["stats"]
    out.print(f"\nThe plan: {stats['done']} of {stats['total']} tasks done. Look around:")
    out.print(f"  [cyan]cd {safe(root, 400)}[/]\n  [cyan]git log --stat[/]\n  [cyan]cat .devloop/plan.md[/]")
    out.print("  [cyan]devloop runs[/]   and   [cyan]devloop show RUN[/]\n")
    out.print(
        "Then, in a project of your own: [cyan]devloop init[/], [cyan]devloop doctor[/], [cyan]devloop continue[/]."
    )
