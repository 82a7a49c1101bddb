"""Commands that begin work, and what follows it to its end: run, continue."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from devloop.cli import checkpoint_view, group_view, output
from devloop.cli.ask_person import Person
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.follow import CODES, Followed, Follower, exit_code
from devloop.cli.output import safe
from devloop.cli.progress import Lines, LiveView, Silent, View
from devloop.cli.session import ask, options, project_root, run
from devloop.daemon import wording
from devloop.daemon.unlanded import unlanded
from devloop.errors import UsageError

Row = dict[str, Any]


class Decide(StrEnum):
    """What a loop may decide by itself."""

    continue_ = "continue"
    commit = "commit"


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
    view = view_of(as_json)
    person = Person(output.console()) if output.is_terminal() and not as_json else None
    options.on_interrupt = "interrupted. `devloop status` says whether something began."
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


def view_of(as_json: bool) -> View:
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
    count = run(unlanded(project_root()))
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
    said = str(last.get("reason") or "").removeprefix(f"{outcome} ")  # `discarded by a person` says it once
    reason = f"{' ' if said != last.get('reason') else ': '}{safe(said, 400)}" if said else ""
    spent = f"{wording.tokens(last.get('tokens'))} tokens, {wording.money(last.get('cost_usd'))}"
    scripted = " [yellow]scripted[/]" if last.get("scripted") else ""
    return f"[{colour}]{safe(outcome, 40)}[/]{reason} [dim]({safe(last['id'], 80)}, {spent})[/]{scripted}"


def decide_and_follow(params: Row, *, as_json: bool) -> Followed:
    """Answer a checkpoint and follow its run to its end or the next checkpoint, over restarts of daemon and engine."""
    view = view_of(as_json)
    person = Person(output.console()) if output.is_terminal() and not as_json else None

    async def work() -> Followed:
        async with Follower(project_root(), view, person) as follower:
            await follower.decide(params)
            return await follower.follow(str(params["run"]), None, None)

    options.on_interrupt = f"{params['run']} goes on in the background."
    return run(work())
