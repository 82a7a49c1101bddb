"""How things are printed. Whatever a model or a repository wrote goes through `safe` before a terminal sees it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from devloop.errors import DevloopError
from devloop.redact import one_line, printable

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


def safe_block(text: object) -> str:
    """Foreign text of several lines for rich markup."""
    return escape(printable("" if text is None else str(text)))


def print_json(data: Mapping[str, Any]) -> None:
    """One JSON object on stdout. Control characters are escaped by JSON itself, surrogates by us."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")
    sys.stdout.flush()


def tell_error(problem: DevloopError, *, as_json: bool) -> None:
    """`devloop: message` and the hint on stderr; with `as_json` the error object on stdout instead."""
    if as_json:
        print_json({"error": problem.to_json()})
        return
    out = console(stderr=True)
    out.print(f"[bold red]devloop:[/] {safe(problem.message, 2000)}")
    if problem.hint:
        out.print(f"  {safe_block(problem.hint)}")


def is_terminal() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def money(value: float | None) -> str:
    """US dollars; small amounts keep enough digits to be told apart."""
    if value is None:
        return "$?"
    return f"${value:.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def tokens(counted: Mapping[str, Any] | None) -> str:
    """All tokens of a run, short: `950`, `12.3k`, `1.2M`."""
    total = (
        sum(int(counted.get(name) or 0) for name in ("input", "output", "cache_read", "cache_write")) if counted else 0
    )
    if total < 1000:
        return str(total)
    return f"{total / 1000:.1f}k" if total < 1_000_000 else f"{total / 1_000_000:.1f}M"


def model_name(run: Mapping[str, Any]) -> str:
    """The run's model; a scripted one says so wherever it is named."""
    return f"{safe(run.get('model'), 60)}{' [yellow](scripted)[/]' if run.get('scripted') else ''}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
