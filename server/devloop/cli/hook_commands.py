"""`devloop hooks`: which hooks there are, what is wrong with them, and what one does with a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from devloop.cli import output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.output import safe, safe_block
from devloop.cli.session import ask, project_root

Row = dict[str, Any]

HOOK = (
    "{id, event, matcher, condition, name, command, timeout_s, path, line, source, state, note, scripts: [path…], "
    "last: {run, at, result, reason, ms} or null}"
)
PROBLEM = "{path, line, severity, code, message}"
TRIED = "{id, hook, path, line, input, exit_code, result, reason, context, message, stdout, stderr, ms}"
STATES = {"active": "green", "untrusted": "yellow"}
RESULTS = {"pass": "green", "block": "yellow"}


def register(app: typer.Typer) -> None:
    hooks = typer.Typer(
        help="The hooks: your own commands and the project's that run at events of a run, and may refuse.",
        epilog=epilog(
            "devloop hooks",
            "devloop hooks check",
            "devloop hooks run PreToolUse --tool Bash",
            fields=f"{{hooks: [{HOOK}], unsupported: [{{event, type, path, line}}], problems: [{PROBLEM}], events}}",
        ),
        invoke_without_command=True,
        callback=listed,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode="rich",
    )
    hooks.command(
        "check",
        epilog=epilog(
            "devloop hooks check", "devloop hooks check .claude/settings.json", fields=f"{{problems: [{PROBLEM}]}}"
        ),
    )(check)
    hooks.command(
        "run",
        epilog=epilog(
            "devloop hooks run Stop",
            "devloop hooks run PreToolUse --tool run_command",
            fields=f"{{event, results: [{TRIED}], inert: [path…]}}",
        ),
    )(run)
    app.add_typer(hooks, name="hooks", rich_help_panel=LOOKING)


def listed(context: typer.Context, as_json: Json = False) -> None:
    """The hooks there are, where each comes from, whether it runs, and what came of it last."""
    if context.invoked_subcommand is not None:
        return
    found = ask("devloop/hooks")
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    if not found["hooks"]:
        out.print("There are no hooks. They belong into .devloop/hooks.json; .claude/settings.json is read, too.")
    else:
        out.print(_table(found["hooks"]))
    for each in found["unsupported"]:
        place = f"{safe(each['path'], 200)}:{each['line']}"
        out.print(f"{place}: [dim]{safe(each['event'], 40)} by {safe(each['type'], 20)}: not run[/]")
    for problem in found["problems"]:
        _tell(output.console(stderr=True), problem)


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("event", "for", "command", "from", "state", "last"):
        table.add_column(title, overflow="fold")
    for row in rows:
        colour = STATES.get(row["state"], "red")
        note = f" [dim]({safe(row['note'], 120)})[/]" if row["note"] else ""
        what = " ".join(filter(None, (row["matcher"], f"if {row['condition']}" if row["condition"] else "")))
        table.add_row(
            safe(row["event"], 30),
            safe(what or "all", 80),
            safe(row["name"] or row["command"], 100),
            safe(f"{row['path']}:{row['line']}", 120),
            f"[{colour}]{safe(row['state'], 20)}[/]{note}",
            _last(row["last"]),
        )
    return table


def _last(last: Row | None) -> str:
    if last is None:
        return "[dim]never[/]"
    colour = RESULTS.get(last["result"], "red")
    reason = f": {safe(last['reason'], 80)}" if last["reason"] else ""
    return f"[{colour}]{safe(last['result'], 20)}[/] {last['ms']} ms{reason}"


def check(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="A file of hooks, or a project.")] = None,
    as_json: Json = False,
) -> None:
    """Check files of hooks. Exit code 1 when there is an error."""
    from devloop import hooks
    from devloop.errors import NotFound

    start = path or project_root()
    if not (start.is_dir() or start.is_file()):
        raise NotFound(f"There is no {start}.")
    found = [
        {"path": each.path, "line": each.line, "severity": each.severity, "code": each.code, "message": each.message}
        for each in hooks.check_path(start)
    ]
    if as_json:
        output.print_json({"problems": found})
    else:
        out = output.console()
        for problem in found:
            _tell(out, problem)
        errors = sum(each["severity"] == "error" for each in found)
        warnings = len(found) - errors
        told = f"{errors} error{'s' if errors != 1 else ''}, {warnings} warning{'s' if warnings != 1 else ''}."
        out.print(told if found else "Fine.")
    raise typer.Exit(1 if any(each["severity"] == "error" for each in found) else 0)


def _tell(out: Console, problem: Row) -> None:
    colour = "red" if problem["severity"] == "error" else "yellow"
    place = f"{safe(problem['path'], 300)}:{problem['line']}"
    told = f"{safe(problem['message'], 400)} [dim]({safe(problem['code'], 40)})[/]"
    out.print(f"{place}: [{colour}]{safe(problem['severity'], 10)}[/] {told}")


def run(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event, e.g. PreToolUse.")],
    tool: Annotated[str, typer.Option("--tool", help="The tool that is called, by our name or Claude Code's.")] = "",
    as_json: Json = False,
) -> None:
    """Try out the hooks of an event on a sample: in the sandbox, and your files can't be changed.

    Exit code 1 when a hook fails; a refusal is no failure.
    """
    found = ask("devloop/hooks/run", {"event": event, "tool": tool or None})
    if as_json:
        output.print_json(found)
    else:
        _show(output.console(), found)
    failed = [each for each in found["results"] if each["result"] not in RESULTS]
    raise typer.Exit(1 if failed else 0)


def _show(out: Console, found: Row) -> None:
    for path in found["inert"]:
        out.print(f"[yellow]{safe(path, 200)} is not trusted[/], so its hooks are not tried: devloop trust")
    if not found["results"]:
        out.print(f"No hook runs at {safe(found['event'], 40)} for this sample.")
        return
    out.print("[dim]What they read on stdin:[/]")
    out.print(safe_block(json.dumps(found["results"][0]["input"], indent=2, ensure_ascii=False)))
    for each in found["results"]:
        colour = RESULTS.get(each["result"], "red")
        code = "" if each["exit_code"] is None else f", exit code {each['exit_code']}"
        out.print(f"\n[bold]{safe(each['hook'], 100)}[/] [dim]{safe(each['path'], 200)}:{each['line']}[/]")
        out.print(f"  [{colour}]{safe(each['result'], 20)}[/]{code}, {each['ms']} ms")
        for title in ("reason", "context", "message", "stdout", "stderr"):
            if each[title]:
                out.print(f"  [dim]{title}:[/] {safe_block(each[title].rstrip())}")
