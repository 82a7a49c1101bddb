"""`devloop stats`: what runs cost and what came of them; `devloop import sessions`: what was recorded before."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from devloop.cli import output
from devloop.cli.common import CARE, LOOKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import ask, project_root
from devloop.daemon import statistics, wording
from devloop.errors import NotFound, UsageError
from devloop.paths import StateDir
from devloop.redact import one_line
from devloop.state import sessions

Row = dict[str, Any]
GROUP = (
    "{label, runs, tasks, ended, accepted, success, turns, usd, scripted_usd, input, output, cache_read, cache_write, "
    "cache_share, rounds, usd_per_accepted}"
)
group = typer.Typer(help="Take over what other programs recorded.", no_args_is_help=True)


class By(StrEnum):
    agent = "agent"
    mode = "mode"
    model = "model"
    task = "task"
    day = "day"


def register(app: typer.Typer) -> None:
    app.command(
        "stats",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop stats",
            "devloop stats --by model --since 7d",
            "devloop stats --since 2026-01-31 --json > sessions.json",
            fields=f"{{since, total: {GROUP}, agent: [group…], mode, model, task, day, skills: […], imported: "
            "{sessions, tokens}, sessions: […], created, last_updated}; the last three are a sessions.json",
        ),
    )(stats)
    app.add_typer(group, name="import", rich_help_panel=CARE)
    group.command(
        "sessions",
        epilog=epilog(
            "devloop import sessions", fields="{imported, found, problems: [{path, line, severity, message}]}"
        ),
    )(import_sessions)


def stats(
    by: Annotated[By, typer.Option("--by", help="What the table is grouped by.")] = By.agent,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="A date (2026-01-31), or how long ago: 12h, 7d, 4w.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What runs cost and what came of them: by agent, mode, model, task or day."""
    found = ask("devloop/stats", {"since": _when(since) if since else None})
    if as_json:
        output.print_json(found)
        return
    out, total = output.console(), found["total"]
    if not total["runs"] and not total["turns"]:
        out.print("Nothing was run yet." if since is None else "Nothing was run in that time.")
    else:
        out.print(_overview(total))
        if total["scripted_usd"]:
            out.print(f"[yellow]scripted: {wording.money(total['scripted_usd'])}, paid by nobody[/]")
        out.print(_table(by.value, found[by.value]))
        _skills(found["skills"])
    if found["imported"]["sessions"]:
        many, used = found["imported"]["sessions"], found["imported"]["tokens"]
        out.print(f"[dim]Imported: {many} session{'s' if many != 1 else ''}, {used:,} tokens.[/]")


def _overview(total: Row) -> str:
    parts = [
        f"{total['runs']} run{'s' if total['runs'] != 1 else ''} of {total['tasks']} task"
        f"{'s' if total['tasks'] != 1 else ''}",
        f"{total['accepted']} of {total['ended']} accepted ({_share(total['success'])})",
        f"{wording.money(total['usd'])}, {wording.tokens(total)} tokens, {total['turns']} turns",
        f"{_money(total['usd_per_accepted'])} for each accepted task",
        f"{_share(total['cache_share'])} read from the cache",
    ]
    return " · ".join(parts)


def _table(name: str, rows: list[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in (name, "runs", "accepted", "rounds", "cost", "each accepted", "tokens", "turns", "cache"):
        table.add_column(title, overflow="fold")
    for row in rows:
        accepted = f"{row['accepted']} of {row['ended']}" if row["ended"] else ""
        table.add_row(
            safe(row["label"], 60),
            str(row["runs"]),
            accepted,
            "" if row["rounds"] is None else f"{row['rounds']:g}",
            wording.money(row["usd"]),
            _money(row["usd_per_accepted"]),
            wording.tokens(row),
            str(row["turns"]),
            _share(row["cache_share"]),
        )
    return table


def _skills(rows: list[Row]) -> None:
    used = [row for row in rows if row["runs"]]
    if used:
        told = ", ".join(f"{safe(row['skill'], 64)} {row['runs']}" for row in used[:8])
        output.console().print(f"[dim]Skills by runs that loaded them: {told}. More: devloop skills stats[/]")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _money(value: float | None) -> str:
    return "–" if value is None else wording.money(value)


_AGO = re.compile(r"(\d{1,5})([hdw])")


def _when(text: str) -> float:
    """Unix seconds. Raises `UsageError` for what is neither a date nor a time ago."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        hours = int(ago[1]) * {"h": 1, "d": 24, "w": 168}[ago[2]]
        return (datetime.now().astimezone() - timedelta(hours=hours)).timestamp()
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.astimezone()).timestamp()
    except (ValueError, OverflowError, OSError):
        told = f"{one_line(text, 40)!r} is no date."
        raise UsageError(told, hint="Write 2026-01-31, or how long ago: 12h, 7d, 4w.") from None


def import_sessions(as_json: Json = False) -> None:
    """Take over the sessions that another program recorded in .devloop/sessions.json. Each counts once."""
    root = project_root()
    fresh, found, faults = statistics.import_sessions(root, StateDir.of(root))
    if not found and not faults:
        raise NotFound(f"There is no {sessions.PATH} with sessions in it.", hint="There is nothing to import.")
    if as_json:
        told = [{"path": e.path, "line": e.line, "severity": e.severity, "message": e.message} for e in faults]
        output.print_json({"imported": fresh, "found": found, "problems": told})
        return
    out = output.console()
    known = f" {found - fresh} were known already." if found > fresh else ""
    out.print(f"Imported {fresh} session{'s' if fresh != 1 else ''}.{known}")
    for fault in faults:
        out.print(f"[yellow]{safe(str(fault), 400)}[/]")
