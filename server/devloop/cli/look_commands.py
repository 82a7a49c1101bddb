"""Commands that only look: status, runs, show, diff, transcript, budget."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from devloop.cli import checkpoint_view, log_command, output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.diff_view import pager, print_patch
from devloop.cli.output import safe
from devloop.cli.progress import hook_line
from devloop.cli.run_commands import ended_line
from devloop.cli.session import ask
from devloop.daemon import wording
from devloop.errors import NotFound
from devloop.redact import printable

Row = dict[str, Any]

STATES = {"waiting": "yellow", "ended": "dim"}
RUN_FIELDS = "{id, task, title, agent, mode, model, scripted, state, outcome, turn, waiting_for, cost_usd, tokens, …}"


def register(app: typer.Typer) -> None:
    app.command(
        "status",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop status",
            "devloop status --json",
            fields="{daemon: {pid, version, uptime_s}, engine: {pid, state, problem}, sandbox: {backend, degraded, …}, "
            f"model: {{name, scripted, key}}, runs: [{RUN_FIELDS}], plan: {{path, problem, total, done, …}}, budget}}",
        ),
    )(status)
    app.command(
        "runs",
        rich_help_panel=LOOKING,
        epilog=epilog("devloop runs", "devloop runs --task 1.2", fields=f"{{runs: [{RUN_FIELDS}]}}"),
    )(runs)
    app.command(
        "show",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop show",
            "devloop show run-1.2-1",
            fields="{run, turns: […], gates: […], checkpoint or null, notices}",
        ),
    )(show)
    app.command(
        "diff",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop diff",
            "devloop diff run-1.2-1 | git apply --check",
            fields="{run, base, commit, patch, files: [{path, status, added, deleted, binary}], added, deleted}",
        ),
    )(diff)
    app.command(
        "transcript",
        rich_help_panel=LOOKING,
        epilog=epilog("devloop transcript run-1.2-1", fields="{run, text}; the text is Markdown"),
    )(transcript)
    log_command.register(app)
    app.command(
        "budget",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop budget", fields="{caps, day, total, by_task: […], by_agent: […], by_mode: […], by_day: […]}"
        ),
    )(budget)


def status(as_json: Json = False) -> None:
    """What is going on in this workspace."""
    found = ask("devloop/status")
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    plan, engine, sandbox = found["plan"], found["engine"], found["sandbox"]
    out.print(plan_line(plan))
    model = found["model"]
    known = "scripted" if model["scripted"] else "key set" if model["key"] else "no key"
    out.print(
        f"[dim]engine[/] {safe(engine['state'], 20)}  [dim]sandbox[/] {_sandbox(sandbox)}"
        f"  [dim]model[/] {safe(model['name'], 60)} ({known})"
    )
    if sandbox["state"] != "on":
        out.print(safe(" ".join(filter(None, (sandbox["reason"], sandbox["meaning"], sandbox["fix"]))), 900))
    if engine.get("problem"):
        out.print(f"[red]{safe(engine['problem'], 500)}[/]")
    spent, caps = found["budget"]["day"], found["budget"]["caps"]
    cap = f" of {wording.money(caps['day_usd'])}" if caps.get("day_usd") is not None else ""
    out.print(f"[dim]today[/] {wording.money(spent['usd'])}{cap}, {wording.tokens(spent)} tokens\n")
    if not found["runs"]:
        out.print(f"No run is open. {_next_step(plan)}")
        return
    _table(out, found["runs"])
    waiting = [row for row in found["runs"] if row["state"] == "waiting"]
    if waiting:
        out.print(
            f"\nDecide with `devloop decide {safe(waiting[0]['id'], 80)}`; look with `devloop show` and `devloop diff`."
        )


def _next_step(plan: Row) -> str:
    """What to do where nothing runs; nothing is advised that could only be refused."""
    if plan["problem"]:
        return "`devloop quick` makes a small change without a plan."
    if plan["total"] and plan["done"] == plan["total"]:
        return "Every task is done; `devloop` says what could be next."
    return "Start one with `devloop continue`."


def _sandbox(sandbox: Row) -> str:
    """Its state in a word, with what runs the commands; a warning's colour where it is not on."""
    colour = {"on": "green", "degraded": "yellow"}.get(sandbox["state"], "red")
    where = f" ({safe(sandbox['backend'], 30)})" if sandbox["backend"] != "none" else ""
    return f"[{colour}]{safe(sandbox['state'], 20)}[/]{where}"


def plan_line(plan: Row) -> str:
    """The plan in one line of markup."""
    if plan["problem"]:
        return f"[yellow]{safe(plan['problem'], 300)}[/]"
    return f"[bold]{safe(plan['path'], 100)}[/]  {plan['done']} of {plan['total']} tasks done ({plan['percentage']} %)"


