"""The board in a real daemon with a real engine: a whole run, and an engine that is killed under it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
from dataclasses import replace

import pytest

from devloop import __version__
from devloop import plan as plans
from devloop.daemon import connect
from devloop.daemon.board import Board
from devloop.daemon.endpoint import announced
from devloop.daemon.process import Daemon, _real_engine
from devloop.daemon.run_view import Now
from devloop.paths import StateDir
from devloop.redact import Redactor
from support.engines import call, command, finish, trust_everything, turn, write
from support.projects import tiny_project

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1.1: First\n- [ ] Task 1.2: Second\n"


class Watched:
    """A daemon in this process: its service, a client of it, and every view of a run in turn."""

    def __init__(self, daemon, peer):
        self.service, self.peer, self.seen = daemon._service, peer, []
        self.board = self.service.board
        take = self.board.take

        def taking(event):
            take(event)
            view = self.board.run(str(event.get("run")))
            if view is not None:
                self.seen.append(view)

        self.board.take = taking

    def states(self, run):
        return [state for state, _ in itertools.groupby(view.state for view in self.seen if view.id == run)]

    async def fresh(self, run):
        """What a board that never heard an event makes of the run."""
        other = Board(self.service.board._ask)
        await other.load()
        return await other.details(run)


@pytest.fixture
async def watched(short_tmp, monkeypatch, until):
    """`await watched(tasks)`: a daemon whose scripted player answers with these turns."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(short_tmp / "c"))
    root = tiny_project(short_tmp / "p", PLAN)
    trust_everything(root)
    stack = contextlib.AsyncExitStack()

    async def begin(tasks):
        scenario = short_tmp / "scenario.json"
        scenario.write_text(json.dumps({"tasks": {task: {"turns": turns} for task, turns in tasks.items()}}))
        monkeypatch.setenv("DEVLOOP_SCENARIO", str(scenario))
        daemon = Daemon(root, StateDir.of(root).make(), Redactor({}), _real_engine, __version__)
        serving = asyncio.create_task(daemon.serve())

        async def end():
            daemon._stopping.set()
            await asyncio.wait_for(serving, 30)
            loop = asyncio.get_running_loop()
            for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(name)
            loop.set_exception_handler(None)

        stack.push_async_callback(end)
        await until(lambda: announced(StateDir.of(root)))
        peer = await connect(root, start=False)
        stack.push_async_callback(peer.close)
        return Watched(daemon, peer)

    yield begin
    await stack.aclose()


async def test_a_run_is_seen_from_its_beginning_to_its_end(watched, until):
    at = await watched(
        {"1.1": [turn(write("a.txt"), call("read_file", path="notes.txt")), turn(command("true")), turn(finish())]}
    )
    run = (await at.peer.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: at.board.run(run) is not None and at.board.run(run).checkpoint is not None, 60)
    assert at.states(run) == ["queued", "preparing", "working", "checking", "waiting"]
    shown = [view for view in at.seen if view.id == run]
    tools = {view.tool for view in shown}
    assert {"write_file a.txt", "run_command true"} <= tools
    assert any(view.gate == "check" for view in shown)
    working = [view.percentage for view in shown if view.state == "working"]
    assert working == sorted(working) and working[0] >= 10

    view = at.board.run(run)
    asked = await at.peer.request("devloop/show", {"run": run})
    assert view.checkpoint == asked["checkpoint"] and view.checkpoint["decisions"]
    assert (view.gates, view.turn, view.scripted, view.percentage) == ({"check": "pass"}, 3, True, 100)
    assert (view.cost_usd, view.tokens) == (asked["run"]["cost_usd"], asked["run"]["tokens"])
    assert view.waiting_for == "a decision" and view.turn_limit == 60
    assert replace(view, branch=None, commit=None) == replace(await at.fresh(run), branch=None, commit=None)
    plan = plans.parse(PLAN.encode(), name="plan.md")
    assert [at.board.of_task(task) for task in plan.tasks] == [view, None]
    assert await at.service.working() == []

    await at.peer.request("devloop/decide", {"run": run, "decision": "commit", "message": "", "checkpoint": 1})
    await until(lambda: at.board.run(run).evidence if at.board.run(run).state == "ended" else None, 60)
    await until(lambda: not at.board._tasks)
    ended = at.board.run(run)
    assert (ended.outcome, ended.checkpoint, ended.waiting_for, at.board.open) == ("landed", None, None, ())
    assert ended == await at.fresh(run)


async def test_a_client_reads_files_and_conversation_and_leaves_a_file_out(watched, until):
    at = await watched({"1.1": [turn(write("a.txt"), write("b.txt", "b\n"), text="Both."), turn(finish())]})
    run = (await at.peer.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: at.board.run(run) is not None and at.board.run(run).checkpoint is not None, 60)
    shown = await at.peer.request("devloop/content", {"run": run, "path": "b.txt", "side": "work"})
    assert (shown["text"], shown["binary"], shown["size"]) == ("b\n", False, 2)
    told = await at.peer.request("devloop/conversation", {"run": run})
    assert [(each["number"], each["text"]) for each in told["turns"]] == [(1, "Both."), (2, "")]
    decision = {"run": run, "decision": "commit", "message": None, "checkpoint": 1, "leave_out": ["b.txt"]}
    await at.peer.request("devloop/decide", decision)
    await until(lambda: at.board.run(run).state == "ended", 60)
    assert at.board.run(run).outcome == "landed"
    landed = await at.peer.request("devloop/diff", {"run": run})
    assert "b.txt" not in [each["path"] for each in landed["files"]]
    plan = (at.service.root / ".devloop" / "plan.md").read_text()
    assert "[x] Task 1.1" in plan or "[x] 1.1" in plan


async def test_the_board_survives_the_engine(watched, until):
    at = await watched({"1.1": [turn(write("a.txt")), turn(finish())], "1.2": [turn(command("sleep 5; true"))] * 2})
    waiting = (await at.peer.request("devloop/run", {"task": "1.1"}))["run"]
    await until(lambda: at.board.run(waiting) is not None and at.board.run(waiting).checkpoint is not None, 60)
    working = (await at.peer.request("devloop/run", {"task": "1.2"}))["run"]
    await until(lambda: at.board.run(working).tool.startswith("run_command"), 60)
    before, pid = at.board.run(waiting), at.service.engine.pid

    os.kill(pid, signal.SIGKILL)
    await until(lambda: not at.board.current)
    assert at.board.run(waiting) == before, "what waited still waits while there is no engine"
    assert at.board.run(working) == replace(at.board.run(working), now=Now()), "and nothing works"
    assert set(await at.service.working()) == {working}

    await until(lambda: at.board.current and at.service.engine.pid not in (None, pid), 60)
    after = replace(at.board.run(waiting), branch=before.branch, commit=before.commit)
    assert after == before, "the same once more, read from the records"
    assert at.board.run(waiting) == await at.fresh(waiting)
    await until(lambda: at.board.run(working).tool.startswith("run_command"), 60)
    assert [view.id for view in at.board.open] == [waiting, working]

    for run in (waiting, working):
        await at.peer.request("devloop/cancel", {"run": run})
        await until(lambda run=run: not at.board.run(run).open, 60)
    assert {at.board.run(run).outcome for run in (waiting, working)} == {"cancelled"}
