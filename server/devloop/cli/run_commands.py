"""Commands that make something happen: run, continue, decide, cancel."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer

from devloop.cli import checkpoint_view, group_view, output
from devloop.cli.ask_person import Person, match
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.follow import CODES, Followed, Follower, exit_code
from devloop.cli.output import safe
from devloop.cli.progress import Lines, LiveView, Silent, View
from devloop.cli.session import ask, options, project_root, run
from devloop.daemon import situating, wording
from devloop.errors import NotFound, UsageError

Row = dict[str, Any]


class Decide(StrEnum):
    """What a loop may decide by itself."""

    continue_ = "continue"
    commit = "commit"


DECISIONS = ("continue", "commit", "fresh", "stop", "revise", "discard", "answer", "recheck", "block")
ALIASES = {"accept": "continue", "next": "continue", "land": "commit", "fresh-start": "fresh", "reject": "revise"}

DecideOption = Annotated[
    Decide | None,
    typer.Option("--decide", help="Unattended: decide like this when every gate passes. Needs a sandbox."),
]
DetachOption = Annotated[
    bool, typer.Option("--detach", "-d", help="Start it and return; it goes on in the background.")
]
StopAtOption = Annotated[
    str | None,
    typer.Option(
        "--stop-at",
        metavar="each|phase|failure|N",
        help="Where the loop asks: after each task, at a phase's end, after N tasks, or only when something fails.",
    ),
]
ParallelOption = Annotated[
    bool | None,
    typer.Option("--parallel/--no-parallel", help="Begin all ready tasks of a parallel group at once; or not."),
]
FOLLOWED = (
    "{runs: [run…], run: the last one, state, checkpoint or null}; a run is {id, task, title, agent, mode, model, "
    "scripted, state, outcome, turn, waiting_for, cost_usd, tokens, …}"
)


def register(app: typer.Typer) -> None:
    app.command(
        "run",
        rich_help_panel=WORKING,
        epilog=epilog("devloop run 1.2", "devloop run 1.2 --decide commit", "devloop run --phase 2", fields=FOLLOWED),
    )(run_task)
    app.command(
        "continue",
        rich_help_panel=WORKING,
        epilog=epilog(
            "devloop continue", "devloop continue -n 3 --decide continue", fields=f"{FOLLOWED}, or {{state, message}}"
        ),
    )(continue_plan)
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
    app.command("land", rich_help_panel=WORKING, epilog=epilog("devloop land", fields="{commits, branch, old, new}"))(
        land
    )
    app.command("cancel", rich_help_panel=WORKING, epilog=epilog("devloop cancel run-1.2-1", fields="{run, state}"))(
        cancel
    )


def run_task(
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="The task's id, as `devloop plan show` lists it.")
    ] = None,
    phase: Annotated[
        str | None, typer.Option("--phase", metavar="ID", help="Instead of one: the tasks of a phase, one by one.")
    ] = None,
    decide: DecideOption = None,
    detach: DetachOption = False,
    again: Annotated[bool, typer.Option("--again", help="A new attempt, though the task is done.")] = False,
    stop_at: StopAtOption = None,
    parallel: ParallelOption = None,
    as_json: Json = False,
) -> None:
    """Let an agent do one task, or those of a phase, and follow it until it ends or needs you."""
    if (task is None) == (phase is None):
        raise UsageError("Name a task, or a phase with --phase.", hint="For example: devloop run 1.2.")
    if phase is not None:
        if again:
            raise UsageError("--again goes with one task, not with a phase.")
        params: Row = {"phase": phase, "limit": None, "decide": decide.value if decide else None}
        params |= {"stop_at": stop_at, "parallel": parallel}
        start("devloop/continue", params, limit=None, detach=detach, as_json=as_json)
        return
    params = {"task": task, "decide": decide.value if decide else None, "again": again}
    params["stop_at"] = stop_at
    start("devloop/run", params, limit=1, detach=detach, as_json=as_json)


def continue_plan(
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", metavar="N", min=1, help="At most so many tasks.")
    ] = None,
    task: Annotated[str | None, typer.Option("--from", metavar="TASK", help="Begin with this task.")] = None,
    hand_off: Annotated[
        bool | None,
        typer.Option("--hand-off/--no-hand-off", help="Go on from a fresh start's hand-off, even an old one; or not."),
    ] = None,
    decide: DecideOption = None,
    stop_at: StopAtOption = None,
    parallel: ParallelOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Do the plan's next task, then the following ones, and stop where you are needed."""
    params: Row = {"limit": limit, "decide": decide.value if decide else None, "task": task}
    params |= {"stop_at": stop_at, "parallel": parallel}
    if hand_off is not None:
        params["hand_off"] = hand_off
    start("devloop/continue", params, limit=limit, detach=detach, as_json=as_json)


