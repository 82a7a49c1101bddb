"""The board: whatever comes when — events, questions, a dying engine — it ends where the records of the engine are."""

from __future__ import annotations

import asyncio
import copy
import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.daemon.board import Board
from devloop.daemon.listeners import INTERVAL_S
from devloop.daemon.run_view import LINE, Now, RunView
from devloop.errors import NotFound, Unavailable
from support.turns import often

ZERO = {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0}
CHECKPOINT = {
    "number": 1,
    "kind": "decision",
    "summary": "Did it.",
    "decisions": ["continue", "discard"],
    "question": None,
    "problem": None,
    "notices": ["a note"],
    "turns": 1,
}


def row(run="run-1-1", **values):
    plain = {
        "id": run,
        "task": "1",
        "key": plans.title_key("Do it"),
        "title": "Do it",
        "agent": "engineer",
        "mode": None,
        "model": "m",
        "scripted": False,
        "state": "queued",
        "outcome": None,
        "reason": None,
        "turn": 0,
        "turn_limit": 60,
        "waiting_for": None,
        "cost_usd": 0.0,
        "tokens": dict(ZERO),
        "attempt": 1,
        "loop": "loop-1",
        "started": None,
        "ended": None,
        "branch": None,
        "commit": None,
        "checkpoint": None,
    }
    return {**plain, **values}


def event(kind, run="run-1-1", /, **data):
    return {"seq": None, "at": 1000.0, "run": run, "kind": kind, "data": data}


class Channel:
    """An engine with its records, on a channel that keeps the order of events and answers, as the real one does."""

    def __init__(self):
        self.rows, self.gates, self.contents, self.events = {}, {}, {}, []
        self.questions, self.on_the_way, self.clock = [], [], itertools.count(1)
        self.board = Board(self.ask)

    def tell(self, kind, run, /, **data):
        told = {"seq": next(self.clock), "at": 1000.0, "run": run, "kind": kind, "data": copy.deepcopy(data)}
        self.events.append(told)
        self.on_the_way.append(lambda: self.board.take(told))

    async def ask(self, method, params):
        answer = asyncio.get_running_loop().create_future()
        self.questions.append((method, params, answer))
        return await answer

    def serve(self):
        """Answer the oldest question from the records as they are now."""
        if not self.questions:
            return
        method, params, answer = self.questions.pop(0)
        found = copy.deepcopy(self.answer(method, params))
        self.on_the_way.append(lambda: answer.done() or answer.set_result(found))

    def answer(self, method, params):
        if method == "engine/runs":
            rows = [each for each in self.rows.values() if each["state"] != "ended" or not params.get("open")]
            return {"runs": rows[::-1][: params["limit"]]}
        run = params["run"]
        if run not in self.rows:
            raise NotFound("There is no such run.")
        found = {"run": self.rows[run], "turns": [], "gates": self.gates.get(run, []), "notices": []}
        number = self.rows[run]["checkpoint"]
        return {**found, "checkpoint": self.contents[run] if number else None}

    def deliver(self):
        if self.on_the_way:
            self.on_the_way.pop(0)()

    def state(self, run, state, *, waiting_for=None, **values):
        self.rows[run] |= {"state": state, "waiting_for": waiting_for, **values}
        self.tell("run.state", run, state=state, waiting_for=waiting_for, **values)

    def life(self, run, task, shape):
        """The steps of one run, each a change of the records and the event that tells of it."""

        def queue():
            self.rows[run] = row(run, task=task, title=f"Task {task}", key=plans.title_key(f"Task {task}"))
            self.tell("run.queued", run, **self.rows[run])

        yield queue
        yield lambda: self.state(run, "preparing", started=900.5)
        for turn in range(1, shape["turns"] + 1):
            yield from self.turn(run, turn)
        for commit in range(shape["rounds"]):
            yield lambda: self.state(run, "checking")
            for gate in ("build", "tests")[: shape["gates"]]:
                yield from self.gate(run, f"commit-{commit}", gate, shape["verdict"])
        if shape["end"] == "working":
            yield lambda: self.state(run, "working", turn=shape["turns"] + 1)
            return
        spent = {name: self.rows[run][name] for name in ("cost_usd", "tokens")}
        self.contents[run] = {**CHECKPOINT, **spent}
        yield lambda: self.state(run, "waiting", waiting_for="a decision", checkpoint=1)
        yield lambda: self.tell("checkpoint.opened", run, **self.contents[run])
        if shape["end"] == "waiting":
            return
        yield lambda: self.state(run, "working", checkpoint=None)
        yield lambda: self.tell("checkpoint.closed", run, number=1, decision="continue", message="")
        yield lambda: self.state(run, "landing")
        end = {"outcome": shape["end"], "reason": "because", "ended": 999.5}
        yield lambda: self.state(run, "ended", checkpoint=None, **end)
        yield lambda: self.tell("run.ended", run, outcome=shape["end"], reason="because")

    def turn(self, run, number):
        yield lambda: self.state(run, "working", turn=number)
        yield lambda: self.tell("turn.started", run, turn=number)
        yield lambda: self.tell("turn.progress", run, turn=number, doing="text", tokens=7, tool=None)
        spent = {"cost_usd": number / 100, "tokens": {**ZERO, "output": 10 * number}}
        yield lambda: self.rows[run].update(copy.deepcopy(spent))
        yield lambda: self.tell("tool.started", run, turn=number, id="a", tool="edit_file", argument="a.py")
        yield lambda: self.tell("tool.ended", run, turn=number, id="a", summary="edited", is_error=False)
        yield lambda: self.tell("turn.ended", run, turn=number, outcome="go_on", **spent)

    def gate(self, run, commit, gate, verdict):
        yield lambda: self.tell("gate.started", run, gate=gate, commit=commit, of=2)

        def ended():
            self.gates.setdefault(run, []).append({"gate": gate, "verdict": verdict, "commit": commit})
            self.tell("gate.ended", run, gate=gate, verdict=verdict, reason="", required=True)

        yield ended

    async def settle(self):
        """Until nothing is on the way or asked any more."""
        idle = 0
        while idle < 50:
            busy = bool(self.questions or self.on_the_way)
            while self.questions:
                self.serve()
            while self.on_the_way:
                self.deliver()
            await asyncio.sleep(0)
            idle = 0 if busy else idle + 1


