"""`devloop review`: have a change looked at, and what was found before."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from devloop.cli import output, run_commands
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.follow import Followed, exit_code
from devloop.cli.output import safe, safe_block
from devloop.cli.run_commands import FOLLOWED, DetachOption
from devloop.cli.session import ask
from devloop.daemon import wording
from devloop.errors import UsageError

Row = dict[str, Any]

SEVERITIES = ("Critical", "High", "Medium", "Low", "Nitpick")
COLOURS = {"Critical": "bold red", "High": "red", "Medium": "yellow", "Low": "cyan", "Nitpick": "dim"}


class FailOn(StrEnum):
    critical = "critical"
    high = "high"
    any = "any"


def register(app: typer.Typer) -> None:
    app.command(
        "review",
        rich_help_panel=WORKING,
        epilog=epilog(
            "devloop review",
            "devloop review --staged --quick",
            "devloop review --branch --security --json --fail-on high",
            "devloop review src/app.py tests",
            "devloop review --list",
            "devloop review --dismiss review-1.2",
            "devloop review --fix review-1.3",
            fields=f"{FOLLOWED}; the review is checkpoint.report.data: {{verdict, findings: [{{path, line, severity, "
            "kind, confidence, problem, fix, by}], good, summary, reviewed}; --list {reviews: [{id, run, what, "
            "verdict, accepted, findings: [{id, path, line, now, severity, problem, fix, by, dismissed, …}]}]}",
        ),
    )(review)


def review(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="These files as a whole, changed or not.")
    ] = None,
    uncommitted: Annotated[bool, typer.Option("--uncommitted", help="What is not committed; new files too.")] = False,
    staged: Annotated[bool, typer.Option("--staged", help="What is staged.")] = False,
    commits: Annotated[
        str | None, typer.Option("--commits", metavar="N|A..B", help="The last N commits, or a range, or one.")
    ] = None,
    branch: Annotated[bool, typer.Option("--branch", help="What this branch adds to its upstream, or main.")] = False,
    against: Annotated[str | None, typer.Option("--against", metavar="REF", help="With --branch: to this one.")] = None,
    files: Annotated[
        list[str] | None, typer.Option("--files", metavar="PATH", help="As PATH; may be given more than once.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="A run's work, before you decide.")] = None,
    about: Annotated[
        str, typer.Option("--about", metavar="WORDS", help="What the reviewers should mind, in your words.")
    ] = "",
    quick: Annotated[bool, typer.Option("--quick", help="One reviewer instead of three.")] = False,
    security: Annotated[
        bool | None,
        typer.Option(
            "--security/--no-security", help="A security scan as well; by itself where the change asks for it."
        ),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Keep the findings without asking.")] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 1 from this severity on; else when changes are requested."),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Findings that are kept, and where they are now.")] = False,
    show: Annotated[str | None, typer.Option("--show", metavar="REVIEW", help="One review as a whole.")] = None,
    dismiss: Annotated[
        list[str] | None,
        typer.Option("--dismiss", metavar="ID", help="Dismiss a finding, or all of a review; may be given again."),
    ] = None,
    plan: Annotated[
        list[str] | None, typer.Option("--plan", metavar="ID", help="Add a finding as a task to the plan.")
    ] = None,
    fix: Annotated[str | None, typer.Option("--fix", metavar="ID", help="Let an agent fix a finding now.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all findings.")] = False,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Let reviewers look at a change together: correctness, quality, conventions, security. One report, one verdict."""
    if fix is not None:
        run_commands.start(
            "devloop/findings/fix", {"finding": fix, "decide": None}, limit=1, detach=detach, as_json=as_json
        )
        return
    if list_them or show is not None or dismiss or plan or clear:
        _kept(show, dismiss or [], plan or [], clear, as_json)
        return
    named = [*(paths or []), *(files or [])]
    options = _scope(uncommitted, staged, commits, branch or against is not None, named, run)
    options |= {"quick": quick, "security": security}
    if against is not None:
        options["against"] = against
    params = {"command": "review", "text": about, "options": options, "decide": None}
    if detach:
        run_commands.start("devloop/errand", params, limit=1, detach=True, as_json=as_json)
        return
    asks = output.is_terminal() and not as_json
    followed = run_commands.begin_and_follow("devloop/errand", params, limit=1, as_json=as_json or accept)
    report = _report(followed)
    if accept and followed.last["state"] == "waiting" and report is not None:
        followed = _accepted(followed)
    run_commands.ended(followed, as_json)
    if report is None or asks:
        raise typer.Exit(exit_code(followed.last))
    raise typer.Exit(1 if fails(report, fail_on) else 0)


