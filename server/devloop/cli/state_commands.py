"""Commands on the files beside the plan: plan state, issues, bugs, new, statusline. None of them needs a daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from devloop.cli import output, plan_commands
from devloop.cli.common import LOOKING, PLANNING, Json, epilog
from devloop.cli.output import safe, safe_block
from devloop.cli.plan_files import File, read
from devloop.cli.session import project_root
from devloop.errors import UsageError
from devloop.state import issues, plan_state

Row = dict[str, Any]
PRIORITY_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}
ISSUE_FIELDS = "{id, type, title, status, priority, created, updated, reporter, labels, …}"


class Kind(StrEnum):
    bug = "bug"
    feature = "feature"
    task = "task"
    chore = "chore"
    spike = "spike"


class Priority(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class Status(StrEnum):
    open = "open"
    in_progress = "in-progress"
    blocked = "blocked"
    done = "done"
    wont_do = "wont-do"


Name = Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one.")]
All = Annotated[bool, typer.Option("--all", "-a", help="Closed ones too.")]
SetStatus = Annotated[Status | None, typer.Option("--status", "-s", help="Give it this status.")]
Close = Annotated[bool, typer.Option("--close", help="The same as --status done.")]
Note = Annotated[str, typer.Option("--note", "-m", metavar="TEXT", help="With a status: why, or what was done.")]


def register(app: typer.Typer) -> None:
    plan_commands.group.command(
        "state",
        epilog=epilog(
            "devloop plan state --json",
            "devloop plan state --write",
            "devloop plan state --v1 > plan-state.json",
            fields="{schema_version, plan_file, plan_hash, stats, phases, tasks, task_list, next_task, outcome, …}",
        ),
    )(state)
    app.command(
        "issues",
        rich_help_panel=PLANNING,
        epilog=epilog(
            "devloop issues",
            'devloop issues FEAT-003 --close --note "shipped"',
            fields=f"{{issues: [{ISSUE_FIELDS}], problems: [{{path, line, message}}]}}; of one: {{issue, path, text}}",
        ),
    )(list_issues)
    app.command(
        "bugs",
        rich_help_panel=PLANNING,
        epilog=epilog("devloop bugs", "devloop bugs BUG-002", fields="as `devloop issues`"),
    )(list_bugs)
    app.command(
        "new",
        rich_help_panel=PLANNING,
        epilog=epilog(
            'devloop new "It crashes when the plan is empty"',
            'devloop new "Dark colours" --type feature --priority low',
            fields="{issue, path}",
        ),
    )(new)
    app.command(
        "statusline",
        rich_help_panel=LOOKING,
        epilog=epilog("devloop statusline", "devloop status --line", "devloop statusline --width 60 --color never"),
    )(statusline)


def state(
    file: File = None,
    v1: Annotated[bool, typer.Option("--v1", help="In the older shape, version 1.0.0.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write .devloop/plan-state.json; devloop keeps it in step from then on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the plan as data for other programs. It is JSON with and without --json."""
    found, plan, root = read(file)
    now = datetime.now(UTC)
    if write:
        if v1 or file is not None:
            raise UsageError("--write is for the project's own plan, in the present version.")
        changed = plan_state.write(root, plan, found.relative, now)
        if as_json:
            output.print_json({"path": plan_state.PATH, "written": changed})
        else:
            output.console().print(f"{'Wrote' if changed else 'In step already:'} {plan_state.PATH}")
        return
    output.print_json((plan_state.of_v1 if v1 else plan_state.of)(plan, found.relative, now))


