"""The store: one object per workspace with every read and write that the engine needs.

Writes are idempotent where a durable step may repeat them: a turn, a gate result and a checkpoint are keyed by what
they are, so that writing one twice leaves one. All methods are synchronous and short.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from devloop.store import statistics
from devloop.store.database import make_engine, migrate
from devloop.store.schema import baselines, checkpoints, events, gates, reservations, runs, skill_uses, turns

Row = dict[str, Any]


class Store:
    def __init__(self, engine: sa.Engine, workspace: str) -> None:
        self._engine, self._workspace = engine, workspace

    @classmethod
    def open(cls, url: str, workspace: str) -> Store:
        engine = make_engine(url)
        migrate(engine)
        return cls(engine, workspace)

    def close(self) -> None:
        self._engine.dispose()

    # -- runs --

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
        query = sa.select(runs).where(runs.c.workspace == self._workspace, runs.c.id == run)
        row = connection.execute(query).mappings().first()
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
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def last_attempt(self, prefix: str) -> int:
        """The highest attempt among runs whose id is `prefix` and a number; 0 when there is none."""
        query = sa.select(sa.func.max(runs.c.attempt)).where(
            runs.c.workspace == self._workspace, runs.c.id.startswith(prefix, autoescape=True)
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    # -- turns and money --

    def reserve(self, run: str, turn: int, tokens: int, usd: float | None) -> None:
        row = {"workspace": self._workspace, "run": run, "turn": turn}
        with self._engine.begin() as connection:
            connection.execute(_delete(reservations, row))
            connection.execute(sa.insert(reservations).values(**row, tokens=tokens, usd=usd, at=time.time()))

    def release(self, run: str, turn: int | None = None) -> None:
        """Give up the reservation of a turn; without one, all that the run holds."""
        key = {"workspace": self._workspace, "run": run} | ({} if turn is None else {"turn": turn})
        with self._engine.begin() as connection:
            connection.execute(_delete(reservations, key))

    def add_turn(self, row: Row) -> None:
        """Record a turn and settle its reservation; a turn that is already there stays as it is."""
        day = datetime.fromtimestamp(row["at"]).astimezone().strftime("%Y-%m-%d")
        values = {**row, "day": day, "workspace": self._workspace}
        key = {name: values[name] for name in ("workspace", "run", "number")}
        with self._engine.begin() as connection:
            if connection.execute(sa.select(turns.c.number).where(*_matches(turns, key))).first() is None:
                connection.execute(sa.insert(turns).values(values))
            held = {"workspace": self._workspace, "run": row["run"], "turn": row["number"]}
            connection.execute(_delete(reservations, held))

    def set_turn_tools(self, run: str, number: int, tools: list[Row]) -> None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.begin() as connection:
            connection.execute(sa.update(turns).where(*_matches(turns, key)).values(tools=tools))

    def turns(self, run: str) -> list[Row]:
        query = sa.select(turns).where(turns.c.workspace == self._workspace, turns.c.run == run)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query.order_by(turns.c.number)).mappings()]

    def spent(
        self,
        *,
        run: str | None = None,
        since: float | None = None,
        except_turn: tuple[str, int] | None = None,
        reserved: bool = True,
    ) -> Row:
        """What was used; with `reserved` open reservations are included.

        The answer has `usd, tokens, turns, input, output, cache_read, cache_write`, and `unpriced`: turns of a real
        model whose price is not known. `except_turn` leaves out one reservation: that of the turn which is being asked
        for again.
        """
        used = _sum_turns(self._workspace, run, since)
        held = sa.select(
            sa.func.coalesce(sa.func.sum(reservations.c.tokens), 0),
            sa.func.coalesce(sa.func.sum(reservations.c.usd), 0.0),
        ).where(reservations.c.workspace == self._workspace)
        if run is not None:
            held = held.where(reservations.c.run == run)
        if since is not None:
            held = held.where(reservations.c.at >= since)
        if except_turn is not None:
            held = held.where(
                sa.not_(sa.and_(reservations.c.run == except_turn[0], reservations.c.turn == except_turn[1]))
            )
        with self._engine.connect() as connection:
            row = dict(connection.execute(used).mappings().one())
            tokens, usd = connection.execute(held).one() if reserved else (0, 0.0)
        total = row["input"] + row["output"] + row["cache_read"] + row["cache_write"]
        return {**row, "tokens": int(total + tokens), "usd": float(row["usd"] + usd)}

    def spent_of(self, found: Sequence[str]) -> dict[str, Row]:
        """What the turns of these runs used: `usd, input, output, cache_read, cache_write` for each."""
        query = sa.select(turns.c.run, *_sums()).where(turns.c.workspace == self._workspace, turns.c.run.in_(found))
        with self._engine.connect() as connection:
            known = {row["run"]: dict(row) for row in connection.execute(query.group_by(turns.c.run)).mappings()}
        nothing = {"usd": 0.0, "input": 0, "output": 0, "cache_read": 0, "cache_write": 0}
        return {run: known.get(run, nothing) for run in found}

    def usage_by(self, column: str, limit: int = 30) -> list[Row]:
        """Cost and tokens grouped by `task`, `agent`, `mode` (as `agent:mode`) or `day` (UTC date), newest or most
        expensive first."""
        labels: Row = {
            "task": runs.c.task_id,
            "agent": runs.c.agent,
            "mode": runs.c.agent + ":" + runs.c.mode,
            "day": turns.c.day,
        }
        label = labels[column]
        order = label.desc() if column == "day" else sa.func.sum(turns.c.cost_usd).desc()
        query = (
            sa.select(label.label("label"), *_sums())
            .select_from(turns.join(runs, sa.and_(turns.c.workspace == runs.c.workspace, turns.c.run == runs.c.id)))
            .where(turns.c.workspace == self._workspace)
            .group_by(label)
            .order_by(order)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def statistics(self, since: float | None = None) -> Row:
        """`{"since", "total", "agent", …, "skills", "sessions"}`; see `store.statistics`."""
        found = statistics.run_facts(self._engine, self._workspace)
        used = statistics.turn_facts(self._engine, self._workspace, since)
        return {
            "since": since,
            **statistics.statistics(found, used, since),
            "skills": self.skill_stats(),
            "sessions": statistics.sessions(found, used, since),
        }

    # -- gates --

    def add_gate(self, run: str, commit: str, result: Row) -> None:
        key = {"workspace": self._workspace, "run": run, "commit_id": commit, "gate": result["gate"]}
        with self._engine.begin() as connection:
            connection.execute(_delete(gates, key))
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
            connection.execute(_delete(baselines, row))
            connection.execute(sa.insert(baselines).values(**row, result=result, at=time.time()))

    # -- checkpoints --

    def open_checkpoint(self, run: str, number: int, content: Row) -> Row:
        """Record what a checkpoint shows; one that is there already stays. Answers with what is kept."""
        row = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(checkpoints.c.content).where(*_matches(checkpoints, row))).first()
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
        undecided = [*_matches(checkpoints, key), checkpoints.c.decision.is_(None)]
        with self._engine.begin() as connection:
            return connection.execute(sa.update(checkpoints).where(*undecided).values(values)).rowcount == 1

    def close_checkpoint(self, run: str, number: int, decision: str, message: str | None) -> None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        values = {"decision": decision, "message": message, "decided": time.time()}
        with self._engine.begin() as connection:
            connection.execute(sa.update(checkpoints).where(*_matches(checkpoints, key)).values(values))

    def checkpoint(self, run: str, number: int) -> Row | None:
        key = {"workspace": self._workspace, "run": run, "number": number}
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(checkpoints).where(*_matches(checkpoints, key))).mappings().first()
        return dict(row) if row else None

    def waited_s(self, run: str) -> float:
        """Seconds that the run spent at checkpoints; an open one counts until now."""
        until = sa.func.coalesce(checkpoints.c.decided, time.time())
        query = sa.select(sa.func.sum(until - checkpoints.c.opened)).where(
            checkpoints.c.workspace == self._workspace, checkpoints.c.run == run
        )
        with self._engine.connect() as connection:
            return float(connection.execute(query).scalar() or 0.0)

    # -- skills --

    def add_skill_use(self, row: Row) -> None:
        """Record that a skill entered a conversation: `run, turn, how (listed, attached, loaded, reattached), skill,
        reference, source, why, tokens`. The same use once more is the same record."""
        key = {name: row[name] for name in ("run", "turn", "how", "skill", "reference")}
        values = {**row, "workspace": self._workspace, "at": time.time()}
        with self._engine.begin() as connection:
            connection.execute(_delete(skill_uses, {**key, "workspace": self._workspace}))
            connection.execute(sa.insert(skill_uses).values(values))

    def skill_uses(self, run: str) -> list[Row]:
        """What a run was offered and loaded, in order, without the workspace."""
        query = sa.select(skill_uses).where(skill_uses.c.workspace == self._workspace, skill_uses.c.run == run)
        order = query.order_by(skill_uses.c.turn, skill_uses.c.at, skill_uses.c.skill)
        with self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(order).mappings()]
        return [{name: value for name, value in row.items() if name != "workspace"} for row in rows]

    def skill_stats(self) -> list[Row]:
        """Each skill's use: `skill, runs, listed, attached, loaded, reattached, tokens, carried, last`; `carried` adds
        each text once for every turn that came after it, which is what the model had to read of it."""
        use = skill_uses.c
        after = sa.case((runs.c.turn > use.turn, runs.c.turn - use.turn), else_=0)
        counts = [
            sa.func.sum(sa.case((use.how == how, 1), else_=0)).label(how)
            for how in ("listed", "attached", "loaded", "reattached")
        ]
        taken = sa.case((use.how == "listed", None), else_=use.run)
        query = (
            sa.select(
                use.skill,
                sa.func.count(sa.distinct(taken)).label("runs"),
                *counts,
                sa.func.sum(use.tokens).label("tokens"),
                sa.func.sum(use.tokens * after).label("carried"),
                sa.func.max(use.at).label("last"),
            )
            .select_from(skill_uses.join(runs, sa.and_(use.workspace == runs.c.workspace, use.run == runs.c.id)))
            .where(use.workspace == self._workspace)
            .group_by(use.skill)
            .order_by(sa.func.sum(use.tokens).desc(), use.skill)
        )
        with self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        whole = ("runs", "listed", "attached", "loaded", "reattached", "tokens", "carried")
        return [{**row, **{name: int(row[name] or 0) for name in whole}} for row in rows]

    # -- events --

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
        with self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query.limit(limit)).mappings()]
        return rows[::-1] if newest else rows

    def events_of(self, run: str, kinds: Sequence[str]) -> list[Row]:
        """All events of a run of these kinds, oldest first: `{"at", "kind", "data"}`."""
        query = sa.select(events.c.at, events.c.kind, events.c.data).where(
            events.c.workspace == self._workspace, events.c.run == run, events.c.kind.in_(kinds)
        )
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query.order_by(events.c.seq)).mappings()]

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
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)


def _matches(table: sa.Table, key: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def _delete(table: sa.Table, key: Mapping[str, Any]) -> sa.Delete:
    return sa.delete(table).where(*_matches(table, key))


def _sums() -> list[Any]:
    columns = [
        sa.func.coalesce(sa.func.sum(turns.c[name]), 0).label(name)
        for name in ("input", "output", "cache_read", "cache_write")
    ]
    cost = sa.func.coalesce(sa.func.sum(turns.c.cost_usd), 0.0).label("usd")
    played = sa.func.coalesce(sa.func.sum(sa.case((turns.c.scripted, turns.c.cost_usd), else_=0.0)), 0.0)
    return [cost, played.label("scripted_usd"), sa.func.count(turns.c.number).label("turns"), *columns]


def _sum_turns(workspace: str, run: str | None, since: float | None) -> sa.Select[Any]:
    unpriced = sa.func.count(sa.case((turns.c.cost_usd.is_(None) & ~turns.c.scripted, 1))).label("unpriced")
    query = sa.select(*_sums(), unpriced).where(turns.c.workspace == workspace)
    if run is not None:
        query = query.where(turns.c.run == run)
    if since is not None:
        query = query.where(turns.c.at >= since)
    return query
