"""Turns: what they used, and what is reserved for those that are under way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from devloop.store.records import Records, Row, deleted, matches
from devloop.store.schema import reservations, runs, turns

TOKENS: Final = ("input", "output", "cache_read", "cache_write")


_UNPRICED: Final = sa.func.count(sa.case((turns.c.cost_usd.is_(None) & ~turns.c.scripted, 1))).label("unpriced")


class Turns(Records):
    _added = 0
    _overview: tuple[tuple[float, int], Row] | None = None

    def reserve(self, run: str, turn: int, tokens: int, usd: float | None) -> None:
        row = {"workspace": self._workspace, "run": run, "turn": turn}
        with self._engine.begin() as connection:
            connection.execute(deleted(reservations, row))
            connection.execute(sa.insert(reservations).values(**row, tokens=tokens, usd=usd, at=time.time()))

    def release(self, run: str | None = None, turn: int | None = None) -> None:
        """Give up the reservation of a turn; without one, all that the run holds; without a run, all there are."""
        wanted = {"workspace": self._workspace, "run": run, "turn": turn}
        key = {name: value for name, value in wanted.items() if value is not None}
        with self._engine.begin() as connection:
            connection.execute(deleted(reservations, key))

    def add_turn(self, row: Row) -> None:
        """Record a turn and settle its reservation; a turn that is already there stays as it is."""
        day = datetime.fromtimestamp(row["at"]).astimezone().strftime("%Y-%m-%d")
        values = {**row, "day": day, "workspace": self._workspace}
        key = {name: values[name] for name in ("workspace", "run", "number")}
        with self._engine.begin() as connection:
            if connection.execute(sa.select(turns.c.number).where(*matches(turns, key))).first() is None:
                connection.execute(sa.insert(turns).values(values))
            held = {"workspace": self._workspace, "run": row["run"], "turn": row["number"]}
            connection.execute(deleted(reservations, held))
        self._added += 1

    def set_turn_tools(self, run: str, number: int, tools: list[Row]) -> None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.begin() as connection:
            connection.execute(sa.update(turns).where(*matches(turns, key)).values(tools=tools))

    def turns(self, run: str) -> list[Row]:
        query = sa.select(turns).where(turns.c.workspace == self._workspace, turns.c.run == run)
        return self._rows(query.order_by(turns.c.number))

    def spent(
        self,
        *,
        run: str | None = None,
        parts_of: str | None = None,
        since: float | None = None,
        except_turn: tuple[str, int] | None = None,
        reserved: bool = True,
    ) -> Row:
        """What was used: by a run, by all parts of one that gathers, or by all; with `reserved` open reservations are
        included.

        The answer has `usd, tokens, turns, input, output, cache_read, cache_write`, and `unpriced`: turns of a real
        model whose price is not known. `except_turn` leaves out one reservation: that of the turn which is being asked
        for again.
        """
        used = sa.select(*sums(), _UNPRICED).where(turns.c.workspace == self._workspace)
        held = sa.select(
            sa.func.coalesce(sa.func.sum(reservations.c.tokens), 0),
            sa.func.coalesce(sa.func.sum(reservations.c.usd), 0.0),
        ).where(reservations.c.workspace == self._workspace)
        if run is not None:
            used, held = used.where(turns.c.run == run), held.where(reservations.c.run == run)
        if parts_of is not None:
            parts = sa.select(runs.c.id).where(runs.c.workspace == self._workspace, runs.c.loop == parts_of)
            used, held = used.where(turns.c.run.in_(parts)), held.where(reservations.c.run.in_(parts))
        if since is not None:
            used, held = used.where(turns.c.at >= since), held.where(reservations.c.at >= since)
        if except_turn is not None:
            held = held.where(
                sa.not_(sa.and_(reservations.c.run == except_turn[0], reservations.c.turn == except_turn[1]))
            )
        with self._engine.connect() as connection:
            row = dict(connection.execute(used).mappings().one())
            tokens, usd = connection.execute(held).one() if reserved else (0, 0.0)
        total = sum(row[name] for name in TOKENS)
        return {**row, "tokens": int(total + tokens), "usd": float(row["usd"] + usd)}

    def spent_of(self, found: Sequence[str]) -> dict[str, Row]:
        """What the turns of these runs used: `usd, input, output, cache_read, cache_write` for each."""
        query = sa.select(turns.c.run, *sums()).where(turns.c.workspace == self._workspace, turns.c.run.in_(found))
        with self._engine.connect() as connection:
            known = {row["run"]: dict(row) for row in connection.execute(query.group_by(turns.c.run)).mappings()}
        nothing = {"usd": 0.0, **dict.fromkeys(TOKENS, 0)}
        return {run: known.get(run, nothing) for run in found}

    def usage_by(self, column: str, limit: int = 30) -> list[Row]:
        """Cost and tokens grouped by `task`, `agent`, `mode` (as `agent:mode`) or `day` (the person's own), newest
        or most expensive first."""
        labels: Row = {
            "task": runs.c.task_id,
            "agent": runs.c.agent,
            "mode": runs.c.agent + ":" + runs.c.mode,
            "day": turns.c.day,
        }
        label = labels[column]
        order = label.desc() if column == "day" else sa.func.sum(turns.c.cost_usd).desc()
        query = (
            sa.select(label.label("label"), *sums())
            .select_from(turns.join(runs, sa.and_(turns.c.workspace == runs.c.workspace, turns.c.run == runs.c.id)))
            .where(turns.c.workspace == self._workspace)
            .group_by(label)
            .order_by(order)
            .limit(limit)
        )
        return self._rows(query)

    def overview(self, midnight: float) -> Row:
        """What this workspace used: `{"day" (since `midnight`), "total", "by_task", "by_agent", "by_mode", "by_day"}`.
        A part of the status, which editors are told up to ten times a second; only a turn changes it."""
        key = (midnight, self._added)
        if self._overview is None or self._overview[0] != key:
            usage = {f"by_{name}": self.usage_by(name) for name in ("task", "agent", "mode", "day")}
            day = self.spent(since=midnight, reserved=False)
            self._overview = key, {"day": day, "total": self.spent(reserved=False), **usage}
        return dict(self._overview[1])


def sums() -> list[Any]:
    """`usd`, `scripted_usd`, `turns` and the tokens of the turns that a query is about."""
    columns = [sa.func.coalesce(sa.func.sum(turns.c[name]), 0).label(name) for name in TOKENS]
    cost = sa.func.coalesce(sa.func.sum(turns.c.cost_usd), 0.0).label("usd")
    played = sa.func.coalesce(sa.func.sum(sa.case((turns.c.scripted, turns.c.cost_usd), else_=0.0)), 0.0)
    return [cost, played.label("scripted_usd"), sa.func.count(turns.c.number).label("turns"), *columns]
