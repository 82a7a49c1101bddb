"""DBOS' own database: SQLite beside the records, or the person's Postgres."""

from __future__ import annotations

from typing import Any

from devloop.errors import DevloopError
from devloop.paths import StateDir
from devloop.store import make_engine

APPLICATION_VERSION = "engine-1"
"""Raised only for a deliberate break: a run that began under another version would wait for ever (engine §6)."""


def configuration(state: StateDir, database_url: str | None) -> dict[str, Any]:
    """The DBOS configuration (engine §3). Keys and reasons stand there."""
    from dbos import DBOSPortableJSONSerializer

    url = engine_url(state, database_url)
    config: dict[str, Any] = {
        "name": "devloop",
        "system_database_url": url,
        "application_version": APPLICATION_VERSION,
        "executor_id": "local",
        "serializer": DBOSPortableJSONSerializer(),
        "notification_listener_polling_interval_sec": 0.25,
        "log_level": "ERROR",
        "enable_otlp": False,
        "max_executor_threads": 16,
    }
    if url.startswith("sqlite"):
        config["system_database_engine"] = make_engine(url)
    return config


def engine_url(state: StateDir, database_url: str | None) -> str:
    if not database_url:
        return f"sqlite:///{state.engine_db}"
    if database_url.startswith("sqlite"):
        return f"{database_url}-engine"
    return database_url


def forbid_pickle() -> None:
    """A row may name pickle as its format whatever the configuration says, and reading it would run its code
    (engine §3 a). devloop writes no such row, so none is read."""
    from dbos import _serialization

    def refuse(*_: Any) -> Any:
        raise DevloopError("A pickled row in the engine's database was refused.")

    setattr(_serialization.DefaultSerializer, "deserialize", refuse)  # noqa: B010 (mypy forbids the assignment)
