"""What several commands share: their options, their help groups, and how an example is written."""

from __future__ import annotations

from typing import Annotated

import typer

PLANNING, WORKING, LOOKING, CARE = "Plan", "Work", "Look", "Set up and care"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


def epilog(*examples: str, fields: str = "") -> str:
    """The end of a command's help: examples, and the fields of its JSON."""
    lines = ["[bold]Examples[/]", "", *(f"[cyan]{example}[/]\n" for example in examples)]
    if fields:
        plain = fields.replace("[", "\\[")  # lists are no markup
        lines += ["", f"[bold]JSON[/]  {plain}"]
    return "\n".join(lines)
