"""`devloop plan …`: reading a plan, any plan, without a daemon. What changes it is in `plan_change_commands`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from devloop import plan as plans
from devloop.cli import output, plan_change_commands, plan_import_commands, plan_words_commands
from devloop.cli.common import PLANNING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.plan_files import File, read
from devloop.daemon.documents import PlanText
from devloop.daemon.plan_rules import all_problems
from devloop.lists import some
from devloop.plan.export import problem_json

Row = dict[str, Any]

MARKS = {
    "pending": "[dim]○[/]",
    "in_progress": "[yellow]◐[/]",
    "complete": "[green]●[/]",
    "blocked": "[red]![/]",
    "skipped": "[dim]–[/]",
    "deferred": "[dim]»[/]",
    "unknown": "[red]?[/]",
}
SEVERITIES = {
    "error": "[red]error[/]",
    "warning": "[yellow]warning[/]",
    "info": "[cyan]info[/]",
    "hint": "[dim]hint[/]",
}

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Read a plan: show it, check it, ask what is next. Change its tasks.",
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="plan", rich_help_panel=PLANNING)
    group.command(
        "show",
        epilog=epilog(
            "devloop plan show",
            "devloop plan show notes/ideas.md --json",
            fields="{path, name, status, fields, tasks: [{id, key, title, status, line, phase, depends_on, …}], "
            "phases, criteria, log, stats: {total, done, percentage, …}, problems}",
        ),
    )(show)
    group.command(
        "check",
        epilog=epilog(
            "devloop plan check",
            fields="{path, errors, warnings, problems: [{code, severity, line, message, start, end, related}]}",
        ),
    )(check)
    group.command(
        "next",
        epilog=epilog(
            "devloop plan next",
            "devloop plan next --json",
            fields="{path, state: found | all_complete | all_blocked | partial | empty, task or null, blocked_by, "
            "parallel, resumable, blocked: [{id, title, line, by, why}]}",
        ),
    )(next_)
    plan_change_commands.register(group)
    plan_import_commands.register(group)
    plan_words_commands.register(group)


def problems_of(found: PlanText, plan: plans.Plan, root: Path) -> list[Row]:
    return [problem_json(each) for each in all_problems(found, plan, root, datetime.now(UTC))]


def show(file: File = None, as_json: Json = False) -> None:
    """Show a plan: its phases, its tasks, and how far it is."""
    found, plan, root = read(file)
    shown = {**plans.show(plan), "problems": problems_of(found, plan, root)}
    if as_json:
        output.print_json({"path": found.relative, **shown})
        return
    out, counted = output.console(), shown["stats"]
    out.print(f"[bold]{safe(shown['name'], 120)}[/]  [dim]{safe(found.relative, 200)}[/]")
    out.print(
        f"{safe(shown['status'].replace('_', ' '), 40)} · {counted['done']} of {counted['total']} tasks done "
        f"({counted['percentage']} %)"
    )
    waits = {each["id"]: each["by"] for each in plans.next_task(plan)["blocked"]}
    phase: object = object()
    lines = {each["id"]: each for each in shown["phases"]}
    for task in shown["tasks"]:
        if task["phase"] != phase:
            phase = task["phase"]
            _phase(out, lines.get(phase))
        _task(out, task, waits.get(task["id"], []))
    errors = sum(each["severity"] == "error" for each in shown["problems"])
    if errors:
        out.print(f"\n[red]{errors} error{'s' if errors != 1 else ''}[/] in the plan; see `devloop plan check`.")


def _phase(out: Console, phase: Row | None) -> None:
    if phase is None:
        out.print()
        return
    status = safe(phase["status"].replace("_", " "), 30)
    out.print(f"\n[bold]Phase {safe(phase['id'], 40)}: {safe(phase['name'], 120)}[/] [dim]{status}[/]")


def _task(out: Console, task: Row, by: list[str]) -> None:
    indent = "      " if task["parent"] else "  "
    facts = [f"group {task['group']}" if task["group"] else "", f"waits for {', '.join(by)}" if by else ""]
    facts += [f"agent {task['agent']}" if task["agent"] else "", f"model {task['model']}" if task["model"] else ""]
    facts += ["optional" if task["optional"] else "", "in the background" if task["background"] else ""]
    told = safe(" · ".join(fact for fact in facts if fact), 160)
    done = task["status"] in ("complete", "skipped")
    title = f"[dim]{safe(task['title'], 200)}[/]" if done else safe(task["title"], 200)
    name = safe(task["id"], 40)
    out.print(f"{indent}{MARKS.get(task['status'], '?')} {name:<5} {title}{f'  [dim]{told}[/]' if told else ''}")


def check(file: File = None, as_json: Json = False) -> None:
    """Say what is wrong with a plan, with line numbers. Exit code 1 when there is an error."""
    found, plan, root = read(file)
    problems = problems_of(found, plan, root)
    errors = sum(each["severity"] == "error" for each in problems)
    warnings = sum(each["severity"] == "warning" for each in problems)
    if as_json:
        output.print_json({"path": found.relative, "errors": errors, "warnings": warnings, "problems": problems})
        raise typer.Exit(1 if errors else 0)
    out = output.console()
    for each in problems:
        place = f"{safe(found.relative, 300)}:{each['line']}"
        severity = SEVERITIES.get(each["severity"], "?")
        out.print(f"{place}: {severity}: {safe(each['message'], 400)} [dim]({safe(each['code'], 60)})[/]")
        for other in each["related"]:
            out.print(f"  [dim]line {other['line']}: {safe(other['message'], 300)}[/]")
    tasks = len(plan.tasks)
    out.print(
        f"{tasks} task{'s' if tasks != 1 else ''}, {errors} error{'s' if errors != 1 else ''}, "
        f"{warnings} warning{'s' if warnings != 1 else ''}."
    )
    raise typer.Exit(1 if errors else 0)


def next_(file: File = None, as_json: Json = False) -> None:
    """Say which task is next. Exit code 0 when there is one, 1 when there is none, 2 when the plan can't be read."""
    found, plan, _ = read(file)
    following = plans.next_task(plan)
    if as_json:
        output.print_json({"path": found.relative, **following})
    else:
        task = following["task"]
        unique = task is not None and sum(each.id.lower() == task["id"].lower() for each in plan.tasks) == 1
        unwritten = task is not None and any(each.unwritten and each.line == task["line"] for each in plan.tasks)
        _following(output.console(), {**following, "unique": unique, "unwritten": unwritten})
    raise typer.Exit(0 if following["state"] == "found" else 1)


