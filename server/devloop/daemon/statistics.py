"""`devloop stats`: the records' figures, and sessions in upstream's shape (state-files §4), its own too."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from devloop.files import held_lock, write_atomic
from devloop.own_files import Fault, read_text
from devloop.paths import StateDir
from devloop.state import sessions
from devloop.state.sessions import Session

KEPT: Final = "imported-sessions.json"
"""In the state directory: what was imported, in the shipped shape."""

Row = dict[str, Any]


async def stats(
    ask: Callable[[Mapping[str, Any]], Awaitable[Row]], root: Path, state: StateDir, params: Mapping[str, Any]
) -> Row:
    """`engine/stats`, its `sessions` as exported, imported ones first, with `created` and `last_updated`; `imported`
    counts those and their tokens."""
    answer = await ask(params)
    since = answer.get("since")
    imported = [each for each in kept(state) if since is None or _at(each) >= since]
    ours = [Session.model_validate({**_times(row), "project": root.name}) for row in answer["sessions"]]
    exported = sessions.export([*imported, *ours], datetime.now(UTC))
    tokens = sum(each.tokens_used or 0 for each in imported)
    return {**answer, **exported, "imported": {"sessions": len(imported), "tokens": tokens}}


def _times(row: Row) -> Row:
    times = {name: row[name] for name in ("start_time", "end_time") if row.get(name) is not None}
    return {**row, **{name: datetime.fromtimestamp(at, UTC) for name, at in times.items()}}


def _at(session: Session) -> float:
    start = session.start_time
    return (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()


def kept(state: StateDir) -> tuple[Session, ...]:
    """What was imported. A file that is damaged counts as none: it can be imported again."""
    try:
        return sessions.read((state.path / KEPT).read_text("utf-8"))[0]
    except (OSError, ValueError):
        return ()


def import_sessions(root: Path, state: StateDir) -> tuple[int, int, tuple[Fault, ...]]:
    """Take over upstream's records of sessions: (how many are new, how many there are, what is wrong in the files). The
    files stay; what was taken over once is not taken again."""
    found: list[Session] = []
    faults: list[Fault] = []
    for path in (sessions.PATH, sessions.CURRENT_PATH):
        text = read_text(root, path)
        if text is not None:
            read, wrong = sessions.read(text, path)
            found += read
            faults += wrong
    state.make()
    with held_lock(state.path / f"{KEPT}.lock", wait=True):
        known = {each.session_id: each for each in kept(state)}
        fresh = [each for each in found if each.session_id not in known]
        if fresh:
            body = sessions.export([*known.values(), *fresh], datetime.now(UTC))
            write_atomic(state.path / KEPT, json.dumps(body, indent=1).encode(), mode=0o600)
    return len(fresh), len(found), tuple(faults)
