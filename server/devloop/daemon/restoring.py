"""Taking archived phases back into the plan (state-files §10): the undo of `archiving.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final

from devloop import beneath, own_files
from devloop import plan as plans
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import NotFound, Refused, UsageError
from devloop.plan import refactor
from devloop.redact import one_line
from devloop.state import archive
from devloop.state.storing import markdown_files

KEPT: Final = f"{archive.FOLDER}/restored"
"""Where a file goes whose phase is in the plan again: it has lines of the log that the plan has not."""


async def restore(documents: Documents, params: Mapping[str, Any]) -> tuple[dict[str, Any], PlanText]:
    """Put a phase back that is named by its id, or by its file in the archive: `{"path", "phases", "file", "kept"}`.

    The plan is written before the file leaves the archive: whatever fails then, nothing is lost. Raises `UsageError`,
    `NotFound`, `Refused` for what can't be put back.
    """
    wanted = params.get("phase")
    if not isinstance(wanted, str) or not wanted:
        raise UsageError("`phase` must be the id of an archived phase, or the name of its file.")
    found, plan = await asyncio.to_thread(documents.plan)
    if PurePath(found.relative).is_absolute():
        raise Refused(f"The plan {found.relative} lies outside the repository; its phases are not archived here.")
    name, data = await asyncio.to_thread(_find, documents, plan, wanted)
    now = datetime.now().astimezone()
    back = refactor.restore(plan, data, name, now)

    def edits_of(current: plans.Plan) -> Sequence[plans.Edit]:
        """May be called again, for a text that has them by then."""
        if {phase.id for phase in current.phases}.issuperset(back.phases):
            return ()
        return refactor.restore(current, data, name, now).edits

    after, _ = await documents.record(edits_of, f"devloop: restore phase {', '.join(back.phases)}")
    kept = await asyncio.to_thread(_put_away, documents, name, data)
    answer = {"path": after.relative, "phases": list(back.phases), "file": f"{archive.FOLDER}/{name}", "kept": kept}
    return answer, after


def _find(documents: Documents, plan: plans.Plan, wanted: str) -> tuple[str, bytes]:
    """The newest file that holds the phase, by the time in its name; of this plan."""
    others: list[str] = []
    for name, data in _files(documents):
        if name == PurePath(wanted).name and wanted in (name, f"{archive.FOLDER}/{name}"):
            return name, data
        file = plans.parse(data, name=name)
        if wanted.lower() not in (phase.id.lower() for phase in file.phases):
            continue
        original = file.field("Original Plan")
        if original is None or original.value == plan.name:
            return name, data
        others.append(name)
    if others:
        raise Refused(
            f"Phase {one_line(wanted, 40)} was archived from another plan.",
            hint=f"Name the file to take it all the same: {one_line(others[0], 200)}",
        )
    raise NotFound(f"No archived phase is called {one_line(wanted, 40)}.", hint=f"Look into {archive.FOLDER}/.")


def _files(documents: Documents) -> Iterator[tuple[str, bytes]]:
    """The archive's files, newest first."""
    for path in sorted(markdown_files(documents.root, archive.FOLDER), key=_stamp, reverse=True):
        data = own_files.read_bytes(documents.root, path)
        if data is not None:
            yield PurePath(path).name, data


def _stamp(path: str) -> tuple[str, str]:
    """A name ends with `_20260131_123005.md`."""
    return "_".join(PurePath(path).stem.rsplit("_", 2)[1:]), path


def _put_away(documents: Documents, name: str, data: bytes) -> str:
    """Move the file; where one of its name is there already, beside that."""
    stem = name.removesuffix(".md")
    for number in range(1, 100):
        kept = f"{KEPT}/{name}" if number == 1 else f"{KEPT}/{stem}-{number}.md"
        try:
            own_files.write(documents.root, kept, data, new=True)
        except FileExistsError:
            continue
        beneath.remove(documents.root, f"{archive.FOLDER}/{name}")
        return kept
    raise Refused(f"There are too many files {KEPT}/{stem}-N.md.", hint="Take some of them away.")