def recorded(view):
    """What of a view the engine has recorded: all but what goes on at this moment."""
    return replace(view, now=Now())


shapes = st.fixed_dictionaries(
    {
        "turns": st.integers(1, 3),
        "rounds": st.integers(0, 2),
        "gates": st.integers(1, 2),
        "verdict": st.sampled_from(["pass", "fail"]),
        "end": st.sampled_from(["working", "waiting", "accepted", "discarded"]),
    }
)
SHORT = {"turns": 1, "rounds": 0, "gates": 1, "verdict": "pass", "end": "working"}
MOVES = ("step", "step", "step", "serve", "serve", "deliver", "burst", "tick", "tick", "load")


@settings(max_examples=often(300), deadline=None)
@given(st.lists(shapes, min_size=1, max_size=3), st.integers(0, 2**32))
@example([SHORT] * 3, 5)  # runs that are made between two answers of one load
def test_whatever_comes_when_the_board_ends_where_the_records_do(lives, seed):
    async def play():
        chance, channel = random.Random(seed), Channel()
        steps = [channel.life(f"run-{n}-1", str(n), shape) for n, shape in enumerate(lives)]
        loads = []

        def step():
            while steps:
                life = chance.choice(steps)
                done = next(life, None)
                if done is not None:
                    done()
                    return
                steps.remove(life)

        async def make(move):
            match move:
                case "step":
                    step()
                case "serve":
                    channel.serve()
                case "deliver":
                    channel.deliver()
                case "burst":
                    for _ in range(chance.randint(2, 6)):
                        channel.deliver()
                case "tick":
                    await asyncio.sleep(0)
                case "load" if len(loads) < 2 and chance.random() < 0.3:  # the last one mends what went wrong before
                    channel.board.engine_down()
                    loads.append(asyncio.create_task(channel.board.load()))

        while steps:
            await make(chance.choice(MOVES))
        await channel.settle()
        assert all(load.done() for load in loads)
        await asyncio.gather(*loads)

        fresh = Channel()
        fresh.rows, fresh.gates, fresh.contents = channel.rows, channel.gates, channel.contents
        loading = asyncio.create_task(fresh.board.load())
        await fresh.settle()
        await loading
        for run in channel.rows:
            for one in (channel, fresh):
                asking = asyncio.create_task(one.board.details(run))
                await one.settle()
                await asking
            seen, wanted = channel.board.run(run), fresh.board.run(run)
            assert recorded(seen) == recorded(wanted)
            kept = channel.rows[run]
            assert (seen.state, seen.turn, seen.outcome) == (kept["state"], kept["turn"], kept["outcome"])
            assert seen.checkpoint == (channel.contents[run] if kept["state"] == "waiting" else None)
            assert (seen.cost_usd, seen.tokens) == (kept["cost_usd"], kept["tokens"])
            newest = channel.gates.get(run, [{"commit": ""}])[-1]["commit"]
            assert seen.gates == {
                each["gate"]: each["verdict"] for each in channel.gates.get(run, []) if each["commit"] == newest
            }
        assert {view.id for view in channel.board.open} == {
            run for run, kept in channel.rows.items() if kept["state"] != "ended"
        }
        if loads:
            assert [view.id for view in fresh.board.open] == [view.id for view in channel.board.open]

    asyncio.run(play())