def _following(out: Console, following: Row) -> None:
    task = following["task"]
    if following["resumable"]:
        out.print(f"In work or left partial: {safe(some(following['resumable'], 10), 300)}")
    if task is None:
        told = {
            "all_complete": "Every task is done.",
            "empty": "There is no task in this plan. A task is a line like `- [ ] Task 1.1: what to do`.",
            "partial": "Nothing else is ready.",
        }.get(following["state"], "No task can run now:")
        out.print(told)
        for each in following["blocked"][:20]:
            by = f"waits for {some(each['by'], 8)}" if each["by"] else ""
            out.print(
                f"  {safe(each['id'], 40)} {safe(each['title'], 120)} [dim]({safe(each['why'], 30)}) {safe(by, 200)}[/]"
            )
        return
    out.print(f"[bold]{safe(task['id'], 40)}[/] {safe(task['title'], 200)} [dim](line {task['line']})[/]")
    for criterion in task["acceptance"]:
        out.print(f"  [dim]accepted when[/] {safe(criterion, 300)}")
    if task["files"]:
        out.print(f"  [dim]files[/] {safe(', '.join(file['path'] for file in task['files'][:20]), 400)}")
    if following["parallel"]:
        out.print(f"  [dim]may run beside it[/] {safe(', '.join(following['parallel']), 200)}")
    if following["unwritten"]:
        out.print("That is still the template's task: write down what is to be done first.")
        return
    name = task["id"] if following["unique"] else f"line:{task['line']}"
    out.print(f"Start it with `devloop run {safe(name, 60)}`, or `devloop continue`.")
