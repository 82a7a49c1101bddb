"""Slots and cancelling by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.engine.cancelling import CANCELLED, Cancelling
from devloop.engine.slots import Slots
from devloop.store import Store


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_slots_are_given_in_the_order_of_asking() -> None:
    slots = Slots(1)
    await slots.acquire("a")
    await slots.acquire("a")
    got: list[str] = []

    async def ask(run: str) -> None:
        await slots.acquire(run)
        got.append(run)

    tasks = [asyncio.create_task(ask(run)) for run in "bcd"]
    await turns()
    assert got == [] and not slots.take("e")
    for expected in ("b", "bc", "bcd"):
        slots.release((["a", *got])[-1])
        await turns()
        assert "".join(got) == expected
    await asyncio.gather(*tasks)


async def test_a_cancelled_wait_leaves_its_place_to_the_next() -> None:
    slots = Slots(1)
    await slots.acquire("a")
    waiting = asyncio.create_task(slots.acquire("b"))
    behind = asyncio.create_task(slots.acquire("c"))
    await turns()
    waiting.cancel()
    slots.release("a")  # before the cancelled one has run: its turn must not be lost
    await turns()
    assert behind.done() and slots.holds("c") and not slots.holds("b")
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_asked_first_is_first_whoever_waits_first() -> None:
    slots = Slots(1)
    for run in "abc":
        slots.ask(run)
    assert slots.holds("a") and not slots.holds("b")
    last, second = asyncio.create_task(slots.acquire("c")), asyncio.create_task(slots.acquire("b"))
    await turns()
    slots.release("a")
    await turns()
    assert second.done() and not last.done()
    slots.release("c")  # it ends before it was ever given one
    slots.release("b")
    last.cancel()
    await turns()
    assert slots.take("d")


async def test_a_smaller_limit_waits_and_a_larger_one_starts_more() -> None:
    slots = Slots(2)
    await slots.acquire("a")
    await slots.acquire("b")
    third = asyncio.create_task(slots.acquire("c"))
    await turns()
    slots.resize(1)
    slots.release("a")
    await turns()
    assert not third.done()
    slots.resize(2)
    await turns()
    assert third.done() and slots.holds("b")


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["ask", "release", "cancel", "more", "fewer"]))))
def test_never_more_holders_than_slots_and_nobody_waits_beside_a_free_one(steps: list[tuple[str, str]]) -> None:
    async def play() -> None:
        slots = Slots(2)
        asking: dict[str, asyncio.Task[None]] = {}
        largest = 2
        for run, what in steps:
            if what == "ask" and run not in asking:
                asking[run] = asyncio.create_task(slots.acquire(run))
            elif what == "cancel" and run in asking and not asking[run].done():
                asking.pop(run).cancel()
            elif what == "release" and run in asking and asking[run].done():
                asking.pop(run)
                slots.release(run)
            elif what in ("more", "fewer"):
                slots.resize(max(1, slots.limit + (1 if what == "more" else -1)))
                largest = max(largest, slots.limit)
            await turns()
            holding = [name for name, task in asking.items() if task.done()]
            assert sorted(holding) == sorted(name for name in "abcde" if slots.holds(name))
            assert len(holding) <= largest
            assert len(holding) >= min(slots.limit, len(asking))
        for task in asking.values():
            task.cancel()
        await asyncio.gather(*asking.values(), return_exceptions=True)

    asyncio.run(play())


@pytest.fixture
async def cancelling(tmp_path: Any) -> AsyncIterator[Cancelling]:
    store = Store.open(f"sqlite:///{tmp_path}/records.db", "here")
    row = {"task_id": "1", "task_key": "", "title": "t", "attempt": 1, "agent": "a", "mode": "m", "model": "x"}
    rest = {"scripted": True, "state": "working", "turn": 0, "context_tokens": 0, "cancel": False, "spec": {}}
    store.create_run({"id": "r", **row, **rest})
    yield Cancelling(store)
    store.close()


async def test_work_that_nobody_cancels_gives_its_result_and_its_error(cancelling: Cancelling) -> None:
    async def works() -> dict[str, Any]:
        return {"outcome": "done"}

    async def fails() -> dict[str, Any]:
        raise ValueError("broken")

    assert await cancelling.unless_cancelled("r", works()) == {"outcome": "done"}
    with pytest.raises(ValueError, match="broken"):
        await cancelling.unless_cancelled("r", fails())


async def test_a_wish_stops_the_work_and_waits_until_it_has_tidied_up(cancelling: Cancelling) -> None:
    tidied = asyncio.Event()

    async def works() -> dict[str, Any]:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            tidied.set()
        return {}

    step = asyncio.create_task(cancelling.unless_cancelled("r", works()))
    await turns()
    cancelling.request("r")
    assert await step == CANCELLED and tidied.is_set()


async def test_a_wish_that_is_there_already_lets_nothing_begin(cancelling: Cancelling) -> None:
    begun: list[bool] = []

    async def works() -> dict[str, Any]:
        begun.append(True)
        return {}

    cancelling.request("r")
    cancelling.forget("r")  # as in a process that starts later: only the record is left
    assert await cancelling.unless_cancelled("r", works()) == CANCELLED and begun == []


async def test_work_that_must_finish_may_although_it_is_cancelled(cancelling: Cancelling) -> None:
    async def lands() -> dict[str, Any]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return {"outcome": "landed"}
        return {}

    step = asyncio.create_task(cancelling.unless_cancelled("r", lands()))
    await turns()
    cancelling.request("r")
    assert await step == {"outcome": "landed"}


async def test_the_wish_for_one_run_does_not_touch_another(cancelling: Cancelling) -> None:
    async def works() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"outcome": "done"}

    step = asyncio.create_task(cancelling.unless_cancelled("r", works()))
    await turns()
    cancelling.request("another")
    assert await step == {"outcome": "done"}
