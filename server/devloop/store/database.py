"""Opening the database of records: SQLite by default, anything else by its URL. The one place that knows SQLite.

Pragmas and why: WAL and synchronous=NORMAL survive `kill -9` and cost a ninth of the default; IMMEDIATE avoids the
upgrade deadlock of deferred transactions (measured for DBOS on SQLite, where the same engine is used).
"""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from devloop.errors import StorageError
from devloop.files import storage_error
from devloop.paths import StateDir
from devloop.store.schema import REVISION, metadata, revisions

log = logging.getLogger(__name__)

_SQLITE = (
    ("database or disk is full", errno.ENOSPC),
    ("readonly database", errno.EROFS),
    ("disk I/O error", errno.EIO),
)
PRAGMAS = ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL")


def record_url(state: StateDir, database_url: str | None) -> str:
    """The records' database: the person's URL, else a SQLite file in the state directory."""
    return database_url or f"sqlite:///{state.records_db}"


def make_engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(_with_driver(url), pool_size=10, pool_pre_ping=True)
    engine = sa.create_engine(url, pool_size=20)

    @sa.event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def storage_problem(problem: BaseException) -> StorageError | None:
    """The person's view of an error that the disk caused, on its way through the database or directly; else None."""
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return storage_error(problem, f"{problem.filename or 'A file'} could not be written")
    told = str(getattr(problem, "orig", "") or "")
    for words, code in _SQLITE:
        if isinstance(problem, sa.exc.DBAPIError) and words in told:
            return storage_error(OSError(code, ""), "devloop's records could not be written")
    return None


def _with_driver(url: str) -> str:
    """`postgres://` and `postgresql://` mean psycopg 3, which comes with DBOS."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to this version's; people's history stays. Raises `StorageError` with what to do.

    Alembic is loaded only where there is something to migrate: it takes a tenth of an engine's start."""
    try:
        with engine.begin() as connection:
            if _revision(connection) != REVISION and not _made_whole(connection):
                _upgrade(connection)
    except sa.exc.SQLAlchemyError as problem:
        raise StorageError(
            f"The records can't be opened: {getattr(problem, 'orig', None) or type(problem).__name__}",
            hint="Check free disk space and the permissions of the state directory (devloop doctor shows it).",
        ) from problem


def _revision(connection: sa.Connection) -> str | None:
    """What Alembic noted last; None where it has noted nothing yet."""
    if not sa.inspect(connection).has_table(revisions.name):
        return None
    found: str | None = connection.execute(sa.select(revisions.c.version_num)).scalar()
    return found


def _made_whole(connection: sa.Connection) -> bool:
    """Whether this was an empty file, which now holds today's tables and says so: all of them, or none (DDL is part of
    a transaction that was begun by hand)."""
    if connection.dialect.name != "sqlite":
        return False
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if sa.inspect(connection).get_table_names():
        connection.exec_driver_sql("ROLLBACK")
        return False
    metadata.create_all(connection)
    revisions.create(connection)
    connection.execute(sa.insert(revisions).values(version_num=REVISION))
    return True


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise StorageError(
            "The records were written by a newer devloop.",
            hint="Update devloop, or move its state directory away.",
        ) from problem
