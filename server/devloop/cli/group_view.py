"""Tasks of a group that wait for a person together: shown as a list, answered at once or one by one."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from devloop.cli import output
from devloop.cli.output import safe
from devloop.cli.session import ask
from devloop.daemon import wording
from devloop.errors import NotFound, UsageError

Row = dict[str, Any]


def show(console: Console, waiting: list[tuple[Row, Row]]) -> list[str]:
    """Tasks of a group that wait, a line or two each. Answers with the decisions that all of them offer."""
    console.print()
    console.rule(f"[bold]{len(waiting)} tasks wait for you[/]", align="left")
    for number, (run, checkpoint) in enumerate(waiting, 1):
        title = wording.CHECKPOINTS.get(str(checkpoint.get("kind")), "Checkpoint")
        diff = checkpoint.get("diff") or {"files": 0, "added": 0, "deleted": 0}
        verdicts = " ".join(
            f"{output.SYMBOLS.get(str(gate.get('verdict')), '?')} {safe(gate.get('gate'), 40)}"
            for gate in checkpoint.get("gates") or ()
        )
        said = checkpoint.get("problem") or (checkpoint.get("question") or {}).get("text") or checkpoint.get("summary")
        console.print(
            f"  [bold]{number}[/] {safe(run['task'], 40)} {safe(run.get('title'), 80)} [dim]· {title} · "
            f"{wording.many(diff['files'], 'file')} +{diff['added']} -{diff['deleted']} · "
            f"{wording.money(checkpoint.get('cost_usd'))}[/] "
            f"{verdicts}"
        )
        console.print(f"    [dim]{safe(said, 140)}[/]")
    offered = [str(each) for each in waiting[0][1]["decisions"] if each != "answer"]
    for _, checkpoint in waiting[1:]:
        offered = [each for each in offered if each in checkpoint["decisions"]]
    told = [f"{each} [dim](recommended)[/]" if _all_recommend(waiting, each) else each for each in offered]
    console.print(f"\n  For all: {', '.join(told) or 'no decision fits every one'}")
    return offered


def _all_recommend(waiting: list[tuple[Row, Row]], decision: str) -> bool:
    return all(checkpoint.get("recommended") == decision for _, checkpoint in waiting)


def waits(waiting: list[tuple[Row, Row]]) -> None:
    """Where nobody is asked: how to answer."""
    console = output.console()
    offered = show(console, waiting)
    console.print()
    for decision in offered:
        message = ' --message "…"' if decision in wording.QUESTIONS else ""
        console.print(f"  devloop decide --group {safe(decision, 20)}{message}")
    console.print("  devloop decide RUN DECISION, for one of them")


def decide(named: str, decision: str, message: str | None, leave_out: Any, as_json: bool) -> None:
    """`devloop decide --group`: one answer for all of them. `named`: a run of the group, or -."""
    if leave_out:
        raise UsageError("--leave-out goes with one run, not with a group.")
    rows = [row for row in ask("devloop/status")["runs"] if row["state"] == "waiting" and row.get("group")]
    groups = {str(row["group"]["id"]) for row in rows if named in ("-", row["id"])}
    if not groups:
        raise NotFound("No group of tasks waits for a decision.", hint="See what there is with `devloop status`.")
    if len(groups) > 1:
        raise UsageError("More than one group waits.", hint="Name a run of the one that is meant.")
    answer = ask("devloop/decide", {"group": groups.pop(), "decision": decision, "message": message})
    if as_json:
        output.print_json(answer)
        return
    console = output.console()
    for each in answer["runs"]:
        console.print(f"{safe(each['run'], 80)}: {safe(each['decision'], 20)}.")
    for each in answer["skipped"]:
        console.print(f"[yellow]{safe(each['run'], 80)} still waits[/]: {safe(each['why'], 200)}.")