async def test_an_answer_is_no_older_than_the_events_that_overtook_it():
    channel = Channel()
    channel.rows["r"] = row("r", state="working", turn=1)
    channel.board.take(event("notice", "r", text="the first that is heard of it"))
    await asyncio.sleep(0)
    channel.serve()
    channel.state("r", "checking")
    channel.deliver()
    channel.deliver()  # whoever waits for the answer has not come to it yet
    for _ in range(5):
        await asyncio.sleep(0)
    assert (channel.board.run("r").state, channel.board.run("r").turn) == ("checking", 1)
    await channel.settle()


async def test_runs_stand_in_the_order_they_were_made_also_those_made_while_they_are_read():
    channel = Channel()
    for name in "abc":
        channel.rows[name] = row(name, state="waiting" if name == "a" else "working")
    loading = asyncio.create_task(channel.board.load())
    await asyncio.sleep(0)
    channel.serve()
    channel.deliver()
    await asyncio.sleep(0)
    channel.serve()
    channel.deliver()
    channel.rows["d"] = row("d")
    channel.tell("run.queued", "d", **channel.rows["d"])
    await channel.settle()
    await loading
    assert [view.id for view in channel.board.open] == list("abcd")


async def nobody(method, params):
    raise Unavailable("There is no engine.")


async def board_after(*events, ask=nobody):
    board = Board(ask)
    for each in events:
        board.take(each)
    return board


BEGUN = (event("run.queued", **row()), event("run.state", state="preparing", waiting_for=None, started=5.0))


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


# Tasks and their runs


PLAN = """# Plan: P

## Phase 1: One

- [ ] Task 1.1: Alpha
- [ ] Task 1.2: Beta
- [ ] Gamma

## Phase 2: Two

- [ ] Task 2.1: Alpha
"""


def told(run, task, title):
    return event("run.queued", run, **row(run, task=task, title=title, key=plans.title_key(title)))


async def lines(text, *runs):
    plan = plans.parse(text.encode(), name="plan.md")
    board = await board_after(*(told(*each) for each in runs))
    found = {plan.graph.by_line[line]: view.id for line, view in board.of_plan(plan).items()}
    alone = {at: view.id for at, task in enumerate(plan.tasks) if (view := board.of_task(task)) is not None}
    return {plan.tasks[at].id: run for at, run in found.items()}, {plan.tasks[at].id: run for at, run in alone.items()}


async def test_a_task_has_its_newest_run_and_not_that_of_its_namesake():
    found, alone = await lines(PLAN, ("r1", "1.1", "Alpha"), ("r2", "1.1", "Alpha"), ("r3", "1.2", "Beta"))
    assert found == alone == {"1.1": "r2", "1.2": "r3"}


