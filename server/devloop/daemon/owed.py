"""What devloop changed in an open plan and nobody saved yet, on disk: a daemon that is killed owes it still.

`owed.json` in the workspace's state directory holds each change in a form that can be made again in any later text: an
event of a task as itself, anything else as the lines it replaced with a line around them. Making one again is the same
compare-and-apply as the first time, so a change that is there already changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from devloop import plan as plans
from devloop.daemon.open_plans import Change, EditsOf
from devloop.errors import DevloopError, StaleEdit
from devloop.files import write_atomic

log = logging.getLogger(__name__)

VERSION: Final = 1
MAX_CHANGES: Final = 200
MAX_BYTES: Final = 2 * 1024 * 1024
"""Of one change, and of all; what is more is kept in memory only."""

Row = dict[str, Any]


class OwedFile:
    """The changes on disk. `path` None: nothing is kept. `changes` gives what is to be kept now, oldest first."""

    def __init__(self, path: Path | None, changes: Callable[[], Sequence[Change]]) -> None:
        self._path, self._changes = path, changes
        self._lock = threading.Lock()
        self._written: bytes | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="owed")

    def load(self) -> list[Change]:
        """What a daemon before this one owed. Blocks. What can't be understood is passed over."""
        if self._path is None:
            return []
        try:
            content = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as problem:
            log.warning("changes of an open plan could not be read: %s", problem)
            return []
        rows = content.get("changes") if isinstance(content, dict) and content.get("version") == VERSION else None
        found = [_change(row) for row in rows or ()]
        return [each for each in found if each is not None]

    def keep(self) -> None:
        """Write what is owed now. Blocks. A disk that takes nothing is logged: the change itself goes on."""
        if self._path is None:
            return
        with self._lock:
            data = _data(self._changes())
            if data == self._written:
                return
            try:
                if data:
                    write_atomic(self._path, data, mode=0o600)
                else:
                    self._path.unlink(missing_ok=True)
            except (DevloopError, OSError) as problem:
                log.warning("changes of an open plan could not be kept: %s", problem)
            else:
                self._written = data

    async def kept(self) -> None:
        """As `keep`, from the loop."""
        if self._path is not None:
            await asyncio.wrap_future(self._writer.submit(self.keep))

    def soon(self) -> None:
        """As `keep`, from anywhere, without waiting for it."""
        if self._path is not None:
            with contextlib.suppress(RuntimeError):  # the process ends: what is on disk is replayed without effect
                self._writer.submit(self.keep)


def _data(changes: Sequence[Change]) -> bytes:
    """The file's content, without the oldest changes where there are too many; nothing for none."""
    rows: list[str] = []
    size = 0
    for change in reversed(changes):
        row = {"path": str(change.path), "about": change.about, "in_file": change.in_file, "what": change.kept}
        text = json.dumps(row)
        if len(text) > MAX_BYTES:
            continue
        size += len(text)
        if size > MAX_BYTES or len(rows) == MAX_CHANGES:
            break
        rows.append(text)
    listed = ",\n".join(reversed(rows))
    return f'{{"version": {VERSION}, "changes": [\n{listed}\n]}}\n'.encode() if rows else b""


def _change(row: Any) -> Change | None:
    try:
        what = row["what"]
        edits_of = _of_event(what["event"]) if "event" in what else _of_lines(what["lines"])
        return Change(Path(str(row["path"])), edits_of, str(row["about"]), kept=what, in_file=row["in_file"] is True)
    except (KeyError, TypeError, ValueError, DevloopError) as problem:
        log.warning("a change of an open plan could not be understood: %s", problem)
        return None


def _of_event(event: Mapping[str, Any]) -> EditsOf:
    made = plans.Event.from_json(event)
    return lambda plan: plans.change(plan, made)


# Changes that are no events: lines and what became of them


def as_lines(document: plans.Document, edits: Sequence[plans.Edit]) -> Row:
    """Edits of a document in a form that can be found again in a later one: `{"lines": [[line, before, after], …]}`,
    `line` 0-based. What is replaced has its neighbours with it."""
    groups: list[tuple[int, int, list[plans.Edit]]] = []
    for edit in sorted(edits, key=lambda each: (each.start_line, each.start)):
        first, last = max(edit.start_line - 2, 0), min(edit.end_line + 1, document.count)
        if groups and first < groups[-1][1]:
            before = groups.pop()
            groups.append((before[0], max(before[1], last), [*before[2], edit]))
        else:
            groups.append((first, last, [edit]))
    return {"lines": [[first, *_replaced(document, first, last, members)] for first, last, members in groups]}


def _replaced(document: plans.Document, first: int, last: int, edits: Sequence[plans.Edit]) -> tuple[str, str]:
    before = plans.Document.of("".join(document.lines(first, last)))
    moved = [replace(each, start_line=each.start_line - first, end_line=each.end_line - first) for each in edits]
    return before.text, plans.apply_to(before, moved).text


def _of_lines(rows: Sequence[Sequence[Any]]) -> EditsOf:
    wanted = [(int(line), _lines(str(before)), _lines(str(after))) for line, before, after in rows]

    def edits_of(plan: plans.Plan) -> Sequence[plans.Edit]:
        lines = plan.document.lines()
        found = []
        reached = moved = 0
        for line, before, after in wanted:
            at = _place(lines, before, reached, line + moved)
            if at is not None:
                found.append(plans.difference(before, after, at))
                reached, moved = at + len(before), at - line
            elif _place(lines, after, 0, line + moved) is None:
                raise StaleEdit("What was to be changed is not there any more.")
        return tuple(found)

    return edits_of


def _lines(text: str) -> list[str]:
    return plans.Document.of(text).lines()


def _place(lines: list[str], block: list[str], start: int, hint: int) -> int | None:
    """Where these lines stand, not before `start`; of several places the one nearest to the hint."""
    size = len(block)
    if not block:
        return 0 if not lines else None
    found = [n for n in range(start, len(lines)) if lines[n] == block[0] and lines[n : n + size] == block]
    return min(found, key=lambda at: abs(at - hint), default=None)
