"""Following a run, and the ones that its loop begins after it, until there is something for a person to do."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.cli import ask_person
from devloop.cli.progress import View
from devloop.cli.session import options
from devloop.daemon import DaemonPeer, connect
from devloop.errors import DevloopError, Unavailable

Row = dict[str, Any]

NEXT_RUN_S = 30.0
"""How long the loop's next run, or the word that there is none, is waited for after an accepted one."""
RECONNECTS = 5

WORKS_ON = ("answer", "revise", "recheck")
"""Decisions after which the work goes on: what ends it comes later, by a person or by the loop itself."""
CODES = {"accepted": 0, "landed": 0, "exhausted": 5, "stalled": 5}
WAITING, FAILED = 3, 1


def exit_code(run: Row) -> int:
    """0 accepted or landed, 3 waiting for a person, 5 exhausted or stalled, 1 for every other end."""
    if run["state"] != "ended":
        return WAITING
    return CODES.get(str(run.get("outcome")), FAILED)


@dataclass
class Followed:
    """The runs that were seen, in order, as they stood when following ended. `checkpoint` is what the last one waits
    with, if it waits."""

    runs: list[Row] = field(default_factory=list)
    checkpoint: Row | None = None
    waiting: list[tuple[Row, Row]] = field(default_factory=list)
    """Tasks of a group that wait, each with its checkpoint."""

    @property
    def last(self) -> Row:
        return self.runs[-1]


