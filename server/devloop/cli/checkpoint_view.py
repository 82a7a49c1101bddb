"""A checkpoint on a terminal: everything a person needs to decide, on one screen."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from devloop.cli import output
from devloop.cli.diff_view import coloured
from devloop.cli.output import safe, safe_block, safe_name
from devloop.daemon import wording
from devloop.lists import more

Row = dict[str, Any]

MEANING = {
    "continue": "accept onto the plan branch, then the next task",
    "commit": "accept and land on your branch, then go on",
    "fresh": "accept, write the hand-off, end here",
    "stop": "accept, end the loop",
    "revise": "tell the agent what to change; it goes on",
    "discard": "throw the work away (kept reachable for 30 days)",
    "answer": "answer the question",
    "recheck": "run the gates again",
    "block": "mark the task as blocked, with a reason",
}
_ENDS_HERE = {"continue": "accept onto the plan branch", "commit": "accept and land on your branch"}
_WITHOUT_WORK = {"stop": "end the run; its work stays on its branch"}
_UNLANDED = {
    "commit": "try once more to land it",
    "continue": "leave it on the plan branch",
    "stop": "leave it on the plan branch, and end here",
}
_AGAIN = "try once more what did not work"
MAX_FILES = 12
MAX_PATCH = 80
"""Lines of a change of the plan that stand at the checkpoint; `v` shows all of it."""


def meaning(decision: str, checkpoint: Row, run: Row) -> str:
    """What a decision does at this checkpoint of this run; no next task is promised where none comes."""
    offered = checkpoint.get("decisions") or ()
    if checkpoint.get("kind") == "problem" and "commit" in offered:  # it is accepted already, and could not land
        return _UNLANDED.get(decision, "")
    if decision == "recheck" and "block" not in offered:  # no gate stands in its way
        return _AGAIN
    if checkpoint.get("kind") != "decision" and decision in _WITHOUT_WORK:
        return _WITHOUT_WORK[decision]
    if decision == "continue" and checkpoint.get("proposal"):
        return "accept it, and change the plan as shown"
    limit = run.get("loop_limit")
    ends = run.get("errand") or (limit is not None and int(run.get("loop_done") or 0) + 1 >= limit)
    return (_ENDS_HERE.get(decision) if ends else None) or MEANING.get(decision, "")


def show(console: Console, run: Row, checkpoint: Row) -> None:
    title = wording.CHECKPOINTS.get(str(checkpoint.get("kind")), "Checkpoint")
    console.print()
    console.rule(f"[bold]{title}[/] · {safe(run['task'], 40)} {safe(run.get('title'), 80)}", align="left")
    if checkpoint.get("problem"):
        console.print(f"[red]{safe_block(checkpoint['problem'])}[/]\n")
    _secrets(console, run, checkpoint)
    question = checkpoint.get("question")
    if question:
        console.print(f"[bold]{safe_block(question.get('text'))}[/]")
        for number, choice in enumerate(question.get("choices") or (), 1):
            console.print(f"  {number}  {safe(choice, 300)}")
        console.print()
    if checkpoint.get("summary"):
        console.print(f"{safe_block(checkpoint['summary'])}\n")
    report = checkpoint.get("report")
    if report and str(report.get("text")) not in str(checkpoint.get("summary")) and not checkpoint.get("proposal"):
        handed_in(console, report)
    elif checkpoint.get("kind") == "decision" and not checkpoint.get("diff") and not report:
        console.print("[yellow]No file was changed.[/]\n")
    _about_the_loop(console, checkpoint)
    _proposal(console, run, checkpoint.get("proposal"))
    _diff(console, checkpoint.get("diff"))
    _gates(console, checkpoint.get("gates") or [])
    guards(console, checkpoint.get("guards") or [], checkpoint.get("guards_more") or 0)
    for notice in checkpoint.get("notices") or ():
        console.print(f"[cyan]note[/] {safe(notice, 300)}")
    turns = checkpoint.get("turns") or 0
    spent = [
        wording.many(turns, "turn"),
        f"{wording.tokens(checkpoint.get('tokens'))} tokens",
        wording.money(checkpoint.get("cost_usd")),
        output.model_name({**run, "scripted": checkpoint.get("scripted", run.get("scripted"))}),
    ]
    console.print(" · ".join(spent))


def handed_in(console: Console, report: Row | None) -> None:
    """What a run that ends with a report came to, as at its checkpoint."""
    if report and report.get("text"):
        console.print(f"{safe_block(report['text'])}\n")


def _secrets(console: Console, run: Row, checkpoint: Row) -> None:
    """What looks like a secret, and how to say that it is none."""
    found = checkpoint.get("secrets") or []
    if not found or "recheck" not in (checkpoint.get("decisions") or ()):
        return
    for each in found[:MAX_FILES]:
        console.print(f"  {safe(each['id'], 40)}  {safe(wording.secret(each), 160)}")
    if left := more(len(found) - MAX_FILES):
        console.print(f"  [dim]{left}[/]")
    console.print(f"[dim]What is no secret: devloop decide {safe(run['id'], 80)} recheck --not-secret ID[/]\n")


def _proposal(console: Console, run: Row, proposal: Row | None) -> None:
    """What accepting would make of the plan."""
    if not proposal:
        return
    console.print(f"[bold]{safe(proposal['path'], 200)}[/]: {safe(proposal.get('said') or 'nothing changes', 300)}")
    lines = str(proposal.get("patch") or "").splitlines(keepends=True)
    console.print(coloured("".join(lines[:MAX_PATCH])))
    if left := more(len(lines) - MAX_PATCH):
        console.print(f"[dim]{left} lines; v shows all of it.[/]")
    for text in proposal.get("left_out") or ():
        console.print(f"[yellow]left out[/] {safe(text, 300)}")
    for text in proposal.get("notes") or ():
        console.print(f"[cyan]note[/] {safe(text, 300)}")
    if proposal.get("optional") and proposal.get("said"):
        console.print(f"[dim]Without it: devloop decide {safe(run['id'], 80)} continue --leave-out plan[/]")
    console.print()


def _about_the_loop(console: Console, checkpoint: Row) -> None:
    """What else the decision is about: tasks that were accepted by rule, and the modes that follow."""
    accepted = checkpoint.get("accepted")
    if accepted:
        figures = (
            f"{wording.many(accepted['files'], 'file')}, [green]+{accepted['added']}[/] [red]-{accepted['deleted']}[/]"
        )
        console.print(
            f"[bold]Since the last checkpoint[/] {wording.many(len(accepted['tasks']), 'task')}, {figures}; "
            "this is the last:"
        )
        for task in accepted["tasks"]:
            told = f"{safe(task['task'], 40)} {safe(task['title'], 80)}"
            console.print(f"  {told} [dim]{wording.many(task['files'], 'file')} +{task['added']} -{task['deleted']}[/]")
        console.print()
    chain = checkpoint.get("chain")
    if chain and chain.get("next"):
        way = " → ".join(safe(mode, 40) for mode in chain["modes"])
        console.print(f"Mode {chain['at'] + 1} of {len(chain['modes'])} ({way}): {safe(chain['next'], 40)} is next.\n")


def recommendation(decision: str, checkpoint: Row) -> str:
    """`recommended: why`, where this decision is."""
    if checkpoint.get("recommended") != decision:
        return ""
    return f"recommended: {checkpoint['why']}" if checkpoint.get("why") else "recommended"


def recommended_then(decision: str, checkpoint: Row) -> str:
    """What stands behind its meaning, as markup: a reason on a line of its own, which a narrow terminal needs."""
    told = recommendation(decision, checkpoint)
    if not told:
        return ""
    return f"\n{' ' * 14}{safe(told, 120)}" if checkpoint.get("why") else f" · {told}"


def _diff(console: Console, diff: Row | None) -> None:
    if not diff:
        return
    console.print(
        f"{wording.many(diff['files'], 'file')} changed, [green]+{diff['added']}[/] [red]-{diff['deleted']}[/]"
    )
    listed = diff.get("list") or []
    for file in listed[:MAX_FILES]:
        added, deleted = file.get("added") or 0, file.get("deleted") or 0
        figures = f"[green]+{added}[/] [red]-{deleted}[/] [dim]{safe(file.get('status'), 20)}[/]"
        console.print(f"  {safe_name(file['path'], 100)}  {figures}")
    if left := more(diff["files"] - MAX_FILES):
        console.print(f"  [dim]{left}[/]")
    console.print()


def _gates(console: Console, gates: list[Row]) -> None:
    if not gates:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for gate in gates:
        verdict = str(gate.get("verdict"))
        told = safe(gate.get("reason"), 100) or safe(counts(gate.get("counts")), 100)
        told = " · ".join(filter(None, (told, coverage(gate.get("coverage")))))
        optional = "" if gate.get("required", True) else "[dim]optional[/]"
        table.add_row(
            output.SYMBOLS.get(verdict, "?"),
            safe(gate.get("gate"), 40),
            safe(verdict, 20),
            told,
            f"[dim]{wording.duration(gate.get('duration_s'))}[/]",
            optional,
        )
    console.print(table)
    for gate in gates:
        for warning in gate.get("warnings") or ():
            console.print(f"  [yellow]![/] {safe(gate.get('gate'), 40)}: {safe(warning, 300)}")
    console.print()


def counts(counted: Any) -> str:
    """`12 passed, 1 skipped` from a gate's counts."""
    if not isinstance(counted, dict):
        return ""
    return ", ".join(f"{value} {name}" for name, value in counted.items() if isinstance(value, int) and value)