def _scope(
    uncommitted: bool, staged: bool, commits: str | None, branch: bool, files: Sequence[str], run: str | None
) -> Row:
    chosen: list[Row] = []
    chosen += [{"scope": "uncommitted"}] if uncommitted else []
    chosen += [{"scope": "staged"}] if staged else []
    chosen += [{"scope": "commits", "commits": commits}] if commits is not None else []
    chosen += [{"scope": "branch"}] if branch else []
    chosen += [{"scope": "files", "files": list(files)}] if files else []
    chosen += [{"scope": "run", "run": run}] if run is not None else []
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(each['scope'] for each in chosen)}: only one of them at a time.",
            hint="For example: devloop review --staged",
        )
    return chosen[0] if chosen else {"scope": "auto"}


def fails(report: Row, fail_on: FailOn | None) -> bool:
    """Whether a review lets a script fail."""
    severities = {finding.get("severity") for finding in report.get("findings") or ()}
    match fail_on:
        case FailOn.critical:
            return "Critical" in severities
        case FailOn.high:
            return bool(severities & {"Critical", "High"})
        case FailOn.any:
            return bool(severities)
    return bool(report.get("verdict") == "REQUEST_CHANGES")


def _report(followed: Followed) -> Row | None:
    """What the reviewers said, where they came to an end."""
    last = followed.last
    if last["state"] == "ended" and exit_code(last) != 0:
        return None
    shown = (followed.checkpoint or ask("devloop/show", {"run": last["id"]})).get("report") or {}
    data = shown.get("data")
    return data if isinstance(data, dict) else None


def _accepted(followed: Followed) -> Followed:
    asked = {"run": followed.last["id"], "decision": "continue", "message": None, "checkpoint": None}
    last = run_commands.decide_and_follow(asked, as_json=True).last
    return Followed([*followed.runs[:-1], last], followed.checkpoint)


def _kept(show: str | None, dismiss: Sequence[str], plan: Sequence[str], clear: bool, as_json: bool) -> None:
    if clear:
        answer = ask("devloop/findings/clear")
        told = f"{wording.many(answer['cleared'], 'finding')} forgotten."
    elif dismiss:
        answer = ask("devloop/findings/dismiss", {"ids": list(dismiss)})
        told = f"Dismissed: {', '.join(answer['dismissed']) or 'nothing that still stood'}."
    elif plan:
        answer = ask("devloop/findings/plan", {"ids": list(plan)})
        told = answer["said"]
    else:
        answer = ask("devloop/findings", {"review": show})
        told = ""
    if as_json:
        output.print_json(answer)
    elif told:
        output.console().print(safe(told, 1000))
    else:
        _print(output.console(), answer["reviews"], whole=show is not None)


def _print(console: Console, reviews: Sequence[Row], *, whole: bool) -> None:
    if not reviews:
        console.print("No review is kept. Begin one with `devloop review`.")
    for each in reviews:
        waits = "" if each["accepted"] else " [yellow]waits for a decision[/]"
        what = f"{each['what']}, {wording.many(each['count'], 'file')}, +{each['added']} -{each['deleted']}"
        console.print(f"[bold]{safe(each['id'], 80)}[/] {safe(what, 200)} · {safe(each['verdict'], 20)}{waits}")
        if whole and each["summary"]:
            console.print(f"{safe_block(each['summary'])}\n")
        standing = [finding for finding in each["findings"] if finding["dismissed"] is None]
        for finding in sorted(standing, key=lambda row: SEVERITIES.index(row["severity"])):
            _finding(console, finding)
        for good in each["good"] if whole else ():
            console.print(f"  [green]+[/] {safe(good, 400)}")
        gone = len(each["findings"]) - len(standing)
        if gone:
            console.print(f"  [dim]{gone} dismissed[/]")


def _finding(console: Console, finding: Row) -> None:
    now = finding["now"]
    line = now if now is not None else finding["line"]
    place = f"{finding['path']}:{line}" if line else finding["path"]
    changed = " [dim](the line was changed since)[/]" if now is None else ""
    by = f" [dim]{safe(', '.join(finding['by']), 100)}[/]" if finding["by"] else ""
    colour = COLOURS[finding["severity"]]
    console.print(
        f"  [{colour}]{finding['severity']:8}[/] {safe(place, 200)} [dim]{safe(finding['id'], 80)}[/]{by}{changed}"
    )
    console.print(f"           {safe(finding['problem'], 1000)}")
    if finding["fix"]:
        console.print(f"           [green]→[/] {safe(finding['fix'], 1000)}")
