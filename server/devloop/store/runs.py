"""Runs, with the notices that stand on each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from devloop.store.records import Records, Row
from devloop.store.schema import runs

_ONE = sa.select(runs).where(runs.c.workspace == sa.bindparam("workspace"), runs.c.id == sa.bindparam("id"))
"""Asked for some fifty times in a run: building it takes longer than SQLite's answer."""


class Runs(Records):
    def create_run(self, row: Row) -> Row:
        """Insert a run; when the id exists already that run is returned unchanged."""
        now = time.time()
        values = {"notices": [], "created": now, "touched": now, **row, "workspace": self._workspace}
        with self._engine.begin() as connection:
            found = self._run(connection, values["id"])
            if found is None:
                connection.execute(sa.insert(runs).values(values))
                found = self._run(connection, values["id"])
        assert found is not None
        return found

    def create_runs(self, rows: Sequence[Row]) -> list[Row]:
        """The same for several: all of them are there afterwards, or none."""
        now = time.time()
        common = {"notices": [], "touched": now, "workspace": self._workspace}
        with self._engine.begin() as connection:
            for at, row in enumerate(rows):
                if self._run(connection, row["id"]) is None:
                    created = now + at / 1e6  # their order stays
                    connection.execute(sa.insert(runs).values({"created": created, **common, **row}))
            return [found for row in rows if (found := self._run(connection, row["id"])) is not None]

    def run(self, run: str) -> Row | None:
        with self._engine.connect() as connection:
            return self._run(connection, run)

    def _run(self, connection: sa.Connection, run: str) -> Row | None:
        row = connection.execute(_ONE, {"workspace": self._workspace, "id": run}).mappings().first()
        return dict(row) if row else None

    def update_run(self, run: str, **values: Any) -> None:
        statement = sa.update(runs).where(runs.c.workspace == self._workspace, runs.c.id == run)
        with self._engine.begin() as connection:
            connection.execute(statement.values(touched=time.time(), **values))

    def add_notices(self, run: str, notices: Sequence[str]) -> list[str]:
        """Keep notices with the run; answers with those that it did not have."""
        with self._engine.begin() as connection:
            row = self._run(connection, run)
            if row is None:
                return []
            new = [notice for notice in dict.fromkeys(notices) if notice not in row["notices"]]
            merged = [*row["notices"], *new]
            statement = sa.update(runs).where(runs.c.workspace == self._workspace, runs.c.id == run)
            connection.execute(statement.values(notices=merged))
        return new

    def find_runs(
        self, *, task: str | None = None, open_only: bool = False, loop: str | None = None, limit: int = 50
    ) -> list[Row]:
        """Newest first."""
        query = sa.select(runs).where(runs.c.workspace == self._workspace)
        if task is not None:
            query = query.where(sa.func.lower(runs.c.task_id) == task.lower())
        if loop is not None:
            query = query.where(runs.c.loop == loop)
        if open_only:
            query = query.where(runs.c.state != "ended")
        query = query.order_by(runs.c.created.desc(), runs.c.id.desc()).limit(limit)
        return self._rows(query)

    def last_attempt(self, prefix: str) -> int:
        """The highest attempt among runs whose id is `prefix` and a number; 0 when there is none."""
        query = sa.select(sa.func.max(runs.c.attempt)).where(
            runs.c.workspace == self._workspace, runs.c.id.startswith(prefix, autoescape=True)
        )
        return int(self._scalar(query) or 0)
