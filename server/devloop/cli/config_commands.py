"""`devloop config`: the settings that count here, where each comes from, and what is wrong in their files.

Asks no daemon: settings are files and the environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from devloop.cli import output
from devloop.cli.common import CARE, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import project_root
from devloop.errors import NotFound
from devloop.own_files import nearest
from devloop.redact import one_line
from devloop.settings import Known, default, explained, personal, value_of
from devloop.settings.meanings import MEANINGS, SECRET, WHO_MAY, Meaning, pattern_of
from devloop.settings.personal_shape import known_keys
from devloop.settings.sources import Key, Said, personal_key

Row = dict[str, Any]

group = typer.Typer(help="Look at settings: what counts, where it comes from, what is wrong.", no_args_is_help=True)
SOURCE = "{kind, path, line} or null"
VALUE = f"{{key, value, default, source: {SOURCE}, others: [{{kind, path, line, value, why}}], meaning, who, unused}}"
WHO = {"user": "your own", "team": "the team's", "personal": "local.md", "environment": "environment"}
ORDER = "environment, .devloop/local.md, .devloop/config.toml, your own config.toml, default"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="config", rich_help_panel=CARE)
    group.command(
        "show",
        epilog=epilog("devloop config show", "devloop config show --all", fields=f"{{settings: [{VALUE}]}}"),
    )(show)
    group.command(
        "explain",
        epilog=epilog(
            "devloop config explain budget.run_usd",
            "devloop config explain fresh-threshold",
            "devloop config explain loop",
            fields=f"{{settings: [{VALUE}], order: [source…]}}",
        ),
    )(explain)
    group.command(
        "check",
        epilog=epilog("devloop config check", fields="{problems: [{path, line, severity, code, message}]}"),
    )(check)
    group.command("path", epilog=epilog("devloop config path", fields="{files: [{kind, path, exists}]}"))(path)


def show(
    everything: Annotated[bool, typer.Option("--all", "-a", help="Defaults too.")] = False,
    as_json: Json = False,
) -> None:
    """Print the settings that somebody set, each with the place that set it."""
    known = explained(project_root())
    rows = [_row(known, key) for key in _keys(known) if everything or as_json or ".".join(key) in known.heard]
    if as_json:
        output.print_json({"settings": rows})
        return
    out = output.console()
    for row in rows:
        source = row["source"]
        told = "default" if source is None else _place(source)
        out.print(f"[bold]{safe(row['key'], 100)}[/] = {_shown(row['value'])}  [dim]{safe(told, 300)}{_note(row)}[/]")
    if not rows:
        out.print("Nobody set anything: all defaults count. `devloop config show --all` lists them.")
    _tell_problems(known)


def _note(row: Row) -> str:
    return f" · read, not used: {safe(row['unused'], 200)}" if row["unused"] else ""


def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A setting, or a section for all of its settings.")],
    as_json: Json = False,
) -> None:
    """Say what a setting means, what it is here, who said so, and what else was said and why it lost."""
    known = explained(project_root())
    rows = [_row(known, each) for each in _named(known, key)]
    if as_json:
        output.print_json({"settings": rows, "order": ["environment", "personal", "team", "user", "default"]})
        return
    out = output.console()
    for row in rows:
        out.print(f"[bold]{safe(row['key'], 100)}[/] = {_shown(row['value'])}")
        out.print(f"  {safe(row['meaning'], 400)} [dim]{safe(row['who'], 200)}[/]")
        if row["unused"]:
            out.print(f"  [yellow]read, not used[/]: {safe(row['unused'], 300)}")
        source = row["source"]
        out.print(f"  from {safe(_place(source), 300)}" if source else "  from nobody: the default")
        for other in row["others"]:
            out.print(f"  also {safe(_place(other), 300)}: {_shown(other['value'])}, lost: {safe(other['why'], 400)}")
        if source:
            out.print(f"  default {_shown(row['default'])}")
        out.print("")
    out.print(f"[dim]What counts first: {ORDER}.[/]")


def check(as_json: Json = False) -> None:
    """List what is wrong in settings files, each with file and line. Exit code 1 when there is something."""
    known = explained(project_root())
    if as_json:
        output.print_json({"problems": [_problem(each) for each in known.faults]})
    else:
        out = output.console()
        for fault in known.faults:
            colour = "red" if fault.severity == "error" else "yellow"
            place = f"{safe(fault.path, 300)}:{fault.line}"
            out.print(f"{place}: [{colour}]{fault.severity}[/] {safe(fault.message, 500)} [dim]({fault.code})[/]")
        if not known.faults:
            out.print("All settings are understood.")
    raise typer.Exit(1 if known.faults else 0)


def path(as_json: Json = False) -> None:
    """Print the files that settings are read from, the weakest first."""
    root = project_root()
    known = explained(root)
    if as_json:
        rows = [{"kind": each.kind, "path": _full(root, each.path), "exists": each.exists} for each in known.sources]
        output.print_json({"files": rows})
        return
    out = output.console()
    for each in known.sources:
        there = "" if each.exists else "  [dim]does not exist[/]"
        out.print(f"{WHO[each.kind]:<11} {safe(_full(root, each.path), 500)}{there}")


def _full(root: Path, relative: str) -> str:
    return str(root / relative)


def _tell_problems(known: Known) -> None:
    if known.faults:
        many = f"{len(known.faults)} things are" if len(known.faults) > 1 else "Something is"
        output.console(stderr=True).print(f"[yellow]{many} wrong in these files[/]: devloop config check")


def _problem(fault: Any) -> Row:
    return {name: getattr(fault, name) for name in ("path", "line", "severity", "code", "message")}


# Settings as rows


def _keys(known: Known) -> Iterator[Key]:
    """Every setting, and those with names of somebody's own that were said."""
    for pattern in MEANINGS:
        if "*" not in pattern:
            yield tuple(pattern.split("."))
            continue
        said = sorted({heard[0].said.key for heard in known.heard.values() if heard})
        yield from (key for key in said if pattern_of(key) == pattern)


