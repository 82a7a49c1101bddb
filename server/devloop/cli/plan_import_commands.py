"""`devloop plan import` and `plan export`: plans of other tools, and ours for them."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from devloop import plan as plans
from devloop.cli import output
from devloop.cli.common import Json, epilog
from devloop.cli.diff_view import print_patch
from devloop.cli.output import safe
from devloop.cli.plan_files import read, read_text, source_of
from devloop.cli.session import ask, project_root
from devloop.daemon.documents import Documents
from devloop.daemon.importing import proposal
from devloop.errors import UsageError
from devloop.lists import more
from devloop.plan import importing
from devloop.redact import printable

Row = dict[str, Any]

SHOWN = 40  # notes and problems on a terminal
STYLES = {"kept": "[green]kept[/]   ", "changed": "[yellow]changed[/]", "lost": "[red]lost[/]   "}


class Kind(StrEnum):
    """What a file can be imported as."""

    spec_kit = "spec-kit"
    kiro = "kiro"
    headings = "headings"
    bullets = "bullets"
    prd = "prd"
    task_master = "task-master"
    devloop_json = "devloop-json"
    plan = "plan"


def register(group: typer.Typer) -> None:
    codes = (
        "[bold]Exit code[/]  0 shown or written; 1 there is no task in it; 2 a wrong call, no such file; "
        "4 refused: a plan is there and --replace was not said, nothing to write, a run is open."
    )
    fields = (
        "{kind, source, text, tasks, notes: [{kind: kept | changed | lost, text, line, path}], problems: "
        "[{message, line, path}], path, exists, patch, written, archived}"
    )
    examples = epilog(
        "devloop plan import specs/004-login/tasks.md",
        "devloop plan import .taskmaster/tasks/tasks.json --tag docs --write",
        "devloop plan import notes.md --as bullets --write --replace",
        fields=fields,
    )
    group.command("import", epilog=f"{examples}\n\n{codes}")(import_)
    group.command(
        "export",
        epilog=epilog(
            "devloop plan export > plan.json",
            "devloop plan export --task-master > .taskmaster/tasks/tasks.json",
            fields="as `devloop plan show --json`; with --prd {project, branchName, description, userStories}, with "
            "--task-master {master: {tasks, metadata}}",
        ),
    )(export)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list of another tool; - for standard input.")],
    kind: Annotated[
        Kind | None, typer.Option("--as", help="What it is; else devloop looks. bullets: each bullet a task.")
    ] = None,
    tag: Annotated[str, typer.Option("--tag", metavar="NAME", help="Which list of a Task Master file.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Make it the plan; otherwise it is only shown.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Where there is a plan: archive that one, and put this in its place.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn another tool's list into a plan: spec-kit, Kiro, prd.json, Task Master, headings, devloop's own JSON.

    Shows the plan, or what would change in yours, and what was kept, changed and lost. FILE is never changed."""
    if replace and not write:
        raise UsageError("--replace says what --write may do.", hint="Say both, or neither to look first.")
    params = {"source": source_of(file), "text": read_text(file), "as": kind.value if kind else None, "tag": tag}
    if write:
        answer = ask("devloop/import", {**params, "write": True, "replace": replace})
    else:
        explicit = os.environ.get("DEVLOOP_PLAN_PATH")
        answer, _ = proposal(Documents(project_root(), Path(explicit) if explicit else None), params)
        answer |= {"written": False, "archived": None}
    if as_json:
        output.print_json(answer)
    else:
        _tell(answer, write)
    raise typer.Exit(0 if answer["tasks"] else 1)


def _tell(answer: Row, write: bool) -> None:
    """The plan or the patch on stdout, what there is to say of it on stderr: so the first may go into a file."""
    out, err = output.console(), output.console(stderr=True)
    if not answer["written"]:
        if answer["patch"]:
            print_patch(out, f"{answer['patch']}\n")
        elif not answer["exists"]:
            out.print(Text(printable(answer["text"])), end="")
        out.file.flush()
    tasks = f"{answer['tasks']} task{'s' if answer['tasks'] != 1 else ''}"
    err.print(f"[bold]{tasks}[/] from {safe(answer['source'] or 'standard input', 200)}, read as {answer['kind']}.")
    _list(err, [f"{STYLES[note['kind']]} {safe(note['text'], 300)}{_place(note)}" for note in answer["notes"]])
    problems = [f"[red]problem[/] {safe(problem['message'], 300)}{_place(problem)}" for problem in answer["problems"]]
    _list(err, problems)
    if answer["written"]:
        err.print(f"Written to {safe(answer['path'], 300)}.")
        if answer["archived"]:
            err.print(f"The plan that was there is {safe(answer['archived'], 300)} now.")
    elif answer["exists"] and not answer["patch"]:
        err.print("The plan says exactly that already.")
    elif not write and answer["tasks"]:
        options = "--write --replace" if answer["exists"] else "--write"
        err.print(f"Nothing was written; with {options} it becomes {safe(answer['path'], 300)}.")


def _list(err: Console, rows: list[str]) -> None:
    for row in rows[:SHOWN]:
        err.print(f"  {row}")
    if left := more(len(rows) - SHOWN):
        err.print(f"  {left}; --json has them.")


def _place(row: Row) -> str:
    place = f"line {row['line']}" if row["line"] else row["path"]
    return f" [dim]({safe(place, 120)})[/]" if place else ""


def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Any plan; else the project's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="devloop's own JSON: what is printed anyway.")] = False,
    task_master: Annotated[bool, typer.Option("--task-master", help="As Task Master's tasks.json.")] = False,
    prd: Annotated[bool, typer.Option("--prd", help="As a prd.json with user stories.")] = False,
) -> None:
    """Print a plan as JSON, for other programs; `devloop plan import` reads each of the forms again."""
    if as_json + task_master + prd > 1:
        raise UsageError("Say one of --json, --task-master, --prd.")
    found, plan, _ = read(file)
    if task_master:
        output.print_json(importing.as_task_master(plan))
    elif prd:
        output.print_json(importing.as_prd(plan))
    else:
        output.print_json({"path": found.relative, **plans.show(plan)})
