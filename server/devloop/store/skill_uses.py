"""Which skills entered which conversation, how, and what that cost."""

from __future__ import annotations

import time

import sqlalchemy as sa

from devloop.store.records import Records, Row, deleted
from devloop.store.schema import runs, skill_uses


class SkillUses(Records):
    def add_skill_use(self, row: Row) -> None:
        """Record that a skill entered a conversation: `run, turn, how (listed, attached, loaded, reattached), skill,
        reference, source, why, tokens`. The same use once more is the same record."""
        key = {name: row[name] for name in ("run", "turn", "how", "skill", "reference")}
        values = {**row, "workspace": self._workspace, "at": time.time()}
        with self._engine.begin() as connection:
            connection.execute(deleted(skill_uses, {**key, "workspace": self._workspace}))
            connection.execute(sa.insert(skill_uses).values(values))

    def skill_uses(self, run: str) -> list[Row]:
        """What a run was offered and loaded, in order, without the workspace."""
        query = sa.select(skill_uses).where(skill_uses.c.workspace == self._workspace, skill_uses.c.run == run)
        order = query.order_by(skill_uses.c.turn, skill_uses.c.at, skill_uses.c.skill)
        rows = self._rows(order)
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
        rows = self._rows(query)
        whole = ("runs", "listed", "attached", "loaded", "reattached", "tokens", "carried")
        return [{**row, **{name: int(row[name] or 0) for name in whole}} for row in rows]
