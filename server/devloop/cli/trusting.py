"""`devloop trust`: what a repository brings is read here before a person trusts exactly that."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.cells import chop_cells
from rich.console import Console
from rich.text import Text

from devloop.cli import output
from devloop.cli.diff_view import coloured
from devloop.cli.output import safe
from devloop.cli.session import INTERRUPTED, ask
from devloop.errors import NotFound, Refused
from devloop.redact import printable

Row = dict[str, Any]

INDENT = "    "
STATUS = {"new": "new", "changed": "changed since you trusted it", "trusted": "trusted"}


def trust(keys: Sequence[str] | None, *, yes: bool, as_json: bool) -> None:
    """Show and ask; ends with 4 when something is left that nobody trusts."""
    items = _named(ask("devloop/trust")["items"], keys)
    waiting = [item for item in items if item["status"] in ("new", "changed")]
    if as_json and not yes:
        output.print_json({"items": items})
        return
    out = output.console()
    if not as_json:
        _overview(out, items, waiting, named=bool(keys))
    chosen = _all_shown(out, waiting, quiet=as_json) if yes else _asked(out, waiting)
    if chosen:
        pairs = [{"key": item["key"], "sha256": item["sha256"]} for item in chosen]
        items = _named(ask("devloop/trust/accept", {"items": pairs})["items"], keys)
    if as_json:
        output.print_json({"items": items})
    elif chosen:
        out.print(f"Trusted: {safe(', '.join(item['key'] for item in chosen), 1000)}.")
    if len(chosen) < len(waiting):
        raise typer.Exit(4)


def agree_on_tests(task: str | None) -> None:
    """Before a loop begins: show which tests its tasks may change, as the plan says, and ask about each that nobody
    said yes to yet. `task`: only what this one says. A no begins the loop all the same: such work waits."""
    items = ask("devloop/trust", {"kind": "tests"})["items"]
    key = f"tests:{task}".lower()
    mine = [item for item in items if task is None or str(item["key"]).lower() == key]
    chosen = _asked(output.console(), [item for item in mine if item["status"] in ("new", "changed")])
    if chosen:
        ask("devloop/trust/accept", {"items": [{"key": item["key"], "sha256": item["sha256"]} for item in chosen]})


def revoke(keys: Sequence[str] | None, *, as_json: bool) -> None:
    found = ask("devloop/trust/revoke", {"keys": list(keys) if keys else None})
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    if found["revoked"]:
        out.print(f"No longer trusted: {safe(', '.join(found['revoked']), 1000)}.")
    else:
        out.print("Nothing of this was trusted." if keys else "Nothing of this repository was trusted.")


def _named(items: list[Row], keys: Sequence[str] | None) -> list[Row]:
    if not keys:
        return items
    known = {item["key"]: item for item in items}
    missing = [key for key in keys if key not in known]
    if missing:
        there = ", ".join(known) or "nothing"
        raise NotFound(f"There is no item {safe(missing[0], 120)} here.", hint=f"There is: {safe(there, 600)}.")
    return [known[key] for key in dict.fromkeys(keys)]


def _overview(out: Console, items: list[Row], waiting: list[Row], *, named: bool) -> None:
    if not items:
        out.print("This repository declares nothing that would run.")
    for item in items:
        if item["status"] == "refused":
            out.print(f"[red]{safe(item['key'], 200)} can't be trusted[/]: {safe(item['reason'], 300)}")
    if items and not waiting:
        out.print(f"{_count(items)}; nothing waits for you.")
    if named:
        for item in items:
            if item["status"] == "trusted":
                _show(out, item)
    if waiting:
        verb = "is" if len(waiting) == 1 else "are"
        out.print(
            f"{_count(waiting)} of this repository {verb} not trusted. Nothing of it runs, and no agent reads it, "
            "before you trust exactly what is shown here. One changed byte asks again."
        )


def _count(items: Sequence[Row]) -> str:
    return f"{len(items)} item{'s' if len(items) != 1 else ''}"


def _show(out: Console, item: Row) -> None:
    """Indented to its last line, wrapped ones too: no line of the text can pass for one of devloop's."""
    status = STATUS.get(item["status"], str(item["status"]))
    kind = "" if str(item["key"]).startswith(str(item["kind"])) else f"{safe(item['kind'], 20)} "
    out.rule(f"{kind}[bold]{safe(item['key'], 120)}[/] {status}", align="left")
    out.print(f"[dim]{safe(item['about'], 300)}[/]")
    text = coloured(str(item["diff"])) if item["status"] == "changed" else Text(printable(str(item["text"])))
    out.print()
    width = out.width - len(INDENT) if out.is_terminal else None
    out.print(_indented(text, width))
    out.print()
    if item["kind"] == "tests" and item["status"] == "changed":  # what stayed may be another task's now
        out.print("As it is now:\n")
        out.print(_indented(Text(printable(str(item["text"]))), width))
        out.print()


def _indented(text: Text, width: int | None) -> Text:
    """Every line behind `INDENT`, folded at `width` columns: nothing is left to the terminal, and nothing is cut."""
    text.expand_tabs(4)
    lines = []
    for line in text.split("\n"):
        pieces = chop_cells(line.plain, max(width, 20)) if width is not None else []
        ends = list(itertools.accumulate(map(len, pieces)))[:-1]
        lines += [Text(INDENT).append_text(piece) for piece in line.divide(ends)]
    return Text("\n").join(lines)


def _all_shown(out: Console, waiting: list[Row], *, quiet: bool) -> list[Row]:
    for item in () if quiet else waiting:
        _show(out, item)
    return waiting


def _asked(out: Console, waiting: list[Row]) -> list[Row]:
    """Ask about each item. Without a terminal nothing is trusted, and that is said."""
    if waiting and not sys.stdin.isatty():
        _all_shown(out, waiting, quiet=False)
        raise Refused(
            f"{len(waiting)} item{'s are' if len(waiting) != 1 else ' is'} not trusted.",
            hint="Call this in a terminal, or, having read them, `devloop trust --yes`.",
        )
    try:
        return _answers(out, waiting)
    except typer.Abort:
        asked_again = "Nothing was trusted by this; `devloop trust` asks again."
        output.console(stderr=True).print(f"\n{asked_again}")
        raise SystemExit(INTERRUPTED) from None


def _answers(out: Console, waiting: list[Row]) -> list[Row]:
    chosen = []
    for number, item in enumerate(waiting):
        left = waiting[number + 1 :]
        _show(out, item)
        match _answer(len(left)):
            case "y":
                chosen.append(item)
            case "a":
                _all_shown(out, left, quiet=False)
                if typer.confirm(f"Trust these {len(left) + 1}?", default=False):
                    chosen += [item, *left]
                break
            case "q":
                break
    return chosen


def _answer(left: int) -> str:
    more = f", a = show the {left} left and decide on all at once, q = stop" if left else ""
    while True:
        said = str(typer.prompt(f"Trust this? (y = yes, n = no{more})", default="n", show_default=False))
        found = said.strip().lower()[:1]
        if found in ("y", "n") or (left and found in ("a", "q")):
            return found
