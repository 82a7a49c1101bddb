"""`devloop spike`: find something out before it is planned; the reports of those before."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from devloop.cli import errand_commands, output
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.plan_words_commands import PROPOSED, FromOption, YesOption, given
from devloop.cli.run_commands import DetachOption
from devloop.cli.session import project_root
from devloop.daemon import wording
from devloop.errors import NotFound, UsageError
from devloop.own_files import read_text
from devloop.redact import one_line, printable
from devloop.state import spikes
from devloop.state.storing import markdown_files

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command(
        "spike",
        rich_help_panel=WORKING,
        epilog=epilog(
            'devloop spike "Can we stream the import instead of loading it?"',
            "devloop spike --from SPIKE-003 --time-box 20m",
            "devloop decide continue --leave-out plan",
            "devloop spike --list",
            'devloop spike --show "stream the import"',
            fields=f"{PROPOSED}; --list {{spikes: [{{path, topic, findings, relationship, relates_to, changes}}]}}, "
            "--show one of them with text",
        ),
    )(spike)


def spike(
    topic: Annotated[str, typer.Argument(metavar="[TOPIC]", help="The question, in your words.")] = "",
    time_box: Annotated[
        str,
        typer.Option("--time-box", metavar="30m|2h", help="How long it may take; else 1h, or as long as a run may."),
    ] = "",
    source: FromOption = "",
    list_them: Annotated[bool, typer.Option("--list", help="The reports that there are.")] = False,
    show: Annotated[str, typer.Option("--show", metavar="TOPIC", help="One report.")] = "",
    yes: YesOption = False,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Find out whether and how something can be done: prototypes are thrown away, a report stays.

    Changes of the plan that it proposes are shown before they are made.
    """
    if list_them or show:
        if topic or source:
            raise UsageError("Either look at reports, or begin a spike.", hint="Leave out the topic.")
        _show(show, as_json) if show else _list(as_json)
        return
    options = {**given(source), "yes": yes, **({"time_box": time_box} if time_box else {})}
    decide = "continue" if yes else None
    errand_commands.start("spike", topic, options, decide=decide, detach=detach, as_json=as_json)


def _reports() -> list[tuple[str, str, spikes.Spike]]:
    """Path, text and content of each."""
    found = []
    for path in markdown_files(project_root(), spikes.FOLDER):
        text = read_text(project_root(), path)
        if text is not None:
            found.append((path, text, spikes.parse(text, path)[0]))
    return found


def _row(path: str, report: spikes.Spike) -> Row:
    return {"path": path, **report.model_dump(mode="json", exclude={"sections"})}


def _list(as_json: bool) -> None:
    found = _reports()
    if as_json:
        output.print_json({"spikes": [_row(path, report) for path, _, report in found]})
        return
    console = output.console()
    for path, _, report in found:
        figures = ", ".join(f"{name.lower()} {value}" for name, value in report.findings.items() if len(value) < 20)
        changes = f"; {wording.many(len(report.changes), 'change')} of the plan" if report.changes else ""
        console.print(f"[bold]{safe(report.topic, 120)}[/]  [dim]{safe(figures, 200)}{changes}[/]\n  {safe(path, 200)}")
    if not found:
        console.print('There is no report yet. Begin with: devloop spike "…"')


def _show(name: str, as_json: bool) -> None:
    wanted = name.strip().casefold()
    found = _reports()
    exact = [each for each in found if wanted in (each[0].casefold(), each[2].topic.casefold())]
    near = exact or [each for each in found if wanted in each[2].topic.casefold() or wanted in each[0].casefold()]
    if len(near) != 1:
        known = ", ".join(one_line(report.topic, 60) for _, _, report in (near or found)[:8]) or "none yet"
        raise NotFound(
            f"{'Several reports' if near else 'No report'} of that name: {one_line(name, 60)!r}.",
            hint=f"There are: {known}.",
        )
    path, text, report = near[0]
    if as_json:
        output.print_json({**_row(path, report), "text": text})
    else:
        output.console().print(Text(printable(text)), end="")