def list_issues(
    name: Name = None,
    everything: All = False,
    status: SetStatus = None,
    close: Close = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """List issues, show one, or change its status."""
    _issues(None, name, everything, _wanted(status, close), note, as_json)


def list_bugs(
    name: Name = None,
    everything: All = False,
    status: SetStatus = None,
    close: Close = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """List bugs, show one, or change its status."""
    _issues("bug", name, everything, _wanted(status, close), note, as_json)


def _wanted(status: Status | None, close: bool) -> Status | None:
    if close and status is not None:
        raise UsageError("--close and --status say two things.")
    return Status.done if close else status


def _issues(
    kind: str | None, name: str | None, everything: bool, status: Status | None, note: str, as_json: bool
) -> None:
    root = project_root()
    if name is None:
        if status is not None:
            raise UsageError("Which issue?", hint="Name it: devloop issues BUG-001 --close.")
        _list(kind, everything, as_json)
        return
    if status is not None:
        issue = issues.set_status(root, name, status.value, _now(), note=note)
        if not as_json:
            output.console().print(f"{safe(issue.id)} is {safe(issue.status)}.")
            return
    path, text = issues.find(root, name)
    found, body, faults = issues.parse(text, path)
    if found is None:
        raise UsageError(f"{faults[0]}", hint="Put the file right.")
    if as_json:
        output.print_json({"issue": _json(found), "path": path, "text": body})
        return
    out = output.console()
    out.print(f"[bold]{safe(found.id)}: {safe(found.title)}[/]  [dim]{safe(path)}[/]")
    labels = f" · {safe(', '.join(found.labels))}" if found.labels else ""
    out.print(f"{found.type} · {found.status} · {_priority(found)}{labels}\n")
    out.print(safe_block(body.strip()))


def _list(kind: str | None, everything: bool, as_json: bool) -> None:
    known, faults = issues.scan(project_root())
    shown = [each for each in known if (everything or each.is_open) and kind in (None, each.type)]
    shown.sort(key=lambda each: (not each.is_open, issues.PRIORITIES.index(each.priority)))
    if as_json:
        told = [{"path": each.path, "line": each.line, "message": each.message} for each in faults]
        output.print_json({"issues": [_json(each) for each in shown], "problems": told})
        return
    out = output.console()
    for each in shown:
        closed = "" if each.status == "open" else f" [dim]({each.status})[/]"
        out.print(f"{safe(each.id):<10} {_priority(each)} {safe(each.title)}{closed}")
    if not shown:
        out.print('Nothing is open. Note something with `devloop new "…"`.')
    for fault in faults:
        out.print(f"[yellow]{safe(str(fault), 400)}[/]")


def _priority(issue: issues.Issue) -> str:
    return f"[{PRIORITY_COLOURS[issue.priority]}]{issue.priority:<8}[/]"


def _json(issue: issues.Issue) -> Row:
    return issue.model_dump(mode="json", by_alias=True, exclude_none=True)


def _now() -> datetime:
    return datetime.now().astimezone()


def new(
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What it is about; the first line is its title.")],
    kind: Annotated[Kind | None, typer.Option("--type", "-t", help="Else found by the words.")] = None,
    priority: Annotated[Priority, typer.Option("--priority", "-p")] = Priority.medium,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="May be given more than once.")] = None,
    as_json: Json = False,
) -> None:
    """Note a bug, a feature or a task as a file in .devloop/issues/."""
    title, _, body = " ".join(text).strip().partition("\n")
    issue = issues.create(
        project_root(),
        title,
        _now(),
        kind=kind.value if kind else None,
        priority=priority.value,
        body=body,
        labels=label or (),
    )
    path = f"{issues.FOLDER}/{issue.id}.md"
    if as_json:
        output.print_json({"issue": _json(issue), "path": path})
    else:
        output.console().print(f"[bold]{safe(issue.id)}[/] {safe(issue.title)}  [dim]{safe(path)}[/]")


def statusline(
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", min=1, help="Columns; else those of the terminal.")
    ] = None,
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
) -> None:
    """Print the project in one line, for a prompt or a status line. Reads Claude Code's JSON when it is piped in."""
    from devloop.cli import statusline as fast

    given = {"--root": str(project_root()), "--color": color, **({"--width": str(width)} if width else {})}
    options = fast.options([part for pair in given.items() for part in pair])
    if options is None:
        raise UsageError("--color is auto, always or never.")
    fast.main(options)