def start(method: str, params: Row, *, limit: int | None, detach: bool, as_json: bool) -> None:
    if detach:
        answer = ask(method, params)
        _started(answer, as_json)
        return
    followed = begin_and_follow(method, params, limit=limit, as_json=as_json)
    ended(followed, as_json)
    raise typer.Exit(exit_code(followed.last))


def begin_and_follow(method: str, params: Row, *, limit: int | None, as_json: bool) -> Followed:
    """Follow what this begins until it ends or needs somebody; says so and exits where there was nothing to begin."""
    view = _view(as_json)
    person = Person(output.console()) if output.is_terminal() and not as_json else None
    if person is not None and method in ("devloop/run", "devloop/continue"):
        from devloop.cli import trusting

        trusting.agree_on_tests(params.get("task") if method == "devloop/run" else None)

    async def work() -> tuple[Row, Followed | None]:
        async with Follower(project_root(), view, person) as follower:
            asks = {"asks": True} if person is not None and method == "devloop/continue" else {}
            answer = await follower.request(method, {**params, **asks})
            if answer.get("state") == "ask_parallel" and person is not None:
                together = await person.yes(f"{answer['message']} Begin them together?")
                answer = await follower.request(method, {**params, "parallel": together})
            if not answer.get("run"):
                return answer, None
            options.on_interrupt = (
                f"{answer['run']} goes on in the background. See it with `devloop status`, end it with "
                f"`devloop cancel {answer['run']}`."
            )
            if answer.get("attached") and not as_json:
                output.console().print(f"[dim]{safe(answer.get('message'), 300)}[/]")
            if not as_json:
                _in_advance(answer)
            return answer, await follower.follow(
                str(answer["run"]), limit, params["decide"], beside=answer.get("runs") or ()
            )

    answer, followed = run(work())
    if followed is None:
        _nothing(answer, as_json)
        raise typer.Exit(0)
    return followed


def _view(as_json: bool) -> View:
    if as_json:
        return Silent()
    console = output.console()
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else Lines(console)


def _started(answer: Row, as_json: bool) -> None:
    if not answer.get("run"):
        _nothing(answer, as_json)
    elif as_json:
        output.print_json(answer)
    else:
        _in_advance(answer)
        word = "in hand already" if answer.get("attached") else "started"
        output.console().print(f"{safe(answer['run'], 80)} {word}. Follow everything with `devloop log -f`.")


def _in_advance(answer: Row) -> None:
    """What should have been in order first, and what the run goes on from."""
    for warning in answer.get("warnings") or ():
        output.console().print(f"[yellow]{safe(warning, 400)}[/]")
    if answer.get("hand_off"):
        output.console().print(f"[dim]{safe(answer['hand_off']['message'], 400)}[/]")


def _nothing(answer: Row, as_json: bool) -> None:
    """There was no task to run."""
    if as_json:
        output.print_json(answer)
    else:
        output.console().print(safe(answer.get("message") or answer["state"], 1000))
        tell_unlanded()
    raise typer.Exit(0 if answer["state"] == "all_complete" else 1)


