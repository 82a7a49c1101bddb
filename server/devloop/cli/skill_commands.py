"""`devloop skills`: which skills there are, what they say, what is wrong with them, what they cost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from devloop.cli import output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import ask, project_root

Row = dict[str, Any]

FIELDS = "{name, description, when, when_not, path, source, state, note, triggers: [text…], references, chars, why}"
PROBLEM = "{path, line, severity, code, message}"


def register(app: typer.Typer) -> None:
    skills = typer.Typer(
        help="The skills: knowledge that agents load when a task needs it.",
        epilog=epilog(
            "devloop skills",
            "devloop skills --task 1.2",
            "devloop skills show api-design",
            "devloop skills check .devloop/skills",
            fields=f"{{skills: [{FIELDS}], problems: [{PROBLEM}]}}",
        ),
        invoke_without_command=True,
        callback=listed,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode="rich",
    )
    skills.command(
        "show",
        epilog=epilog("devloop skills show api-design", fields=f"{FIELDS[:-1]}, text}}"),
    )(show)
    skills.command(
        "check",
        epilog=epilog("devloop skills check", "devloop skills check skills", fields=f"{{problems: [{PROBLEM}]}}"),
    )(check)
    skills.command(
        "stats",
        epilog=epilog(
            "devloop skills stats",
            fields="{skills: [{skill, runs, listed, attached, loaded, reattached, tokens, carried, last}], unused}",
        ),
    )(stats)
    skills.command("index", epilog=epilog("devloop skills index skills --write", fields="{path, changed, text}"))(index)
    app.add_typer(skills, name="skills", rich_help_panel=LOOKING)


def listed(
    context: typer.Context,
    task: Annotated[str | None, typer.Option("--task", help="Only what a run of this task would be offered.")] = None,
    as_json: Json = False,
) -> None:
    """The skills there are, where each comes from, and which one counts where names clash."""
    if context.invoked_subcommand is not None:
        return
    found = ask("devloop/library", {"task": task})
    rows = [row for row in found["skills"] if task is None or row["why"]]
    if as_json:
        output.print_json({"skills": rows, "problems": found["problems"]})
        return
    out = output.console()
    if not rows:
        out.print("No skill fits this task." if task else "There is no skill.")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("skill", "from", "state", "why" if task else "what it is for"):
        table.add_column(title, overflow="fold")
    for row in rows:
        colour = {"active": "green", "untrusted": "yellow"}.get(row["state"], "dim")
        told = row["why"] if task else row["description"].split(". ")[0]
        note = f" [dim]({safe(row['note'], 200)})[/]" if row["note"] else ""
        state = f"[{colour}]{safe(row['state'], 20)}[/]"
        table.add_row(safe(row["name"], 64), safe(row["source"], 60), state, f"{safe(told, 160)}{note}")
    if rows:
        out.print(table)
    for problem in found["problems"]:
        _tell(output.console(stderr=True), problem)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The skill.")],
    reference: Annotated[str, typer.Argument(metavar="[FILE]", help="One of its files.")] = "",
    as_json: Json = False,
) -> None:
    """What a skill says, and when it is used."""
    from devloop import skills
    from devloop.errors import NotFound
    from devloop.paths import StateDir
    from devloop.redact import printable

    root = project_root()
    library = skills.discover(root, StateDir.of(root).trust_file)
    found = next((each for each in library.found if each.name == name), None)
    if found is None:
        known = ", ".join(sorted({each.name for each in library.found}))
        raise NotFound(f"There is no skill {name!r}.", hint=f"There are: {known}.")
    loaded = skills.load({found.name: found}, name, reference)
    if as_json:
        output.print_json({**skills.to_json(found), "text": loaded.text})
        return
    out = output.console()
    skill = found.skill
    out.print(f"[bold]{safe(name, 64)}[/] [dim]{safe(found.where, 60)} · {found.state} · {safe(found.path, 300)}[/]")
    facts = [
        ("", skill.description),
        ("when", skill.when),
        ("not for", skill.when_not),
        ("triggers", ", ".join(skill.triggers.told())),
        ("note", found.note),
        ("size", f"about {skills.tokens(skill.body):,} tokens"),
    ]
    for title, text in facts if not reference else ():
        if text:
            out.print(f"{f'[dim]{title}[/] ' if title else ''}{safe(text, 2000)}")
    out.print()
    out.print(printable(loaded.text), markup=False)


def check(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A SKILL.md, a folder of skills, or a project.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check SKILL.md files. Exit code 1 when there is an error."""
    from devloop import skills
    from devloop.errors import NotFound

    start = path or project_root()
    if not start.exists():
        raise NotFound(f"There is no {start}.")
    found = [each.to_json() for each in skills.check_path(start)]
    if as_json:
        output.print_json({"problems": found})
    else:
        out = output.console()
        for problem in found:
            _tell(out, problem)
        errors = sum(each["severity"] == "error" for each in found)
        out.print(f"{errors} error{'s' if errors != 1 else ''}, {len(found) - errors} warnings." if found else "Fine.")
    raise typer.Exit(1 if any(each["severity"] == "error" for each in found) else 0)


def _tell(out: Console, problem: Row) -> None:
    colour = "red" if problem["severity"] == "error" else "yellow"
    place = f"{safe(problem['path'], 300)}:{problem['line']}"
    told = f"{safe(problem['message'], 400)} [dim]({safe(problem['code'], 40)})[/]"
    out.print(f"{place}: [{colour}]{safe(problem['severity'], 10)}[/] {told}")


def stats(as_json: Json = False) -> None:
    """How often each skill was offered and loaded in this workspace, and how many tokens that was."""
    rows = ask("devloop/skills")["skills"]
    known = ask("devloop/library")["skills"]
    used = {row["skill"] for row in rows if row["runs"]}
    unused = sorted({row["name"] for row in known if row["state"] == "active"} - used)
    if as_json:
        output.print_json({"skills": rows, "unused": unused})
        return
    out = output.console()
    if not rows:
        out.print("No run was offered a skill yet.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("skill", "runs", "offered", "loaded", "tokens", "over all turns", "last"):
        table.add_column(title, overflow="fold")
    for row in rows:
        taken = row["loaded"] + row["attached"] + row["reattached"]
        last = datetime.fromtimestamp(float(row["last"])).astimezone().strftime("%Y-%m-%d %H:%M")
        counts = (row["runs"], row["listed"], taken, row["tokens"], row["carried"])
        table.add_row(safe(row["skill"], 64), *(f"{each:,}" for each in counts), last)
    out.print(table)
    out.print("[dim]Tokens are estimated: bytes / 4.[/]")
    if unused:
        out.print(f"[dim]Never loaded here: {safe(', '.join(unused), 1000)}[/]")


def index(
    path: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The folder of skills.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write DIR/INDEX.md instead of printing.")] = False,
    as_json: Json = False,
) -> None:
    """The table of a folder's skills, as `skills/INDEX.md` has it."""
    from devloop import skills
    from devloop.errors import NotFound
    from devloop.files import write_atomic

    folder = path or project_root() / "skills"
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder of skills.", hint="Name it: devloop skills index DIR.")
    text = skills.index_markdown(skills.read_folder(folder).found)
    target = folder / skills.INDEX_FILE
    changed = not target.is_file() or target.read_text("utf-8") != text
    if write and changed:
        write_atomic(target, text.encode())
    if as_json:
        output.print_json({"path": str(target), "changed": changed, "text": text})
    elif write:
        output.console().print(f"{safe(target, 300)} {'written' if changed else 'is up to date'}.")
    else:
        print(text, end="")