def coverage(measured: Any) -> str:
    """`coverage 87 % (−2)`: per cent now, and points more or less than on the base tree."""
    percent = measured.get("percent") if isinstance(measured, dict) else None
    if not isinstance(percent, int | float):
        return ""
    before = measured.get("before")
    points = _whole(percent) - _whole(before) if isinstance(before, int | float) else 0
    change = f" ({'+' if points > 0 else '−'}{abs(points)})" if points else ""
    return f"coverage {_whole(percent)} %{change}"


def _whole(percent: float) -> int:
    """Rounded down: 100 % is said of nothing less."""
    return int(percent)


def guards(console: Console, changes: list[Row], unlisted: int = 0) -> None:
    """What the work changed about what checks it; those that would hold an unattended loop are marked."""
    if not changes:
        return
    console.print("[yellow]The work changes what checks it:[/]")
    for guard in changes[:MAX_FILES]:
        told = f"{guard.get('kind')} {guard.get('place') or guard.get('file')}: {guard.get('text')}"
        told = f"(the task says so) {told}" if guard.get("by_task") else told
        console.print(f"  {'[yellow]![/]' if guard.get('holds', True) else '[dim]·[/]'} {safe(told, 200)}")
    if left := more(unlisted + max(0, len(changes) - MAX_FILES)):
        console.print(f"  [dim]{left}[/]")
    console.print()
