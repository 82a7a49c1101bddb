"""`devloop login` and `devloop logout`: the key for the model's service, kept where others can't read it."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from devloop import keys
from devloop.cli import output
from devloop.cli.common import CARE, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import project_root
from devloop.errors import DevloopError, UsageError
from devloop.settings import explained

BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="The service that the key is for; else the one your settings name."),
]
FIELDS = "{base_url, source: environment | config | keyring | file | null, place, problem}"


def register(app: typer.Typer) -> None:
    app.command(
        "login",
        rich_help_panel=CARE,
        epilog=epilog("devloop login", "pass show anthropic | devloop login", "devloop login --status", fields=FIELDS),
    )(login)
    app.command(
        "logout",
        rich_help_panel=CARE,
        epilog=epilog("devloop logout", fields="{base_url, removed: keyring | file | null}"),
    )(logout)


def login(
    status: Annotated[bool, typer.Option("--status", help="Say where the key comes from, and store nothing.")] = False,
    base_url: BaseUrl = None,
    as_json: Json = False,
) -> None:
    """Store the key for the model's service: in the system's keyring, or in a file that only you can read.

    The key is read from a prompt that shows nothing, or from standard input; never from the command line, which others
    can see. What counts first: ANTHROPIC_API_KEY, then api_key in your config.toml, then what is stored here.
    """
    url = _url(base_url)
    if status:
        _tell(_status(url), as_json)
        return
    stored = keys.store(_typed(as_json, url), url)
    found = _status(url)
    if as_json:
        output.print_json({**found, "stored": stored.kind})
        return
    out = output.console()
    out.print(f"The key for {safe(url)} is kept in {_where(stored.kind, stored.place)}.")
    if found["source"] in ("environment", "config"):
        out.print(f"[yellow]It does not count now:[/] {_where(found['source'], found['place'])} comes first.")


def logout(base_url: BaseUrl = None, as_json: Json = False) -> None:
    """Forget the stored key."""
    url = _url(base_url)
    removed = keys.remove(url)
    if as_json:
        output.print_json({"base_url": url, "removed": removed})
        return
    told = f"The key for {safe(url)} is removed." if removed else f"No key for {safe(url)} was stored."
    output.console().print(told)


def _url(given: str | None) -> str:
    url = keys.url_of(given or explained(project_root()).settings.model.base_url)
    if not url.startswith(("https://", "http://")) or not url.isprintable() or " " in url or "@" in url:
        raise UsageError("That is no base URL.", hint="It begins with https:// and holds no password.")
    return url


def _typed(as_json: bool, url: str) -> str:
    if sys.stdin.isatty():
        if as_json:
            raise UsageError("With --json the key is read from standard input.", hint="Pipe it in.")
        import getpass

        return getpass.getpass(f"Key for {url} (nothing is shown while you type): ")
    return sys.stdin.read(keys.MAX_LENGTH + 2)


def _status(url: str) -> dict[str, Any]:
    found: dict[str, Any] = {"base_url": url, "source": None, "place": None, "problem": None}
    said = explained(project_root(), os.environ).winner("model.api_key")
    if said is not None:
        source = "environment" if said.kind == "environment" else "config"
        return {**found, "source": source, "place": said.place}
    try:
        stored = keys.find(url)
    except DevloopError as problem:
        return {**found, "problem": problem.sentences}
    return found if stored is None else {**found, "source": stored.kind, "place": stored.place}


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    out = output.console()
    if found["source"]:
        out.print(f"The key for {safe(found['base_url'])} comes from {_where(found['source'], found['place'])}.")
    else:
        out.print(f"There is no key for {safe(found['base_url'])}: devloop login stores one.")
    if found["problem"]:
        out.print(f"[yellow]{safe(found['problem'], 600)}[/]")


def _where(source: str, place: str) -> str:
    told = {
        "environment": "the variable",
        "config": "your settings,",
        "keyring": "the system's keyring,",
        "file": "a file that only you can read,",
    }
    return f"{told[source]} {safe(place, 600)}"
