"""Checkpoints: what each showed, and what was decided."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa

from devloop.store.records import Records, Row, matches
from devloop.store.schema import checkpoints


class Checkpoints(Records):
    def open_checkpoint(self, run: str, number: int, content: Row) -> Row:
        """Record what a checkpoint shows; one that is there already stays. Answers with what is kept."""
        row = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(checkpoints.c.content).where(*matches(checkpoints, row))).first()
            if known is not None:
                return dict(known[0])
            connection.execute(sa.insert(checkpoints).values(**row, content=content, opened=time.time()))
        return content

    def decide_checkpoint(
        self, run: str, number: int, decision: str, message: str | None, leave_out: Sequence[str] = ()
    ) -> bool:
        """Record the first decision on a checkpoint; False when there is one already."""
        key = {"workspace": self._workspace, "run": run, "number": number}
        values = {"decision": decision, "message": message, "decided": time.time(), "leave_out": list(leave_out)}
        undecided = [*matches(checkpoints, key), checkpoints.c.decision.is_(None)]
        with self._engine.begin() as connection:
            return connection.execute(sa.update(checkpoints).where(*undecided).values(values)).rowcount == 1

    def close_checkpoint(self, run: str, number: int, decision: str, message: str | None) -> None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        values = {"decision": decision, "message": message, "decided": time.time()}
        with self._engine.begin() as connection:
            connection.execute(sa.update(checkpoints).where(*matches(checkpoints, key)).values(values))

    def checkpoint(self, run: str, number: int) -> Row | None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(checkpoints).where(*matches(checkpoints, key))).mappings().first()
        return dict(row) if row else None

    def waited_s(self, run: str) -> float:
        """Seconds that the run spent at checkpoints; an open one counts until now."""
        until = sa.func.coalesce(checkpoints.c.decided, time.time())
        query = sa.select(sa.func.sum(until - checkpoints.c.opened)).where(
            checkpoints.c.workspace == self._workspace, checkpoints.c.run == run
        )
        return float(self._scalar(query) or 0.0)
