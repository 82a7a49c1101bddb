"""`devloop analyze`: what makes the code hard to change."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from devloop.cli import errand_commands
from devloop.cli.common import WORKING, Json, epilog
from devloop.cli.run_commands import FOLLOWED, DecideOption, DetachOption

Row = dict[str, Any]


class To(StrEnum):
    plan = "plan"
    report = "report"
    both = "both"


def register(app: typer.Typer) -> None:
    app.command(
        "analyze",
        rich_help_panel=WORKING,
        epilog=epilog(
            "devloop analyze",
            "devloop analyze src/billing --categories tests,architecture",
            'devloop analyze "the import of old files" --to report',
            fields=f"{FOLLOWED}; the analysis is checkpoint.report.data: {{health, findings: [{{category, path, line, "
            "problem, change, step, impact, effort}], good, summary}",
        ),
    )(analyze)


def analyze(
    area: Annotated[str, typer.Argument(metavar="[AREA]", help="A folder, a file or words; else all of it.")] = "",
    categories: Annotated[
        str | None,
        typer.Option(
            "--categories",
            metavar="A,B",
            help="Only these: tests, architecture, code-quality, performance, dependencies, documentation.",
        ),
    ] = None,
    to: Annotated[
        To | None, typer.Option("--to", help="What accepting writes; both where there is a plan, else a report.")
    ] = None,
    decide: DecideOption = None,
    detach: DetachOption = False,
    as_json: Json = False,
) -> None:
    """Find what makes the code hard to change: ranked by impact and effort, as a report and as tasks of the plan."""
    options: Row = {"categories": categories.split(",")} if categories else {}
    options |= {"to": to.value} if to is not None else {}
    chosen = decide.value if decide else None
    errand_commands.start("analyze", area, options, decide=chosen, detach=detach, as_json=as_json)
