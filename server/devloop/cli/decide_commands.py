"""Commands that answer what waits and end what goes on: decide, fresh, land, cancel."""

from __future__ import annotations

from typing import Annotated, Any, NoReturn

import typer

from devloop.cli import group_view, output
from devloop.cli.ask_person import Person, match
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.follow import Followed, Follower, exit_code
from devloop.cli.output import safe
from devloop.cli.run_commands import FOLLOWED, decide_and_follow, ended, view_of
from devloop.cli.session import ask, options, project_root, run
from devloop.daemon import wording
from devloop.errors import NotFound, UsageError

Row = dict[str, Any]

DECISIONS = ("continue", "commit", "fresh", "stop", "revise", "discard", "answer", "recheck", "block")
ALIASES = {"accept": "continue", "next": "continue", "land": "commit", "fresh-start": "fresh", "reject": "revise"}


def register(app: typer.Typer) -> None:
    app.command(
        "decide",
        rich_help_panel=WORKING,
        epilog=epilog(
            "devloop decide",
            "devloop decide commit",
            'devloop decide run-1.2-1 revise --message "use the existing helper"',
            "devloop decide run-1.2-1 commit --leave-out notes.md --leave-out src/draft.py",
            "devloop decide --group commit",
            fields="{run, checkpoint, decision, leave_out}; of a group {group, decision, runs, skipped}",
        ),
    )(decide)
    app.command(
        "fresh",
        rich_help_panel=WORKING,
        epilog=epilog("devloop fresh", "devloop fresh run-1.2-1", fields="{run, checkpoint, decision, leave_out}"),
    )(fresh)
    app.command(
        "land",
        rich_help_panel=WORKING,
        epilog=epilog("devloop land", fields=f"{{commits, branch, old, new, run}}; where gates run first, {FOLLOWED}"),
    )(land)
    app.command("cancel", rich_help_panel=WORKING, epilog=epilog("devloop cancel run-1.2-1", fields="{run, state}"))(
        cancel
    )


def decide(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN] [DECISION]",
            help="RUN may be left out (or -) when exactly one run waits. Without a DECISION you are asked for it.",
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="What the agent, or the plan, is told.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            metavar="PATH",
            help="Accept all but this file of the diff; may be given more than once. The gates run again on the rest. "
            "plan: a report without its changes of the plan.",
        ),
    ] = None,
    not_secret: Annotated[
        list[str] | None,
        typer.Option(
            "--not-secret",
            metavar="ID",
            help="With recheck: this finding of the gate `secrets` is no secret; it is asked for no more.",
        ),
    ] = None,
    group: Annotated[
        bool, typer.Option("--group", help="One answer for all tasks of the group that waits; RUN names one of them.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the run afterwards.")] = False,
    as_json: Json = False,
) -> None:
    """Answer a checkpoint: continue, commit, fresh, stop, revise, discard, answer, recheck or block."""
    given = words or []
    if len(given) > 2:
        raise UsageError("Those are too many words.", hint='Put a message in quotes: --message "…".')
    named, word = (given[0] if len(given) == 2 else "-"), given[-1].lower() if given else ""
    found = ALIASES.get(word) or match(word if not word.isdigit() else "", list(DECISIONS))
    is_run = len(given) == 1 and found is None and "-" in given[0]
    if (is_run or not given) and not group and not as_json and output.is_terminal():
        _ask_again(given[0] if given else "-")
    if found is None:
        said = f"{word!r} is no decision." if given and not is_run else "Say what you decide."
        raise UsageError(said, hint=f"Choose one of: {', '.join(DECISIONS)}.")
    if found in wording.QUESTIONS and not (message or "").strip():
        raise UsageError(f"{found} needs words.", hint=f'{wording.QUESTIONS[found]} Add -m "…".')
    if group:
        group_view.decide(named, found, message, leave_out, as_json)
        return
    chosen = _waiting_run() if named == "-" else named
    params: Row = {"run": chosen, "decision": found, "message": message, "checkpoint": None}
    if leave_out:
        params["leave_out"] = leave_out
    if not_secret:
        params["not_secret"] = not_secret
    if not follow:
        answer = ask("devloop/decide", params)
        if as_json:
            output.print_json(answer)
        else:
            without = f" without {safe(', '.join(answer['leave_out']), 300)}" if answer.get("leave_out") else ""
            name = safe(answer["run"], 80)
            output.console().print(f"{name}: {safe(answer['decision'], 20)}{without}.")
            output.console().print(f"[dim]What comes of it: {safe(options.called, 400)} show {name}[/]")
        return
    _decide_and_follow(params, as_json)


def fresh(
    name: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="May be left out when exactly one run waits.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Accept the work that waits, write the hand-off for a fresh start, and end there."""
    decide(
        ["-" if name is None else name, "fresh"],
        message=None,
        leave_out=None,
        group=False,
        follow=False,
        as_json=as_json,
    )


def _ask_again(named: str) -> NoReturn:
    """Show a run's checkpoint to the person at the terminal, ask, and follow what comes of it."""
    _follow(_waiting_run() if named == "-" else named, as_json=False)


def _follow(chosen: str, *, as_json: bool) -> NoReturn:
    options.on_interrupt = f"{chosen} goes on in the background."
    person = Person(output.console()) if output.is_terminal() and not as_json else None

    async def work() -> Followed:
        async with Follower(project_root(), view_of(as_json), person) as follower:
            return await follower.follow(chosen, None, None)

    followed = run(work())
    ended(followed, as_json)
    raise typer.Exit(exit_code(followed.last))


def _decide_and_follow(params: Row, as_json: bool) -> None:
    followed = decide_and_follow(params, as_json=as_json)
    ended(followed, as_json)
    raise typer.Exit(exit_code(followed.last))


def _waiting_run() -> str:
    waiting = [row["id"] for row in ask("devloop/status")["runs"] if row["state"] == "waiting"]
    if not waiting:
        raise NotFound("No run waits for a decision.", hint="See what there is with `devloop runs`.")
    if len(waiting) > 1:
        raise UsageError(
            f"{len(waiting)} runs wait: {', '.join(waiting)}.", hint="Say which: devloop decide RUN DECISION."
        )
    return str(waiting[0])


def land(as_json: Json = False) -> None:
    """Bring what was accepted and is still on the plan branch to your branch.

    Where your branch went on since, the gates run on both together first.
    """
    found = ask("devloop/land")
    if found.get("run"):
        if not as_json:
            branch = safe(found["branch"], 80)
            output.console().print(f"{branch} went on since the work was accepted: the gates run on both together.")
        _follow(str(found["run"]), as_json=as_json)
    if as_json:
        output.print_json(found)
    elif not found["commits"]:
        nothing = found["branch"] is None
        told = "Nothing was accepted here yet." if nothing else "All that was accepted is on your branch already."
        output.console().print(told)
    else:
        many = wording.many(found["commits"], "commit")
        moved = f"{str(found['old'])[:7]}..{str(found['new'])[:7]}"
        output.console().print(f"[green]landed[/] {many} on {safe(found['branch'], 80)} ({safe(moved, 20)})")


def cancel(
    name: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as `devloop status` lists it.")],
    as_json: Json = False,
) -> None:
    """End a run at once. Its work stays reachable for 30 days."""
    answer = ask("devloop/cancel", {"run": name})
    if as_json:
        output.print_json(answer)
    else:
        output.console().print(f"{safe(answer['run'], 80)} is being cancelled.")
