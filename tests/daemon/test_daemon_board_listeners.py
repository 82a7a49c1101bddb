"""Who listens to the board hears of changes in bundles, and of the last one."""

from __future__ import annotations

import asyncio

from devloop.daemon.listeners import INTERVAL_S
from support.board import BEGUN, board_after, event


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
