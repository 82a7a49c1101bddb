"""Records of runs, turns, gates, usage and checkpoints, and the event log. Engine process only."""

from devloop.store.database import make_engine, record_url, storage_problem
from devloop.store.store import Store

__all__ = ["Store", "make_engine", "record_url", "storage_problem"]
