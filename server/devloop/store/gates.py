"""Results of gates, and what they said of the tree that a run began with."""

from __future__ import annotations

import time

import sqlalchemy as sa

from devloop.store.records import Records, Row, deleted
from devloop.store.schema import baselines, gates


class Gates(Records):
    def add_gate(self, run: str, commit: str, result: Row) -> None:
        key = {"workspace": self._workspace, "run": run, "commit_id": commit, "gate": result["gate"]}
        with self._engine.begin() as connection:
            connection.execute(deleted(gates, key))
            row = {**key, "verdict": result["verdict"], "result": result, "at": time.time()}
            connection.execute(sa.insert(gates).values(row))

    def gates(self, run: str, commit: str | None = None) -> list[Row]:
        """Results as `GateResult` JSON with `commit` added, oldest first."""
        query = sa.select(gates).where(gates.c.workspace == self._workspace, gates.c.run == run)
        if commit is not None:
            query = query.where(gates.c.commit_id == commit)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(gates.c.at)).mappings()
            return [{**row["result"], "commit": row["commit_id"]} for row in rows]

    def baseline(self, key: str) -> Row | None:
        query = sa.select(baselines.c.result).where(baselines.c.workspace == self._workspace, baselines.c.key == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return row[0] if row else None

    def set_baseline(self, key: str, result: Row) -> None:
        row = {"workspace": self._workspace, "key": key}
        with self._engine.begin() as connection:
            connection.execute(deleted(baselines, row))
            connection.execute(sa.insert(baselines).values(**row, result=result, at=time.time()))
