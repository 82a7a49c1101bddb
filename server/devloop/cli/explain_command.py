"""`devloop explain`: the evidence behind a task's `[x]`."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from devloop.cli import checkpoint_view, output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import ask
from devloop.daemon import evidence
from devloop.errors import DevloopError

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command(
        "explain",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop explain 1.2",
            "devloop explain 1.2 --json",
            fields="{task, evidence: {run, outcome, commit, checked, gates: [{gate, verdict, command, exit_code,"
            " counts, report_sha256, tool_version, started, duration_s, …}], decided: {by, decision, message, at},"
            " changes: […], …} or null}",
        ),
    )(explain)


def explain(
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task's id, as in the plan.")], as_json: Json = False
) -> None:
    """Why a task is done: which gates ran on what, what they said, and who decided."""
    rows = ask("devloop/runs", {"limit": 100, "task": task})["runs"]
    accepted = next((row for row in rows if row.get("outcome") in evidence.ACCEPTED), None)
    found = evidence.of(ask("devloop/show", {"run": accepted["id"]})) if accepted is not None else None
    if as_json:
        output.print_json({"task": task, "evidence": found})
    elif found is None:
        output.console().print(_undone(task, rows) if rows or _is_planned(task) else _unknown(task))
    else:
        _print(output.console(), found)
    if found is None:
        raise typer.Exit(1)


def _is_planned(task: str) -> bool:
    """Whether the plan has it; where there is no plan to ask, nothing is said against it."""
    try:
        rows = ask("devloop/plan")["tasks"]
    except DevloopError:
        return True
    return any(task.lower() in (str(row["id"]).lower(), str(row["key"])) for row in rows)


def _unknown(task: str) -> str:
    return f"The plan has no task {safe(task, 40)}, and none of that name was ever run. Its tasks: `devloop plan show`."


def _undone(task: str, rows: list[Row]) -> str:
    """Why there is no evidence, as markup."""
    still = next((row for row in rows if row["state"] != "ended"), None)
    if still is not None:
        doing = f"waits for {still['waiting_for']}" if still.get("waiting_for") else f"is {still['state']}"
        return f"Task {safe(task, 40)} is not done yet: {safe(still['id'], 80)} {safe(doing, 60)}."
    tried = f"its {len(rows)} run{'s' if len(rows) != 1 else ''} ended otherwise" if rows else "it had no run"
    known = "`devloop runs` lists them." if rows else "What has been run: `devloop runs`."
    return f"No run of devloop did task {safe(task, 40)}: {tried}. A tick of it is a person's own. {known}"


def _print(out: Console, found: Row) -> None:
    out.print(f"[bold]{safe(found['task'], 40)} {safe(found['title'], 100)}[/]  {safe(found['outcome'], 20)}")
    commit = f" as [cyan]{safe(found['commit'], 40)}[/]" if found["commit"] else ", without a change of files"
    out.print(f"  run {safe(found['run'], 80)}{commit}")
    if found["checked"]:
        out.print(f"  checked on [cyan]{safe(found['checked'], 40)}[/], in a clean checkout")
    for gate in found["gates"]:
        verdict = str(gate["verdict"])
        told = safe(checkpoint_view.counts(gate["counts"]), 100) or safe(gate["reason"], 120)
        out.print(f"  {output.SYMBOLS.get(verdict, '?')} {safe(gate['gate'], 60)}: {safe(verdict, 20)} {told}".rstrip())
        ended = f"signal {gate['signal']}" if gate["signal"] else f"exit code {gate['exit_code']}"
        command = safe(shlex.join(map(str, gate["command"] or ())), 300)
        out.print(f"      [dim]{command}[/]  {ended}, {_moment(gate['started'])}, {gate['duration_s']} s")
        facts = [f"report sha256 {gate['report_sha256']}"] if gate["report_sha256"] else ["no report"]
        facts += [str(gate["tool_version"])] if gate["tool_version"] else []
        out.print(f"      [dim]{safe(' · '.join(facts), 300)}[/]")
    decided = found["decided"]
    words = f": “{safe(decided['message'], 200)}”" if decided["message"] else ""
    named = f" ({safe(decided['decision'], 20)})" if decided["decision"] else ""
    out.print(f"  {evidence.who(decided)}{named}, {_moment(decided['at'])}{words}")
    checkpoint_view.guards(out, found["changes"], found["changes_more"])
    for notice in found["notices"]:
        out.print(f"  [cyan]note[/] {safe(notice, 300)}")


def _moment(when: Any) -> str:
    """Local time to the second; "" where it is not known."""
    if not isinstance(when, int | float):
        return ""
    return datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
