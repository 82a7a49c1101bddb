"""The store on a real SQLite file: idempotent writes, sums, migrations that equal the tables."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import devloop.store
from devloop.errors import StorageError
from devloop.store import Store, make_engine
from devloop.store.database import migrate
from devloop.store.schema import REVISION, metadata

RUN = {
    "id": "run-1.1-1",
    "task_id": "1.1",
    "task_key": "k",
    "title": "t",
    "attempt": 1,
    "agent": "engineer",
    "mode": "default",
    "model": "m",
    "scripted": True,
    "state": "queued",
    "spec": {},
}


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path}/records.db", "w")
    yield opened
    opened.close()


def turn(number, *, at=1_000_000.0, cost=0.5):
    return {
        "run": RUN["id"],
        "number": number,
        "model": "m",
        "scripted": True,
        "stop_reason": "end_turn",
        "request_id": None,
        "input": 10,
        "output": 5,
        "cache_read": 3,
        "cache_write": 2,
        "cost_usd": cost,
        "tools": [],
        "at": at,
        "duration_s": 0.1,
    }


def made_by_migrations(path):
    """A database that Alembic made, migration after migration."""
    config = Config()
    config.set_main_option("script_location", str(Path(devloop.store.__file__).parent / "migrations"))
    engine = make_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return engine


def test_migrations_give_exactly_the_declared_tables(tmp_path):
    engine = made_by_migrations(tmp_path / "records.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION
    engine.dispose()


def shape(path):
    """The columns of each table, its key, and the indexes."""
    with sqlite3.connect(path) as file:
        tables = [name for (name,) in file.execute("select name from sqlite_master where type = 'table'")]
        columns = {
            name: {each[1:] for each in file.execute(f"select * from pragma_table_info('{name}')")} for name in tables
        }
        indexes = set(file.execute("select name, tbl_name, sql from sqlite_master where type = 'index'"))
    return columns, indexes


def test_an_empty_file_gets_the_tables_that_migrations_make(tmp_path):
    made_by_migrations(tmp_path / "migrated.db").dispose()
    Store.open(f"sqlite:///{tmp_path}/new.db", "w").close()
    assert shape(tmp_path / "new.db") == shape(tmp_path / "migrated.db")


def test_neither_a_new_database_nor_todays_needs_alembic(tmp_path):
    code = """
import sys
from devloop.store import Store
for _ in range(2):
    Store.open(sys.argv[1], "w").close()
