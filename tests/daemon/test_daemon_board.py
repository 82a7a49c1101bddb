"""The board: whatever comes when — events, questions, a dying engine — it ends where the records of the engine are."""

from __future__ import annotations

import asyncio
import copy
import itertools
import random
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop import plan as plans
from devloop.daemon.board import Board
from devloop.daemon.run_view import Now
from devloop.errors import NotFound
from support.board import CHECKPOINT, ZERO, event, row
from support.turns import often


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
