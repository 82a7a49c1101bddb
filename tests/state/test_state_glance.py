"""The daemon's glance: written when the plan or a run changes, and plan-state.json in step where a person made it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from datetime import UTC, datetime

import pytest

from devloop import paths
from devloop import plan as plans
from devloop.cli import statusline
from devloop.daemon.board import Board
from devloop.daemon.documents import Documents
from devloop.daemon.glance import FILE, Glance
from devloop.state import plan_state

PLAN = "# Plan: P\n\n- [x] Task 1.1: one\n- [ ] Task 1.2: two\n"


@pytest.fixture
async def glance(project, put):
    put(".devloop/plan.md", PLAN)
    board = Board(ask)
    state = paths.StateDir.of(project).make()
    made = Glance(state, Documents(project), board)
    made.start()
    yield made, board, state.path / FILE
    await made.close()
    await board.close()


async def ask(method, params):
    raise AssertionError("the engine is not asked")


async def until(condition):
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError, ValueError):
                if condition():
                    return
            await asyncio.sleep(0.01)


def queued(run, task):
    record = {"id": run, "task": task, "title": "t", "state": "working", "loop": None, "started": 1.0, "attempt": 1}
    return {"seq": 1, "at": 1.0, "run": run, "kind": "run.queued", "data": record}


async def test_it_holds_the_plan_and_its_runs_as_they_are_now(project, put, glance):
    made, board, path = glance
    await until(lambda: json.loads(path.read_text())["plan"]["done"] == 1)
    assert json.loads(path.read_text())["pid"] == os.getpid() and path.stat().st_mode & 0o777 == 0o600
    put(".devloop/plan.md", PLAN.replace("[ ]", "[x]"))
    made.changed()
    await until(lambda: json.loads(path.read_text())["plan"]["done"] == 2)
    board.take(queued("r1", "1.2"))
    await until(lambda: [run["task"] for run in json.loads(path.read_text())["runs"]] == ["1.2"])
    found = statusline.look(str(project))
    assert found["plan"]["done"] == 2 and found["runs"][0]["id"] == "r1"


async def test_a_plan_that_goes_away_is_told_and_breaks_nothing(project, glance):
    made, _, path = glance
    await until(path.exists)
    (project / ".devloop/plan.md").unlink()
    made.changed()
    await until(lambda: json.loads(path.read_text())["plan"] is None)


async def test_plan_state_is_kept_in_step_only_where_it_is(project, put, glance):
    made, _, path = glance
    await until(path.exists)
    assert not (project / plan_state.PATH).exists(), "nobody gets a file unasked"
    plan_state.write(project, plans.parse(PLAN.encode()), ".devloop/plan.md", datetime.now(UTC))
    put(".devloop/plan.md", PLAN + "- [ ] Task 1.3: three\n")
    made.changed()
    await until(lambda: json.loads((project / plan_state.PATH).read_text())["stats"]["total"] == 3)
    put(plan_state.PATH, '{"schema_version": "9.0.0"}')
    put(".devloop/plan.md", PLAN)
    made.changed()
    await until(lambda: json.loads(path.read_text())["plan"]["total"] == 2)
    assert (project / plan_state.PATH).read_text() == '{"schema_version": "9.0.0"}', "a newer one is left alone"
