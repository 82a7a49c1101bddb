"""The event log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from devloop.store.records import Records, Row
from devloop.store.schema import events


class Events(Records):
    def add_event(self, kind: str, data: Mapping[str, Any], run: str | None) -> Row:
        at = time.time()
        values = {"workspace": self._workspace, "run": run, "kind": kind, "data": dict(data), "at": at}
        with self._engine.begin() as connection:
            key = connection.execute(sa.insert(events).values(values)).inserted_primary_key
        assert key is not None
        seq = key[0]
        return {"seq": seq, "at": at, "run": run, "kind": kind, "data": dict(data)}

    def events(self, *, after: int = 0, limit: int = 500, run: str | None = None) -> list[Row]:
        """Events after a sequence number, oldest first; with `after` negative the newest `limit` ones."""
        query = sa.select(events.c.seq, events.c.at, events.c.run, events.c.kind, events.c.data).where(
            events.c.workspace == self._workspace
        )
        if run is not None:
            query = query.where(events.c.run == run)
        newest = after < 0
        query = (
            query.order_by(events.c.seq.desc()) if newest else query.where(events.c.seq > after).order_by(events.c.seq)
        )
        rows = self._rows(query.limit(limit))
        return rows[::-1] if newest else rows

    def events_of(self, run: str, kinds: Sequence[str]) -> list[Row]:
        """All events of a run of these kinds, oldest first: `{"at", "kind", "data"}`."""
        query = sa.select(events.c.at, events.c.kind, events.c.data).where(
            events.c.workspace == self._workspace, events.c.run == run, events.c.kind.in_(kinds)
        )
        return self._rows(query.order_by(events.c.seq))

    def newest_of(self, kind: str, limit: int) -> list[Row]:
        """The newest events of a kind, of whatever run, newest first: `{"at", "run", "data"}`."""
        query = sa.select(events.c.at, events.c.run, events.c.data).where(
            events.c.workspace == self._workspace, events.c.kind == kind
        )
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(events.c.seq.desc()).limit(limit)).mappings()
            return [dict(row) for row in found]

    def last_event(self) -> int:
        query = sa.select(sa.func.max(events.c.seq)).where(events.c.workspace == self._workspace)
        return int(self._scalar(query) or 0)
