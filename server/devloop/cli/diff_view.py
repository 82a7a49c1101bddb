"""A patch on a terminal: coloured, through a pager when it is long."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from devloop.redact import printable, visible

_STYLES = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("diff ", "bold"), ("+", "green"), ("-", "red"))


def coloured(patch: str) -> Text:
    """The patch, one style per line. What a terminal obeys or hides is shown as `\\u{…}`: whoever reads a change has to
    see what a compiler will read (a hidden character that is left out of a diff is hidden twice)."""
    text = Text()
    for line in printable(visible(patch, code=True)).splitlines(keepends=True):
        style = next((style for start, style in _STYLES if line.startswith(start)), "")
        text.append(line, style=style)
    return text


def print_patch(console: Console, patch: str) -> None:
    """Print it; on a terminal that it does not fit, through the person's pager."""
    text = coloured(patch)
    if console.is_terminal and patch.count("\n") > console.size.height - 2:
        with pager(console, styles=True):
            console.print(text)
        return
    console.print(text, end="")


@contextlib.contextmanager
def pager(console: Console, *, styles: bool = False) -> Iterator[None]:
    """What is printed within goes through the person's pager. Ctrl-C is the pager's there: it must not end the command
    that shows something."""
    os.environ.setdefault("LESS", "-FRX")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with console.pager(styles=styles):
            yield
    finally:
        signal.signal(signal.SIGINT, before)