def ended(followed: Followed, as_json: bool) -> None:
    last = followed.last
    if as_json:
        output.print_json(
            {"runs": followed.runs, "run": last, "state": last["state"], "checkpoint": followed.checkpoint}
        )
        return
    console = output.console()
    if last["state"] == "ended":
        if exit_code(last) == CODES["exhausted"]:  # at no checkpoint anybody saw what it did
            checkpoint_view.handed_in(console, ask("devloop/show", {"run": last["id"]}).get("report"))
        console.print(ended_line(last))
        if last.get("outcome") == "accepted":
            tell_unlanded()
        return
    if len(followed.waiting) > 1:
        group_view.waits(followed.waiting)
        return
    if followed.checkpoint is not None:
        checkpoint_view.show(console, last, followed.checkpoint)
    console.print(f"\n{safe(last['id'], 80)} waits for {safe(last.get('waiting_for') or 'a decision', 60)}:")
    for decision in (followed.checkpoint or {}).get("decisions") or ():
        message = ' --message "…"' if decision in wording.QUESTIONS else ""
        console.print(f"  devloop decide {safe(last['id'], 80)} {safe(decision, 20)}{message}")


def tell_unlanded() -> None:
    """Accepted work that is not on the person's branch, and how it gets there."""
    count = run(situating.unlanded(project_root()))
    if count:
        many = "1 accepted commit is" if count == 1 else f"{count} accepted commits are"
        output.console().print(
            f"{many} on the plan branch and not on yours yet: the decision [cyan]commit[/] lands all of it, "
            f"or [cyan]{safe(options.called, 400)} land[/]."
        )


def ended_line(last: Row) -> str:
    """How a run ended, as markup."""
    outcome = str(last.get("outcome"))
    colour = {0: "green", 5: "yellow"}.get(exit_code(last), "red")
    reason = f": {safe(last['reason'], 400)}" if last.get("reason") else ""
    spent = f"{wording.tokens(last.get('tokens'))} tokens, {wording.money(last.get('cost_usd'))}"
    scripted = " [yellow]scripted[/]" if last.get("scripted") else ""
    return f"[{colour}]{safe(outcome, 40)}[/]{reason} [dim]({safe(last['id'], 80)}, {spent})[/]{scripted}"


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
    if found in wording.QUESTIONS and found != "revise" and not (message or "").strip():
        raise UsageError(f"{found} needs words.", hint='Add --message "…".')
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
    chosen = _waiting_run() if named == "-" else named
    options.on_interrupt = f"{chosen} goes on in the background."

    async def work() -> Followed:
        async with Follower(project_root(), _view(False), Person(output.console())) as follower:
            return await follower.follow(chosen, None, None)

    followed = run(work())
    ended(followed, False)
    raise typer.Exit(exit_code(followed.last))


def _decide_and_follow(params: Row, as_json: bool) -> None:
    followed = decide_and_follow(params, as_json=as_json)
    ended(followed, as_json)
    raise typer.Exit(exit_code(followed.last))


def decide_and_follow(params: Row, *, as_json: bool) -> Followed:
    """Answer a checkpoint and follow its run to its end or the next checkpoint, over restarts of daemon and engine."""
    view = _view(as_json)
    person = Person(output.console()) if output.is_terminal() and not as_json else None

    async def work() -> Followed:
        async with Follower(project_root(), view, person) as follower:
            await follower.decide(params)
            return await follower.follow(str(params["run"]), None, None)

    options.on_interrupt = f"{params['run']} goes on in the background."
    return run(work())


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
    """Bring what was accepted and is still on the plan branch to your branch."""
    found = ask("devloop/land")
    if as_json:
        output.print_json(found)
    elif not found["commits"]:
        output.console().print("All that was accepted is on your branch already.")
    else:
        many = "1 commit" if found["commits"] == 1 else f"{found['commits']} commits"
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
