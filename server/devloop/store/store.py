"""The store: one object per workspace with every read and write that the engine needs."""

from __future__ import annotations

from devloop.store import statistics
from devloop.store.checkpoints import Checkpoints
from devloop.store.database import make_engine, migrate
from devloop.store.events import Events
from devloop.store.gates import Gates
from devloop.store.records import Row
from devloop.store.runs import Runs
from devloop.store.skill_uses import SkillUses
from devloop.store.turns import Turns


class Store(Runs, Turns, Gates, Checkpoints, SkillUses, Events):
    @classmethod
    def open(cls, url: str, workspace: str) -> Store:
        engine = make_engine(url)
        migrate(engine)
        return cls(engine, workspace)

    def close(self) -> None:
        self._engine.dispose()

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