async def test_a_counted_task_keeps_its_run_when_a_line_is_inserted_above_it():
    (gamma,) = [task.id for task in plans.parse(PLAN.encode()).tasks if not task.explicit]
    longer = PLAN.replace("- [ ] Gamma", "- [ ] New\n- [ ] Gamma")
    new, moved = [task.id for task in plans.parse(longer.encode()).tasks if not task.explicit]
    assert gamma == new
    found, alone = await lines(longer, ("r1", gamma, "Gamma"))
    assert found == alone == {moved: "r1"}


async def test_a_task_with_a_written_id_keeps_its_run_when_it_is_reworded():
    found, alone = await lines(PLAN.replace("Beta", "Better"), ("r1", "1.2", "Beta"))
    assert found == alone == {"1.2": "r1"}


async def test_a_renumbered_task_keeps_its_run_where_its_title_is_the_only_one():
    found, _ = await lines(PLAN.replace("Task 1.2", "Task 1.9"), ("r1", "1.2", "Beta"), ("r2", "1.8", "Alpha"))
    assert found == {"1.9": "r1"}


async def test_the_tasks_of_a_plan_get_new_runs_as_they_come():
    plan = plans.parse(PLAN.encode(), name="plan.md")
    board = await board_after(told("r1", "1.1", "Alpha"))
    (line,) = board.of_plan(plan)
    board.take(event("run.state", "r1", state="working", waiting_for=None, turn=1))
    assert board.of_plan(plan)[line].state == "working"
    board.take(told("r2", "1.1", "Alpha"))
    assert board.of_plan(plan)[line].id == "r2"


# Listeners


async def test_listeners_hear_in_bundles_and_of_the_last_change():
    board = await board_after(*BEGUN)
    loop, heard = asyncio.get_running_loop(), []

    def broken(changed):
        raise RuntimeError("a listener's own fault")

    ends = [board.listen(broken), board.listen(lambda changed: heard.append((loop.time(), changed, tokens())))]

    def tokens():
        return board.run("run-1-1").now.streamed

    begun = loop.time()
    for number in range(1, 301):
        board.take(event("turn.progress", turn=1, doing="text", tokens=number))
        assert not heard or heard[-1][2] != number, "nobody is told while an event is taken"
        await asyncio.sleep(0.001)
    while not heard or heard[-1][2] != 300:
        assert loop.time() < begun + 10, "the last change was not told"
        await asyncio.sleep(0.01)
    times = [at for at, _, _ in heard]
    # Each telling begins an interval after the one before, at least; when it is heard depends on the machine.
    assert len(times) <= (times[-1] - begun) / INTERVAL_S + 1
    assert {changed for _, changed, _ in heard} == {frozenset({"run-1-1"})}
    for end in (*ends, *ends):
        end()
    told_before = len(heard)
    board.take(event("turn.progress", turn=1, doing="text", tokens=999))
    await asyncio.sleep(INTERVAL_S * 1.5)
    assert len(heard) == told_before


async def test_what_changes_nothing_is_no_news_and_one_may_leave_while_being_told():
    board = await board_after(*BEGUN)
    heard, gone = [], asyncio.Event()

    def first(changed):
        leave()
        gone.set()

    board.listen(first)
    leave = board.listen(heard.append)
    board.take(BEGUN[1])
    await asyncio.sleep(0)
    await asyncio.sleep(INTERVAL_S * 1.5)
    assert not gone.is_set(), "the same once more is no change"
    board.take(event("run.state", state="working", waiting_for=None, turn=1))
    await asyncio.wait_for(gone.wait(), 5)
    assert heard == []
    await board.close()


@pytest.mark.parametrize("state", ["queued", "preparing", "working", "checking", "landing", "waiting", "ended"])
def test_a_view_is_plain_json_in_every_state(state):
    import json

    view = RunView("r", state=state, checkpoint=dict(CHECKPOINT) if state == "waiting" else None)
    again = json.loads(json.dumps(view.to_json()))
    assert again == view.to_json() and again["line"] and 0 <= again["percentage"] <= 100
