"""devloop log: the events of runs, those that were and those that come."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from devloop.cli import output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.progress import hook_line, line_of
from devloop.cli.session import daemon, options, run

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command(
        "log",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop log",
            "devloop log -f",
            "devloop log --run run-1.2-1",
            fields="{events: [{seq, at, run, kind, data}], last}; with -f one event per line",
        ),
    )(log)


def log(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens from now on.")] = False,
    name: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only this run.")] = None,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=1, max=5000, help="At most so many, the newest.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """What happened, oldest first."""
    options.on_interrupt = "stopped looking; everything goes on."
    run(_log(follow, name, limit, as_json))


async def _log(follow: bool, name: str | None, limit: int, as_json: bool) -> None:
    queue: asyncio.Queue[Row] = asyncio.Queue()

    async def heard(event: Row) -> None:
        queue.put_nowait(event)

    async with daemon({"devloop/event": heard}) as peer:
        found = await peer.request("devloop/events", {"after": -1, "limit": limit, "run": name})
        if as_json and not follow:
            output.print_json(found)
            return
        for event in found["events"]:
            _print_event(event, as_json)
        if not follow:
            return
        await peer.request("devloop/subscribe", {"after": found["last"]})
        while True:
            waiting = asyncio.create_task(queue.get())
            lost = asyncio.create_task(peer.closed.wait())
            await asyncio.wait({waiting, lost}, return_when=asyncio.FIRST_COMPLETED)
            lost.cancel()
            if not waiting.done():
                waiting.cancel()
                output.console(stderr=True).print("The daemon has ended; runs go on with the next command.")
                return
            event = waiting.result()
            if name is None or event.get("run") == name:
                _print_event(event, as_json)


def _print_event(event: Row, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(event, ensure_ascii=True), flush=True)
        return
    kind, data = str(event["kind"]), event.get("data") or {}
    if kind == "turn.progress":
        return
    when = datetime.fromtimestamp(float(event["at"])).astimezone()
    told = (hook_line(data) if kind == "hook.ended" else line_of(kind, data).strip()) or safe(_plain(data), 120)
    output.console().print(
        f"[dim]{when:%m-%d %H:%M:%S}[/] {safe(event.get('run') or '', 60)} [bold]{safe(kind, 40)}[/] {told}"
    )


def _plain(data: Row) -> str:
    """The short values of an event's data."""
    return " ".join(
        f"{key}={value}" for key, value in data.items() if isinstance(value, (str, int, float)) and value != ""
    )
