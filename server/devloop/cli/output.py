"""How things are printed. Whatever a model or a repository wrote goes through `safe` before a terminal sees it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from devloop.errors import DevloopError, as_sentence
from devloop.redact import file_name, one_line, printable
from devloop.redact.characters import HIDDEN

_HIDDEN = re.compile(f"(?!\n)[{HIDDEN}\u2028\u2029]")

SYMBOLS = {
    "pass": "[green]✓[/]",
    "fail": "[red]✗[/]",
    "error": "[red]![/]",
    "unknown": "[yellow]?[/]",
    "skipped": "[dim]–[/]",
}


def console(*, stderr: bool = False) -> Console:
    """A console on today's stdout. Plain and unwrapped where nobody looks; `NO_COLOR` is honoured by rich."""
    looked_at = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, soft_wrap=not looked_at, emoji=False)


def safe(text: object, limit: int = 200) -> str:
    """Foreign text for one line of rich markup: no control characters, no markup."""
    return escape(one_line("" if text is None else str(text), limit))


def safe_name(path: object, limit: int = 200) -> str:
    """A file's name for one line of rich markup, in which nothing is hidden."""
    return escape(file_name(str(path), limit))


def safe_block(text: object) -> str:
    """Foreign text of several lines for rich markup."""
    return escape(printable("" if text is None else str(text)))


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON object on stdout. JSON itself escapes C0 only; what else a terminal obeys or hides is escaped by us."""
    text = _HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], json.dumps(data, indent=2, ensure_ascii=False))
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")
    sys.stdout.flush()


def tell_error(problem: DevloopError, *, as_json: bool) -> None:
    """`devloop: message` and the hint on stderr; with `as_json` the error object on stdout instead."""
    if as_json:
        print_json({"error": problem.to_json()})
        return
    out = console(stderr=True)
    out.print(f"[bold red]devloop:[/] {safe(as_sentence(problem.message), 2000)}")
    if problem.hint:
        out.print(f"  {safe_block(problem.hint)}")


def is_terminal() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def model_name(run: Mapping[str, Any]) -> str:
    """The run's model; a scripted one says so wherever it is named."""
    return f"{safe(run.get('model'), 60)}{' [yellow](scripted)[/]' if run.get('scripted') else ''}"
