"""`devloop worklog`: the record of commits, brought in step with git."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from devloop import settings
from devloop.cli import output
from devloop.cli.common import LOOKING, Json, epilog
from devloop.cli.output import safe
from devloop.cli.session import project_root
from devloop.daemon.documents import Documents
from devloop.errors import DevloopError, StorageError, UsageError
from devloop.own_files import read_text
from devloop.state import archive, worklog
from devloop.state.storing import update
from devloop.workspace import Repository
from devloop.workspace.history import Logged, history, patch_ids

LOOKED_AT = 500
"""So many of the newest commits are looked at."""
REWRITTEN = 50
"""So many rows whose commits are no longer on the branch are compared by patch."""


class Action(StrEnum):
    show = "show"
    sync = "sync"
    reconstruct = "reconstruct"


def register(app: typer.Typer) -> None:
    app.command(
        "worklog",
        rich_help_panel=LOOKING,
        epilog=epilog(
            "devloop worklog",
            "devloop worklog sync",
            "devloop worklog reconstruct --since 2026-01-01",
            fields="{path, rows: [{hash, date, message, tasks, line}], added, archived: path or null}",
        ),
    )(command)


def command(
    action: Annotated[Action, typer.Argument(help="sync: add what git has; reconstruct: older too.")] = Action.show,
    since: Annotated[
        datetime | None,
        typer.Option("--since", metavar="DATE", formats=["%Y-%m-%d"], help="With reconstruct: like 2026-01-31."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which commit did which task, and bring that in step with git."""
    if since is not None and action is not Action.reconstruct:
        raise UsageError("--since goes with reconstruct.")
    root = project_root()
    added, moved = 0, None
    if action is not Action.show:
        added = asyncio.run(_bring_in_step(root, action, since.astimezone() if since else None))
        moved = _rotate(root)
    text = read_text(root, worklog.PATH) or read_text(root, worklog.LEGACY_PATH) or ""
    rows = worklog.rows(text)
    if as_json:
        shown: list[dict[str, Any]] = [vars(row) for row in rows]
        output.print_json({"path": worklog.PATH, "rows": shown, "added": added, "archived": moved})
        return
    out = output.console()
    if action is not Action.show:
        out.print(f"{added} commit{'s' if added != 1 else ''} added." if added else "Nothing was missing.")
    if moved:
        out.print(f"Older work was moved to {safe(moved)}.")
    for row in rows[:20] if action is Action.show else ():
        tasks = f" [dim]({safe(row.tasks, 40)})[/]" if row.tasks else ""
        out.print(f"{safe(row.hash, 12)} [dim]{safe(row.date, 16)}[/] {safe(row.message, 100)}{tasks}")
    if action is Action.show and not rows:
        out.print("No commit is recorded yet. `devloop worklog sync` reads them from git.")
    for line, words in worklog.pending(text) if action is Action.show else ():
        out.print(f"[yellow]pending[/] {safe(words)} [dim](line {line})[/]")


async def _bring_in_step(root: Path, action: Action, since: datetime | None) -> int:
    """Add the commits that lack; how many. Without a row of the branch, `sync` begins with the plan's creation."""
    repository = await Repository.discover(root)
    text = read_text(root, worklog.PATH)
    if text is None:
        text = read_text(root, worklog.LEGACY_PATH)
    now = datetime.now().astimezone()
    rows = worklog.rows(text or "")
    log = await history(repository, limit=LOOKED_AT, since=since)
    known = [at for at, each in enumerate(log) if any(each.hash.startswith(row.hash.lower()) for row in rows)]
    gone = [row.hash for row in rows if not any(each.hash.startswith(row.hash.lower()) for each in log)][:REWRITTEN]
    wanted = log
    if action is Action.sync:
        wanted = log[: max(known)] if known else _since_plan(root, log)
    old = await patch_ids(repository, gone) if gone else {}
    new = await patch_ids(repository, [each.hash for each in wanted[:100]]) if old else {}
    listed = [worklog.Commit(each.hash, each.when, each.subject, new.get(each.hash, "")) for each in wanted]
    lacking = await _without_secrets(root, worklog.lacking(text or "", listed))
    commits = [lacking.get(each.hash, each) for each in listed]

    def edit(before: str | None) -> str:
        base = before if before is not None else text
        if base is None:
            base = worklog.new(root.name, _plan_name(root), now)
        if action is Action.reconstruct:
            return worklog.reconstructed(base, commits, now)
        return worklog.reconciled(base, commits, now, patches=old)

    update(root, worklog.PATH, edit)
    after = worklog.rows(read_text(root, worklog.PATH) or "")
    return max(len(after) - len(rows), 0)


async def _without_secrets(root: Path, commits: Sequence[worklog.Commit]) -> dict[str, worklog.Commit]:
    """By hash: the history may hold a secret; the worklog is no second place for it."""
    if not commits:
        return {}
    from devloop import keys, sandbox
    from devloop.runs import scanning

    wanted = settings.load(root).sandbox
    subjects = [each.subject for each in commits]
    told = await scanning.hidden(subjects, keys.redactor(), lambda: sandbox.detected(wanted))
    return {each.hash: replace(each, subject=said) for each, said in zip(commits, told, strict=True)}


def _since_plan(root: Path, log: tuple[Logged, ...]) -> tuple[Logged, ...]:
    try:
        _, plan = Documents(root).plan()
    except DevloopError:
        return log[:100]
    created = plan.field("Created")
    try:
        begin = datetime.fromisoformat(created.value.strip()) if created else None
    except ValueError:
        begin = None
    if begin is None:
        return log[:100]
    begin = begin if begin.tzinfo else begin.astimezone()
    return tuple(each for each in log if each.when >= begin)


def _plan_name(root: Path) -> str:
    try:
        return Documents(root).plan()[1].name
    except DevloopError:
        return ""


def _rotate(root: Path) -> str | None:
    """Move old sections to the archive: first the file there, then the shorter worklog. The file's path."""
    text = read_text(root, worklog.PATH) or ""
    found = worklog.rotated(text, datetime.now().astimezone())
    if found is None:
        return None
    path = f"{archive.FOLDER}/{found.name}"
    if not update(root, path, lambda old: f"{old.rstrip()}\n\n{found.archived}" if old else found.archived):
        raise StorageError(f"{path} could not be written.")
    update(root, worklog.PATH, lambda now: found.text if now == text else None)
    return path
