"""What every kind of record has in common: one database, one workspace, short synchronous reads and writes.

Writes are idempotent where a durable step may repeat them: a turn, a gate result and a checkpoint are keyed by what
they are, so that writing one twice leaves one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]


class Records:
    def __init__(self, engine: sa.Engine, workspace: str) -> None:
        self._engine, self._workspace = engine, workspace

    def _rows(self, query: sa.Select[Any]) -> list[Row]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _scalar(self, query: sa.Select[Any]) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()


def matches(table: sa.Table, key: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def deleted(table: sa.Table, key: Mapping[str, Any]) -> sa.Delete:
    return sa.delete(table).where(*matches(table, key))
