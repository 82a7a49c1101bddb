"""`devloop plan mark`, `move`, `depends`: changing the plan, in the editor that shows it or in its file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from devloop.cli import output
from devloop.cli.common import Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import ask
from devloop.errors import UsageError
from devloop.lists import some

Row = dict[str, Any]

Task = Annotated[str, typer.Argument(metavar="TASK", help="Its id, `line:12`, or the beginning of its title.")]
FIELDS = "{path, changed, task: {id, title, status, state, line, phase, depends_on, blocked_by, run, …}}"
CODES = (
    "[bold]Exit code[/]  0 done, or nothing to move or to add; 1 the plan changed meanwhile; 2 a wrong call, no "
    "such task, one that is marked so already; 4 refused: a run is open for it, tasks would wait for each other."
)


class To(StrEnum):
    """How a task may be marked by hand."""

    todo = "todo"
    skip = "skip"
    block = "block"
    done = "done"


def register(group: typer.Typer) -> None:
    for name, command, examples in (
        (
            "mark",
            mark,
            ('devloop plan mark 1.2 skip --reason "not needed any more"', "devloop plan mark 1.2 todo"),
        ),
        ("move", move, ("devloop plan move 2.3 --before 2.1", "devloop plan move 2.3 --phase 1")),
        ("depends", depends, ("devloop plan depends 2.1 1.1 1.2", "devloop plan depends 2.1 --none")),
    ):
        group.command(name, epilog=f"{epilog(*examples, fields=FIELDS)}\n\n{CODES}")(command)


def mark(
    task: Task,
    to: Annotated[To, typer.Argument(help="todo: open again.")],
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; skip and block need one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how a task stands: open it again, skip it, block it, or tick it by hand (no gate is run then)."""
    answer = ask("devloop/mark", {"task": task, "to": to.value, "reason": reason})
    words = {To.todo: "is open again", To.skip: "is skipped", To.block: "is blocked", To.done: "is ticked by hand"}
    _changed(answer, words[to], as_json)


def move(
    task: Task,
    before: Annotated[str | None, typer.Option("--before", metavar="TASK", help="Put it before this one.")] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="TASK", help="Put it after this one.")] = None,
    phase: Annotated[str | None, typer.Option("--phase", metavar="ID", help="Put it at the end of this phase.")] = None,
    as_json: Json = False,
) -> None:
    """Move a task with all that belongs to it. Its id stays."""
    if sum(where is not None for where in (before, after, phase)) != 1:
        raise UsageError(
            "Say where to, in one way: --before, --after or --phase.", hint="Like: devloop plan move 2.3 --before 2.1."
        )
    answer = ask("devloop/move", {"task": task, "before": before, "after": after, "phase": phase})
    _changed(answer, "is moved" if answer["changed"] else "stands there already", as_json)


def depends(
    task: Task,
    on: Annotated[list[str] | None, typer.Argument(metavar="[ON]…", help="Ids, `1.1-1.3`, `Phase 2`.")] = None,
    none: Annotated[bool, typer.Option("--none", help="It waits for nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Say what a task waits for: these, and nothing else. What its phase waits for stays."""
    names = [name for each in on or () for name in each.split(",") if name.strip()]
    if bool(names) == none:
        raise UsageError("Name what it waits for, or say --none.", hint="Like: devloop plan depends 2.1 1.1 1.2.")
    answer = ask("devloop/depends", {"task": task, "on": names})
    waits = some(answer["task"]["depends_on"], 20)
    _changed(answer, f"waits for {waits}" if waits else "waits for nothing of its own", as_json)


def _changed(answer: Row, words: str, as_json: bool) -> None:
    if as_json:
        output.print_json(answer)
        return
    task = answer["task"]
    out = output.console()
    out.print(f"[bold]{safe(task['id'], 40)}[/] {safe(task['title'], 120)} {safe(words, 300)}.")
    if not answer["changed"]:
        out.print("[dim]The plan said so already.[/]")
    elif task["blocked_by"] and task["state"] == "waiting":
        out.print(f"[dim]It waits for {safe(some(task['blocked_by'], 10), 200)} now.[/]")
