"""What the board says of runs: in words, in the status, as JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devloop.daemon.run_view import LINE, Now, RunView
from devloop.errors import NotFound
from support.board import BEGUN, CHECKPOINT, ZERO, board_after, event, row


async def test_a_run_says_what_it_does_in_the_words_of_the_terminal():
    board = await board_after(*BEGUN)
    said = [board.run("run-1-1").doing]
    for each in (
        event("run.state", state="working", waiting_for=None, turn=3),
        event("turn.started", turn=3),
        event("turn.progress", turn=3, doing="tool_input", tokens=1150, tool="edit_file"),
        event("tool.started", turn=3, id="a", tool="edit_file", argument="src/a.py"),
    ):
        board.take(each)
        said.append(board.run("run-1-1").doing)
    assert said == ["preparing", "working", "asking the model", "calling edit_file", "edit_file src/a.py"]
    view = board.run("run-1-1")
    assert view.line == "turn 3 · edit_file src/a.py · 1.1k tokens · $0.00"
    assert (view.tool, view.started) == ("edit_file src/a.py", 5.0)


async def test_of_tools_side_by_side_the_newest_that_still_runs_is_named():
    begun = [event("tool.started", turn=1, id=name, tool="read_file", argument=f"{name}.py") for name in "abc"]
    board = await board_after(*BEGUN, event("run.state", state="working", waiting_for=None, turn=1), *begun)
    seen = [board.run("run-1-1").tool]
    for name in "cab":
        board.take(event("tool.ended", turn=1, id=name, summary="read", is_error=False))
        seen.append(board.run("run-1-1").tool)
    assert seen == ["read_file c.py", "read_file b.py", "read_file b.py", ""]


async def test_a_wait_says_for_what_and_until_when():
    board = await board_after(
        *BEGUN,
        event("run.state", state="working", waiting_for="the model, again at 10:00:00: it is busy"),
        event("model.waiting", until=4321.5, reason="it is busy"),
    )
    view = board.run("run-1-1")
    assert (view.waiting_for, view.waiting_until) == ("the model, again at 10:00:00: it is busy", 4321.5)
    assert "the model, again at 10:00:00" in view.line
    board.take(event("run.state", state="working", waiting_for="a free slot (4 at work)"))
    assert (board.run("run-1-1").waiting_for, board.run("run-1-1").waiting_until) == ("a free slot (4 at work)", None)
    board.take(event("notice", text="The disk is full.", waiting_for="room on the disk"))
    assert board.run("run-1-1").waiting_for == "room on the disk"
    board.take(event("run.state", state="working", waiting_for=None, turn=2))
    assert board.run("run-1-1").waiting_for is None


async def test_verdicts_are_those_of_the_commit_that_is_being_checked():
    def gate(name, commit, verdict):
        yield event("gate.started", gate=name, commit=commit, of=2)
        yield event("gate.ended", gate=name, verdict=verdict, reason="", required=True)

    checking = event("run.state", state="checking", waiting_for=None)
    board = await board_after(*BEGUN, checking, *gate("build", "c1", "pass"), *gate("tests", "c1", "fail"))
    assert board.run("run-1-1").gates == {"build": "pass", "tests": "fail"}
    board.take(event("gate.started", gate="build", commit="c2", of=2))
    view = board.run("run-1-1")
    assert (view.gates, view.gate, view.doing) == ({}, "build", "gate build")


async def test_how_far_a_run_is_goes_by_its_state_its_turns_and_its_gates():
    board = await board_after(event("run.queued", **row(turn_limit=10)))

    def far(*events):
        for each in events:
            board.take(each)
        return board.run("run-1-1").percentage

    def state(name, **values):
        return event("run.state", state=name, waiting_for=None, **values)

    assert far() == 0
    assert far(state("preparing")) == 5
    assert [far(state("working", turn=turn)) for turn in (1, 6, 11, 50)] == [10, 40, 70, 70]
    assert far(state("checking")) == 70
    assert far(event("gate.started", gate="a", commit="c", of=2)) == 70
    assert far(event("gate.ended", gate="a", verdict="pass")) == 82
    assert far(event("gate.started", gate="b", commit="c", of=2)) == 82
    assert far(event("gate.ended", gate="b", verdict="pass")) == 95
    assert far(state("waiting", checkpoint=1)) == 100
    assert far(state("landing", checkpoint=None)) == 97
    assert far(state("ended", outcome="landed", reason="", ended=9.0)) == 100


async def test_foreign_text_stays_one_short_line():
    long = "x\x1b[31m\n\u202e" * 300
    board = await board_after(
        *BEGUN, event("run.state", state="working", waiting_for=long), event("tool.started", tool=long, argument=long)
    )
    for view in (board.run("run-1-1"), replace(board.run("run-1-1"), now=Now())):
        assert len(view.line) <= LINE and view.line.isprintable()
        assert view.line.endswith("0 tokens · $0.00"), "the figures are not what is cut off"


async def test_events_that_make_no_sense_disturb_nothing(caplog):
    board = await board_after(*BEGUN)
    before = board.run("run-1-1")
    for odd in (
        {},
        {"run": 7, "kind": "run.state", "data": {}},
        {"run": "run-1-1", "kind": "run.state", "data": None},
        {"run": "run-1-1", "kind": ["run.state"], "data": {}},
        {"run": "run-1-1", "kind": "from.the.future", "data": {"state": "?"}},
        {"run": ["run-1-1"], "kind": "turn.progress", "data": {}},
        event("turn.ended", turn="many", tokens="lots", cost_usd=[]),
    ):
        board.take(odd)
    after = board.run("run-1-1")
    assert (after.state, after.turn, after.tokens) == (before.state, before.turn, ZERO)
    assert len(board.open) == 1
    await board.close()


async def test_a_run_that_was_never_heard_of_is_asked_for(until):
    async def ask(method, params):
        assert (method, params) == ("engine/show", {"run": "run-1-1"})
        shown = row(state="working", turn=4, cost_usd=0.5)
        return {"run": shown, "turns": [], "gates": [], "checkpoint": None, "notices": []}

    board = await board_after(event("tool.started", turn=4, id="a", tool="search", argument="x"), ask=ask)
    await until(lambda: board.run("run-1-1").known)
    view = board.run("run-1-1")
    assert (view.title, view.turn, view.cost_usd, view.tool) == ("Do it", 4, 0.5, "search x")
    await board.close()


async def test_without_an_engine_the_last_picture_stays_but_nothing_goes_on():
    board = await board_after(*BEGUN, event("run.state", state="working", waiting_for=None, turn=2))
    board.take(event("tool.started", turn=2, id="a", tool="search", argument="x"))
    board.engine_down()
    assert not board.current
    assert (board.run("run-1-1").state, board.run("run-1-1").tool) == ("working", "")
    await board.load()
    assert not board.current and len(board.open) == 1


async def test_a_run_without_a_record_is_dropped_when_the_records_are_read():
    async def ask(method, params):
        if method == "engine/show":
            raise NotFound("There is no such run.")
        return {"runs": []}

    board = await board_after(*BEGUN, ask=ask)
    await board.load()
    assert board.current and board.run("run-1-1") is None and board.open == ()


async def test_the_status_names_what_waits_and_the_loop():
    board = await board_after(*BEGUN)
    assert board.status()["loop"] == {"id": "loop-1", "run": "run-1-1", "state": "open"}
    board.take(event("run.state", state="waiting", waiting_for="a decision", checkpoint=1))
    board.take(event("checkpoint.opened", **CHECKPOINT, cost_usd=0.25, tokens={**ZERO, "input": 5}))
    found = board.status()
    assert found["waiting"] == [{"run": "run-1-1", "task": "1", "kind": "decision"}] and found["working"] == 0
    assert found["runs"][0]["line"] == "waits for a decision · 5 tokens · $0.25"
    board.take(event("run.ended", outcome="accepted", reason=""))
    board.take(event("loop.ended", loop="loop-1", state="limit", done=1))
    ended = {"id": "loop-1", "run": "run-1-1", "state": "limit"}
    assert board.status() == {"runs": [], "working": 0, "waiting": [], "loop": ended}
    await board.close()


@pytest.mark.parametrize("state", ["queued", "preparing", "working", "checking", "landing", "waiting", "ended"])
def test_a_view_is_plain_json_in_every_state(state):
    import json

    view = RunView("r", state=state, checkpoint=dict(CHECKPOINT) if state == "waiting" else None)
    again = json.loads(json.dumps(view.to_json()))
    assert again == view.to_json() and again["line"] and 0 <= again["percentage"] <= 100