def _named(known: Known, key: str) -> list[Key]:
    """The settings of a name: itself, as local.md names it, or a section's. Raises `NotFound` with what is near."""
    wanted = key.strip().replace('"', "")
    every = list(_keys(known))
    forms = {wanted, wanted.replace("-", "_").lower()}
    target = personal.target_of(wanted)
    if target is not None:
        forms.add(".".join(personal_key(target)))
    found = [each for each in every if ".".join(each) in forms]
    found += [each for each in every if any(".".join(each).startswith(f"{form}.") for form in forms)]
    if not found and pattern_of(tuple(wanted.split("."))) is not None:
        found = [tuple(wanted.split("."))]  # nobody said anything about this name
    if not found:
        near = nearest(wanted, [*(".".join(each) for each in every), *known_keys()])
        hint = f"Did you mean {near}?" if near else "`devloop config show --all` lists all."
        raise NotFound(f"There is no setting {one_line(wanted, 80)!r}.", hint=hint)
    return list(dict.fromkeys(found))


def _row(known: Known, key: Key) -> Row:
    name = ".".join(key)
    meaning: Meaning = MEANINGS[pattern_of(key) or ""]
    winner = known.winner(name)
    others = [
        {**_source(each.said), "value": _plain(name, each.said.value), "why": each.lost}
        for each in reversed(known.heard.get(name, ()))
        if each.lost
    ]
    return {
        "key": name,
        "value": _plain(name, _value(known, key)),
        "default": _plain(name, default(key)),
        "source": _source(winner) if winner is not None else None,
        "others": others,
        "meaning": meaning.text,
        "who": WHO_MAY[meaning.rule],
        "unused": meaning.unused,
    }


def _source(said: Said) -> Row:
    return {"kind": said.kind, "path": said.path, "line": said.line or None}


def _place(source: Row) -> str:
    return f"{source['path']}:{source['line']}" if source["line"] else str(source["path"])


def _value(known: Known, key: Key) -> Any:
    return value_of(known.settings, key)


def _plain(name: str, value: Any) -> Any:
    """A value as JSON; what is secret only as being there."""
    if name in SECRET and value is not None:
        return "(set)"
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, (list, tuple)):
        return [_plain("", each) for each in value]
    if isinstance(value, dict):
        return {str(inner): _plain("", each) for inner, each in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return "[dim]none[/]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return safe("[" + ", ".join(str(each) for each in value) + "]", 300)
    return safe(value, 300)
