"""`devloop plan new` and `plan revise`: a plan from words, and a plan that changes. Nothing is written unseen."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop import beginning
from devloop.cli import errand_commands, output
from devloop.cli.common import Json, epilog
from devloop.cli.output import safe
from devloop.cli.plan_files import read_text, source_of
from devloop.cli.run_commands import FOLLOWED, DetachOption
from devloop.cli.session import ask, project_root
from devloop.errors import UsageError
from devloop.redact import one_line

Row = dict[str, Any]

PROPOSED = f"{FOLLOWED}; checkpoint.proposal: {{path, exists, patch, text, said, notes, left_out, optional}}"
FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="FILE|ISSUE",
        help="What it comes from: a document, an issue such as FEAT-001; - for input.",
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Accept what is handed in without asking, if it fits. Needs a sandbox.")
]


def register(group: typer.Typer) -> None:
    group.command(
        "new",
        epilog=epilog(
            'devloop plan new "Let people log in with a passkey"',
            "devloop plan new --from FEAT-001",
            'devloop plan new "Only the first milestone" --from docs/prd.md --replace',
            "devloop plan new --template bugfix",
            fields=PROPOSED,
        ),
    )(new)
    group.command(
        "revise",
        epilog=epilog(
            'devloop plan revise "Drop the export, and split the import in two"',
            'devloop plan revise "Make room for it" --from BUG-012',
            fields=PROPOSED,
        ),
    )(revise)


def new(
    what: Annotated[str, typer.Argument(metavar="[WHAT]", help="What is wanted, in your words.")] = "",
    source: FromOption = "",
    add: Annotated[bool, typer.Option("--add", help="Where there is a plan: put new phases behind its own.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Where there is a plan: keep that one apart, and begin anew.")
    ] = False,
    template: Annotated[
        str, typer.Option("--template", metavar="NAME", help="Begin with a template instead, without an agent.")
    ] = "",
    yes: YesOption = False,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Make a plan from words: phases, tasks, acceptance, files, dependencies. You see it before it is written."""
    if template:
        if source or add:
            raise UsageError("A template needs no words of an agent.", hint="Leave out --from and --add.")
        _from_template(template, what, replace, as_json)
        return
    options = {**given(source), "add": add, "replace": replace, "yes": yes}
    decide = "continue" if yes else None
    errand_commands.start("plan-new", what, options, decide=decide, detach=detach, as_json=as_json)


def revise(
    wish: Annotated[str, typer.Argument(metavar="[WISH]", help="What is to change, in your words.")] = "",
    source: FromOption = "",
    yes: YesOption = False,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Change the plan as you wish. What is done stays; what is superseded can still be read."""
    options = {**given(source), "yes": yes}
    decide = "continue" if yes else None
    errand_commands.start("plan-revise", wish, options, decide=decide, detach=detach, as_json=as_json)


def given(source: str) -> Row:
    """What `--from` names, as an errand takes it: a file that is there is read here, anything else may be an issue."""
    if not source:
        return {}
    path = Path(source)
    if source == "-" or path.expanduser().is_file():
        return {"content": read_text(path), "source": source_of(path)}
    return {"from": source}


def _from_template(name: str, title: str, replace: bool, as_json: bool) -> None:
    today = date.today()  # noqa: DTZ011 - the person's own date
    text = beginning.plan_text(name, title or project_root().name, today)
    if title:
        text = re.sub(r"^# Plan: .*$", lambda _: f"# Plan: {one_line(title, 200)}", text, count=1, flags=re.MULTILINE)
    answer = ask("devloop/import", {"text": text, "source": "", "as": "plan", "write": True, "replace": replace})
    if as_json:
        output.print_json(answer)
        return
    console = output.console()
    if answer["archived"]:
        console.print(f"The plan that was there is {safe(answer['archived'], 300)} now.")
    console.print(f"{safe(answer['path'], 300)} is written: {answer['tasks']} tasks to fill in.")
