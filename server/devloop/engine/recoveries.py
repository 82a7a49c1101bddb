"""Noticing a run that kills the engine again and again.

DBOS would count every start of the engine, also orderly ones while a run waits for a person (engine §5 rule 13), so it
is told not to count. Here only starts without a finished step between them count, and none of a run that waits: for a
person, for its turn, or for the runs of its parts.
"""

from __future__ import annotations

import contextlib

from devloop.errors import DevloopError
from devloop.paths import StateDir
from devloop.runs.gathering import ITS_PARTS
from devloop.store import Store

MAX_WITHOUT_PROGRESS = 20


class Recoveries:
    """One small file per run: how often its workflow was begun since its last finished step."""

    def __init__(self, store: Store, state: StateDir) -> None:
        self._store, self._state = store, state

    def begin(self, run: str) -> None:
        """Raises `DevloopError`, which ends the workflow, when the run was begun too often without getting anywhere."""
        row = self._store.run(run)
        if row is not None and (row["state"] in ("waiting", "queued") or row["waiting_for"] == ITS_PARTS):
            return
        place = self._state.runs / run / "begun"
        count = len(place.read_bytes()) if place.exists() else 0
        if count >= MAX_WITHOUT_PROGRESS:
            raise DevloopError(f"{run} ended the engine {count} times in the same step.")
        with contextlib.suppress(OSError):  # a full disk is no reason to end a run
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with place.open("ab") as stream:
                stream.write(b".")

    def progress(self, run: str) -> None:
        (self._state.runs / run / "begun").unlink(missing_ok=True)