print("alembic" in sys.modules)
"""
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/records.db"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_new_database_has_all_its_tables_or_none(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/records.db")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def break_off(connection, cursor, statement, parameters, context, executemany):
        if "CREATE TABLE alembic_version" in statement:
            raise sa.exc.OperationalError(statement, {}, OSError("the disk is gone"))

    with pytest.raises(StorageError, match="the disk is gone"):
        migrate(engine)
    engine.dispose()
    assert shape(tmp_path / "records.db") == ({}, set())
    Store.open(f"sqlite:///{tmp_path}/records.db", "w").close()


def test_a_database_of_a_newer_devloop_is_refused_with_a_hint(tmp_path):
    url = f"sqlite:///{tmp_path}/records.db"
    engine = make_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match="newer devloop"):
        Store.open(url, "w")


def test_sqlite_runs_in_wal_mode(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/records.db")
    with engine.connect() as connection:
        assert connection.execute(sa.text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("pragma synchronous")).scalar() == 1
    engine.dispose()


def test_creating_the_same_run_twice_gives_the_first_one(store):
    first = store.create_run(RUN)
    store.update_run(RUN["id"], state="working")
    again = store.create_run({**RUN, "title": "other"})
    assert again["title"] == first["title"] and again["state"] == "working"
    assert store.last_attempt("run-1.1-") == 1


def test_a_turn_that_is_written_twice_is_paid_once_and_settles_its_reservation(store):
    store.create_run(RUN)
    store.reserve(RUN["id"], 1, tokens=1000, usd=2.0)
    assert store.spent(run=RUN["id"])["usd"] == 2.0
    assert store.spent(run=RUN["id"], except_turn=(RUN["id"], 1))["usd"] == 0.0
    store.add_turn(turn(1))
    store.add_turn(turn(1, cost=99))
    spent = store.spent(run=RUN["id"])
    assert (spent["usd"], spent["tokens"], spent["turns"]) == (0.5, 20, 1)


def test_spending_is_summed_since_a_moment_and_by_task_and_day(store):
    store.create_run(RUN)
    store.add_turn(turn(1, at=1_000_000.0))
    store.add_turn(turn(2, at=2_000_000.0))
    assert store.spent(since=1_500_000.0)["turns"] == 1
    assert [(row["label"], row["turns"]) for row in store.usage_by("task")] == [("1.1", 2)]
    assert [row["label"] for row in store.usage_by("day")] == ["1970-01-24", "1970-01-12"]


def test_what_a_workspace_used_is_added_up_again_only_after_a_turn_or_a_day(store, monkeypatch):
    asked = []
    monkeypatch.setattr(store, "usage_by", lambda column: asked.append(column) or [column])
    store.create_run(RUN)
    store.add_turn(turn(1, at=1_000_000.0))
    first = store.overview(1_500_000.0)
    assert (first["total"]["turns"], first["day"]["turns"], first["by_mode"]) == (1, 0, ["mode"])
    assert store.overview(1_500_000.0) == first and asked == ["task", "agent", "mode", "day"]
    store.add_turn(turn(2, at=2_000_000.0))
    assert [store.overview(1_500_000.0)[part]["turns"] for part in ("total", "day")] == [2, 1]
    assert store.overview(500_000.0)["day"]["turns"] == 2 and len(asked) == 12


def test_what_many_runs_used_is_what_each_of_them_used(store):
    store.create_run(RUN)
    store.add_turn(turn(1))
    store.add_turn(turn(2))
    store.add_turn({**turn(1, cost=0.125), "run": "another"})
    found = store.spent_of([RUN["id"], "another", "nothing-yet"])
    assert list(found) == [RUN["id"], "another", "nothing-yet"]
    for run, spent in found.items():
        alone = store.spent(run=run)
        assert {name: spent[name] for name in ("usd", "input", "output", "cache_read", "cache_write")} == {
            name: alone[name] for name in ("usd", "input", "output", "cache_read", "cache_write")
        }
    assert store.spent_of([]) == {}


def test_a_checkpoint_opened_again_keeps_its_first_content_and_its_decision(store):
    store.create_run(RUN)
    store.open_checkpoint(RUN["id"], 1, {"summary": "a"})
    store.close_checkpoint(RUN["id"], 1, "commit", None)
    assert store.open_checkpoint(RUN["id"], 1, {"summary": "b"}) == {"summary": "a"}
    row = store.checkpoint(RUN["id"], 1)
    assert row["content"] == {"summary": "a"} and row["decision"] == "commit"


def test_events_are_numbered_and_read_in_order(store):
    for n in range(5):
        store.add_event("notice", {"n": n}, "r" if n % 2 else None)
    assert [e["data"]["n"] for e in store.events(after=2)] == [2, 3, 4]
    assert [e["data"]["n"] for e in store.events(after=-1, limit=2)] == [3, 4]
    assert [e["data"]["n"] for e in store.events(run="r")] == [1, 3]
    assert store.last_event() == 5


def test_workspaces_on_one_database_do_not_see_each_other(tmp_path, store):
    other = Store.open(f"sqlite:///{tmp_path}/records.db", "other")
    store.create_run(RUN)
    assert other.run(RUN["id"]) is None and other.find_runs() == []
    other.create_run(RUN)
    assert len(store.find_runs()) == 1
    other.close()
