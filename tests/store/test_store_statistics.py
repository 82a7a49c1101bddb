"""Figures of runs on a real SQLite file: every group by hand."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from devloop.store import Store, statistics

DAY = 86_400.0
NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0).timestamp()


@pytest.fixture
def store(tmp_path, monkeypatch):
    opened = Store.open(f"sqlite:///{tmp_path}/records.db", "w")
    yield opened
    opened.close()


def add_run(
    store, name, task, *, agent="engineer", mode="default", model="m", outcome="landed", created=NOON, rounds=1
):
    store.create_run(
        {
            "id": name,
            "task_id": task,
            "task_key": task,
            "title": task,
            "attempt": 1,
            "agent": agent,
            "mode": mode,
            "model": model,
            "scripted": False,
            "state": "ended",
            "spec": {},
            "outcome": outcome,
            "created": created,
            "started": created + 1,
            "ended": created + 60,
            "commit_id": f"c-{name}",
        }
    )
    for number in range(rounds):
        for gate in ("tests", "lint"):
            store.add_gate(name, f"{name}-{number}", {"gate": gate, "verdict": "pass"})


def add_turn(store, run, number, *, at=NOON, usd=0.5, model="m", cached=90):
    row = {"run": run, "number": number, "model": model, "scripted": False, "stop_reason": "end_turn"}
    tokens = {"input": 10, "output": 5, "cache_read": cached, "cache_write": 0}
    store.add_turn({**row, **tokens, "request_id": None, "cost_usd": usd, "tools": [], "at": at, "duration_s": 1.0})


@pytest.fixture
def filled(store):
    add_run(store, "r1", "1.1", rounds=2)
    add_run(store, "r2", "1.1", outcome="discarded", created=NOON - DAY)
    add_run(store, "r3", "1.2", agent="qa-engineer", mode="generator", model="n")
    add_run(store, "r4", "1.3", outcome=None, rounds=0)
    add_turn(store, "r1", 1)
    add_turn(store, "r1", 2, model="bigger", usd=2.0)
    add_turn(store, "r2", 1, at=NOON - DAY)
    add_turn(store, "r3", 1, model="n", usd=1.0, cached=0)
    return store


def by(groups):
    return {group["label"]: group for group in groups}


def test_all_runs_together(filled):
    total = filled.statistics()["total"]
    assert (total["runs"], total["tasks"], total["ended"], total["accepted"]) == (4, 3, 3, 2)
    assert total["success"] == round(2 / 3, 4) and total["usd"] == 4.0 and total["turns"] == 4
    assert total["usd_per_accepted"] == 2.0, "what was discarded was paid for, too"
    assert total["rounds"] == round(4 / 3, 2), "commits that gates looked at, of runs that came so far"
    assert total["cache_share"] == round(270 / 310, 4)


def test_each_dimension(filled):
    found = filled.statistics()
    assert [group["label"] for group in found["agent"]] == ["engineer", "qa-engineer"], "the most expensive first"
    assert by(found["mode"])["qa-engineer:generator"]["usd"] == 1.0
    assert by(found["task"])["1.1"]["accepted"] == 1 and by(found["task"])["1.3"]["success"] is None
    models = by(found["model"])
    assert models["bigger"]["runs"] == 0 and models["bigger"]["usd"] == 2.0, "a turn with another model than its run's"
    assert models["m"]["runs"] == 3 and models["m"]["usd"] == 1.0 and models["n"]["cache_share"] == 0
    days = found["day"]
    assert [day["runs"] for day in days] == [3, 1] and [day["usd"] for day in days] == [3.5, 0.5]
    assert days[0]["label"] > days[1]["label"]


def test_since_leaves_out_what_is_older(filled):
    found = filled.statistics(NOON - DAY / 2)
    assert found["total"]["runs"] == 3 and found["total"]["usd"] == 3.5 and len(found["day"]) == 1
    assert [each["session_id"] for each in found["sessions"]] == ["r1", "r3", "r4"]


def test_an_old_run_that_goes_on_counts_with_what_it_uses_now(filled):
    add_turn(filled, "r2", 2, usd=0.25)
    total = filled.statistics(NOON - DAY / 2)["total"]
    assert total["runs"] == 3 and total["usd"] == 3.75


def test_sessions_are_runs(filled):
    first = {each["session_id"]: each for each in filled.statistics()["sessions"]}["r1"]
    assert first["tokens_used"] == first["end_tokens"] == 210 and first["tasks_completed"] == ["1.1"]
    assert first["commits"] == ["c-r1"] and first["start_time"] == NOON + 1 and first["end_time"] == NOON + 60


def test_other_workspaces_and_nothing_at_all(store, filled, tmp_path):
    other = Store.open(f"sqlite:///{tmp_path}/records.db", "elsewhere")
    found = other.statistics()
    assert found["total"]["runs"] == 0 and found["total"]["cache_share"] is None and found["agent"] == []
    other.close()


def test_ten_times_as_many_runs_cost_about_ten_times_as_much():
    def seconds(many):
        found = [
            {"id": f"r{at}", "task": f"{at}", "agent": "a", "mode": "d", "model": "m", "outcome": "landed", "rounds": 1}
            | {"created": NOON + at, "started": NOON + at, "ended": NOON, "commit": None}
            for at in range(many)
        ]
        begin = time.process_time()
        assert statistics.statistics(found, [], None)["total"]["accepted"] == many
        return time.process_time() - begin

    seconds(100)
    assert min(seconds(5_000) for _ in range(3)) < 40 * max(min(seconds(500) for _ in range(3)), 0.005)