class Follower:
    """A connection that hears everything. `person` asks for decisions; without one, a checkpoint ends the following."""

    def __init__(self, root: Path, view: View, person: ask_person.Person | None) -> None:
        self._root, self._view, self._person = root, view, person
        self._events: asyncio.Queue[Row] = asyncio.Queue()
        self._peer: DaemonPeer | None = None
        self._last = 0
        self._decision = self._own = ""
        """What was decided last, and what the loop decides by itself."""
        self._answered: set[tuple[str, int]] = set()
        self._loops_over: set[str] = set()
        self._beside: dict[str, str] = {}
        """Runs that are followed at the same time, with their tasks."""

    async def __aenter__(self) -> Follower:
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._view.close()
        if self._peer is not None:
            await self._peer.close()

    async def request(self, method: str, params: Row | None = None) -> Row:
        assert self._peer is not None
        if self._peer.closed.is_set():
            await self._reconnect()
        answer: Row = await self._peer.request(method, params)
        return answer

    async def decide(self, params: Row) -> None:
        """Answer a checkpoint and remember that it needs no further answer."""
        answer = await self.request("devloop/decide", params)
        for each in answer.get("runs") or [answer]:
            self._answered.add((str(each["run"]), int(each["checkpoint"])))

    async def follow(self, run: str, limit: int | None, decide: str | None, beside: Sequence[str] = ()) -> Followed:
        """From `run` on, and those that began `beside` it, `limit` tasks at most. `decide` is what the loop decides by
        itself."""
        followed = Followed()
        current = list(dict.fromkeys([run, *beside]))
        done = 0
        while current:
            self._decision = self._own = decide or ""
            if len(current) > 1:
                goes_on = await self._several(current, followed)
            else:
                row, followed.checkpoint = await self._one(current[0])
                followed.runs.append(row)
                goes_on = row.get("outcome") in ("accepted", "landed") and self._decision in ("continue", "commit")
            last = followed.last
            done += sum(not (each.get("chain") or {}).get("next") for each in followed.runs[-len(current) :])
            goes_on = goes_on and not last.get("errand") and (limit is None or done < limit)
            current = await self._next_of(last, followed) if goes_on else []
        return followed

    async def _several(self, runs: list[str], followed: Followed) -> bool:
        """Tasks that are done at the same time: lines of all of them, one question. Whether the loop goes on."""
        shown: dict[str, Row] = {run: await self.request("devloop/show", {"run": run}) for run in runs}
        self._beside = {run: str(each["run"]["task"]) for run, each in shown.items()}
        for each in shown.values():
            self._view.beside(each["run"])
        while True:
            self._catch_up("")
            rows = [each["run"] for each in shown.values()]
            waiting = [(each["run"], each["checkpoint"]) for each in shown.values() if self._asks(each)]
            ended = sum(row["state"] == "ended" for row in rows)
            if ended == len(rows):
                went = [row.get("outcome") in ("accepted", "landed") for row in rows]
                followed.runs += sorted(rows, key=lambda row: row.get("outcome") not in ("accepted", "landed"))
                self._beside = {}
                return all(went) and self._decision in ("continue", "commit")
            if waiting and ended + len(waiting) == len(rows):
                if self._person is None or not await self._decide_together(waiting):
                    followed.runs += sorted(rows, key=lambda row: row["state"] != "ended")
                    followed.checkpoint, followed.waiting = waiting[0][1], waiting
                    return False
                self._answered |= {(str(row["id"]), int(checkpoint["number"])) for row, checkpoint in waiting}
            await self._until_news("")
            for run in list(shown):
                shown[run] = await self.request("devloop/show", {"run": run})

    def _asks(self, shown: Row) -> bool:
        row, checkpoint = shown["run"], shown.get("checkpoint")
        if row["state"] != "waiting" or not checkpoint:
            return False
        return (str(row["id"]), int(checkpoint["number"])) not in self._answered

    async def _decide_together(self, waiting: list[tuple[Row, Row]]) -> bool:
        """As `_decide`, for several."""
        assert self._person is not None
        self._view.pause()
        asking = asyncio.create_task(self._person.decide_together(waiting, self.request))
        closed = self._all_closed({str(row["id"]) for row, _ in waiting})
        return await self._first(asking, asyncio.create_task(closed))

    async def _all_closed(self, runs: set[str]) -> None:
        seen: list[Row] = []
        open_ones = set(runs)
        try:
            while open_ones:
                event = await self._events.get()
                seen.append(event)
                if event.get("kind") in ("checkpoint.closed", "run.ended"):
                    open_ones.discard(str(event.get("run")))
        finally:
            self._put_back(seen)

    async def _one(self, run: str) -> tuple[Row, Row | None]:
        shown = await self.request("devloop/show", {"run": run})
        self._view.began(shown["run"])
        while True:
            row, checkpoint = shown["run"], shown.get("checkpoint")
            if row["state"] == "ended":
                self._catch_up(run)
                return row, None
            key = (run, int(checkpoint["number"])) if checkpoint else None
            if row["state"] == "waiting" and checkpoint and key and key not in self._answered:
                self._catch_up(run)
                if self._person is None or not await self._decide(row, checkpoint):
                    return row, checkpoint
                self._answered.add(key)  # the engine is about to act on the answer
            await self._until_news(run)
            shown = await self.request("devloop/show", {"run": run})
            self._view.refreshed(shown["run"])

    async def _until_news(self, run: str) -> None:
        """Show events until one of them changes what the run is."""
        while True:
            event = await self._event()
            if event is None:  # connected anew: look for ourselves
                return
            if self._take(run, event) in ("checkpoint.opened", "run.ended", "turn.ended"):
                return

    def _take(self, run: str, event: Row) -> str:
        """Show an event of `run`; its kind, or "" for one of another run."""
        whose = str(event.get("run"))
        if whose != run and whose not in self._beside:
            return ""
        kind, data = str(event["kind"]), event.get("data") or {}
        self._view.event(kind, data, self._beside.get(whose, ""))
        if kind == "checkpoint.closed":
            decision = str(data.get("decision"))
            self._decision = self._own if decision in WORKS_ON else decision
        if kind == "loop.ended":
            self._loops_over.add(str(data.get("loop")))
        return kind

    def _catch_up(self, run: str) -> None:
        """What was told before the answer that we have just read: events and answers keep their order."""
        while not self._events.empty():
            self._take(run, self._events.get_nowait())

    async def _decide(self, run: Row, checkpoint: Row) -> bool:
        """Ask the person, unless somebody else answers first. False when the terminal is closed: nobody is there."""
        assert self._person is not None
        self._view.pause()
        working, options.on_interrupt = (
            options.on_interrupt,
            f"{run['id']} waits for your decision. `{options.called} decide {run['id']}` asks you again.",
        )
        asking = asyncio.create_task(self._person.decide(run, checkpoint, self.request))
        closing = asyncio.create_task(self._closed(run["id"], checkpoint))
        answered = await self._first(asking, closing)
        options.on_interrupt = working
        return answered

    async def _first(self, asking: asyncio.Task[None], closing: asyncio.Task[None]) -> bool:
        """Until the person, or somebody else, has answered. False when the terminal is closed."""
        assert self._person is not None
        try:
            await asyncio.wait({asking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                self._person.overtaken()
            elif isinstance(problem := asking.exception(), EOFError):
                return False
            elif problem is not None:
                raise problem
            return True
        finally:
            for task in (asking, closing):
                task.cancel()
            await asyncio.wait({asking, closing})

    async def _closed(self, run: str, checkpoint: Row) -> None:
        """Until this checkpoint is answered, by whomever. Its event stays in the queue for the view."""
        seen: list[Row] = []
        try:
            while True:
                event = await self._events.get()
                seen.append(event)
                over = event.get("kind") in ("checkpoint.closed", "run.ended") and event.get("run") == run
                if over and (event.get("data") or {}).get("number", checkpoint.get("number")) == checkpoint.get(
                    "number"
                ):
                    return
        finally:
            self._put_back(seen)

    def _put_back(self, seen: list[Row]) -> None:
        """For the view: events that were read ahead, in their place."""
        rest = [self._events.get_nowait() for _ in range(self._events.qsize())]
        for event in (*seen, *rest):
            self._events.put_nowait(event)

    async def _next_of(self, row: Row, followed: Followed) -> list[str]:
        """The runs that the loop began after `row`, several where they are of one group; none when it has ended."""
        seen = {each["id"] for each in followed.runs}
        deadline = asyncio.get_running_loop().time() + NEXT_RUN_S
        while asyncio.get_running_loop().time() < deadline and str(row.get("loop")) not in self._loops_over:
            listed = (await self.request("devloop/runs", {"limit": 50}))["runs"]
            newer = itertools.takewhile(lambda each: each["id"] != row["id"], listed)  # the newest stands first
            fresh = [each for each in newer if each.get("loop") == row.get("loop") and each["id"] not in seen]
            if fresh:
                return [str(each["id"]) for each in sorted(fresh, key=lambda each: int(each.get("loop_done") or 0))]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    event = await self._event()
                    if event is not None:
                        self._take(row["id"], event)
        return []

    async def _event(self) -> Row | None:
        """The next event; None after the connection was lost and made again."""
        assert self._peer is not None
        waiting = asyncio.create_task(self._events.get())
        lost = asyncio.create_task(self._peer.closed.wait())
        try:
            await asyncio.wait({waiting, lost}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            lost.cancel()
            if not waiting.done():
                waiting.cancel()
        await self._reconnect()
        return None

    async def _connect(self, after: int | None = None) -> None:
        self._peer = await connect(self._root, handlers={"devloop/event": self._heard})
        answer = await self._peer.request("devloop/subscribe", {"after": after})
        self._last = max(self._last, int(answer["last"]) if after is None else after)

    async def _reconnect(self) -> None:
        """The daemon is gone, its runs are not: whoever connects starts another one, which goes on with them."""
        for attempt in range(RECONNECTS):
            try:
                await self._connect(self._last)
                self._view.event("notice", {"text": "The daemon had ended; a new one goes on with the run."})
                return
            except Unavailable:
                if attempt == RECONNECTS - 1:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)

    async def _heard(self, event: Row) -> None:
        number = event.get("seq")
        if isinstance(number, int):
            self._last = max(self._last, number)
        self._events.put_nowait(event)


__all__ = ["DevloopError", "Followed", "Follower", "exit_code"]