def _table(out: Console, rows: list[Row]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("run", "task", "state", "turn", "tokens", "cost", "model"):
        table.add_column(title, overflow="fold")
    for row in rows:
        state = str(row.get("outcome") or row["state"])
        told = f"waits for {row['waiting_for']}" if row["state"] != "ended" and row.get("waiting_for") else state
        colour = STATES.get(row["state"], "green")
        table.add_row(
            safe(row["id"], 80),
            f"{safe(row['task'], 30)} {safe(row.get('title'), 50)}",
            f"[{colour}]{safe(told, 40)}[/]",
            str(row.get("turn") or 0),
            wording.tokens(row.get("tokens")),
            wording.money(row.get("cost_usd")),
            output.model_name(row),
        )
    out.print(table)


def runs(
    task: Annotated[str | None, typer.Option("--task", help="Only runs of this task.")] = None,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=1, max=1000, help="At most so many, newest first.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """The runs so far, newest first."""
    found = ask("devloop/runs", {"limit": limit, "task": task})
    if as_json:
        output.print_json(found)
    elif not found["runs"]:
        output.console().print("There is no run yet. Start one with `devloop continue`.")
    else:
        _table(output.console(), found["runs"])


RunName = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="The run's id; else the one that waits, or the newest.")
]


def named(name: str | None) -> str:
    """The run that is meant: without a name the one that waits for a person, else the newest."""
    if name is not None:
        return name
    rows = ask("devloop/runs", {"limit": 50})["runs"]
    if not rows:
        raise NotFound("Nothing has been run here yet.", hint="Start a run with `devloop continue`.")
    return str(next((row for row in rows if row["state"] == "waiting"), rows[0])["id"])


def show(name: RunName = None, as_json: Json = False) -> None:
    """One run: its turns, its gates, and the checkpoint it waits at."""
    found = ask("devloop/show", {"run": named(name)})
    if as_json:
        output.print_json(found)
        return
    out, row = output.console(), found["run"]
    out.print(f"[bold]{safe(row['task'], 40)} {safe(row.get('title'), 100)}[/]")
    facts = (f"[dim]{safe(row['id'], 80)}[/]", safe(row["agent"], 40), output.model_name(row), safe(row["state"], 20))
    out.print(" · ".join(facts))
    for turn in found["turns"]:
        tools = ", ".join(safe(_tool(each), 60) for each in (turn.get("tools") or ())[:6])
        told = f"{wording.tokens(turn.get('tokens'))} tokens, {wording.money(turn.get('cost_usd'))}"
        mark = " [yellow](scripted)[/]" if turn.get("scripted") else ""
        out.print(f"  turn {turn['number']}: {tools or safe(turn.get('stop_reason'), 30)} [dim]({told})[/]{mark}")
    for gate in found["gates"]:
        verdict = str(gate.get("verdict"))
        reason = safe(gate.get("reason"), 120) or safe(checkpoint_view.counts(gate.get("counts")), 100)
        symbol = output.SYMBOLS.get(verdict, "?")
        out.print(f"  {symbol} gate {safe(gate.get('gate'), 60)}: {safe(verdict, 20)} [dim]{reason}[/]")
    for used in found.get("skills") or ():
        if used["how"] != "listed":
            about = f"{used['skill']}/{used['reference']}" if used["reference"] else used["skill"]
            told = (
                f"{safe(used['how'], 20)} in turn {used['turn']}: {safe(used['why'], 120)}, {used['tokens']:,} tokens"
            )
            out.print(f"  skill {safe(about, 80)} [dim]({told})[/]")
    for hook in found.get("hooks") or ():
        if hook["result"] != "pass":
            out.print(f"  {hook_line(hook)}")
    passed = [hook for hook in found.get("hooks") or () if hook["result"] == "pass"]
    if passed:
        took = sum(hook["ms"] for hook in passed)
        out.print(f"  [green]✓[/] {len(passed)} hook{'s' if len(passed) != 1 else ''} passed [dim]({took:,} ms)[/]")
    for notice in found["notices"]:
        out.print(f"  [cyan]note[/] {safe(notice, 300)}")
    if found["checkpoint"]:
        checkpoint_view.show(out, row, found["checkpoint"])
    elif row["state"] == "ended":
        checkpoint_view.handed_in(out, found.get("report"))
        out.print(ended_line(row))


def _tool(tool: Any) -> str:
    if isinstance(tool, dict):
        return str(tool.get("summary") or tool.get("tool") or tool.get("name") or "")
    return str(tool)


def diff(name: RunName = None, as_json: Json = False) -> None:
    """What a run changed, as a patch."""
    found = ask("devloop/diff", {"run": named(name)})
    if as_json:
        output.print_json(found)
    elif not found["patch"]:
        output.console(stderr=True).print("No change so far.")
    elif sys.stdout.isatty():
        print_patch(output.console(), str(found["patch"]))
    else:  # for another program: the patch as it is
        sys.stdout.buffer.write(str(found["patch"]).encode("utf-8", "surrogateescape"))


def transcript(name: RunName = None, as_json: Json = False) -> None:
    """What was said in a run: the agent's words and calls, results, and what it was told."""
    found = ask("devloop/transcript", {"run": named(name)})
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    text = Text(printable(str(found["text"])))
    if out.is_terminal:
        with pager(out):
            out.print(text)
    else:
        out.print(text, end="")


def budget(as_json: Json = False) -> None:
    """What was spent, and the caps."""
    found = ask("devloop/budget")
    if as_json:
        output.print_json(found)
        return
    out, caps = output.console(), found["caps"]
    for name, cap in (("day", caps.get("day_usd")), ("total", caps.get("plan_usd"))):
        spent = found[name]
        limit = f" of {wording.money(cap)}" if cap is not None else ""
        told = f"{wording.money(spent['usd'])}{limit}, {wording.tokens(spent)} tokens, {spent['turns']} turns"
        played = spent.get("scripted_usd") or 0.0
        scripted = f" [yellow](scripted: {wording.money(played)}, paid by nobody)[/]" if played else ""
        out.print(f"[bold]{name:<6}[/] {told}{scripted}")
    told = ", ".join(f"{key} {value}" for key, value in caps.items() if value is not None)
    out.print(f"[dim]caps   {safe(told, 300)}[/]\n")
    for name in ("task", "agent", "mode", "day"):
        title, rows = f"by {name}", found.get(f"by_{name}")
        if rows:
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", title=title, title_justify="left")
            for column in ("", "cost", "tokens", "turns"):
                table.add_column(column, overflow="fold")
            for row in rows:
                table.add_row(
                    safe(row.get("label"), 60), wording.money(row["usd"]), wording.tokens(row), str(row["turns"])
                )
            out.print(table)
