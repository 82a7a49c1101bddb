"""The daemon's live picture of runs: kept up by events, so that nobody has to ask the engine at each keystroke."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import ReferenceType, ref

from devloop import plan as plans
from devloop.daemon.listeners import Listener, Listeners
from devloop.daemon.run_fold import folded
from devloop.daemon.run_view import Now, RunView, of_row, with_details
from devloop.daemon.task_runs import by_line, newest_of
from devloop.errors import DevloopError, NotFound

log = logging.getLogger(__name__)

Event = Mapping[str, Any]
Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

RECENT = 500
"""So many of the newest runs are read when the engine comes up, besides all that have not ended."""
MAX_OPEN = 1000
MAX_KEPT = 2000
"""Ended runs beyond so many are forgotten, oldest first."""


class Board:
    """`ask("engine/runs", params)` asks the engine; where nothing was ever recorded it answers without one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._views: dict[str, RunView] = {}
        """In the order in which the runs were made."""
        self._current = False
        self._loop_over: Event | None = None
        self._heard: list[list[Event]] = []
        """Per question under way: the events that came since it was asked."""
        self._loading = asyncio.Lock()
        self._again = False
        self._wanted: set[str] = set()
        """Runs to be asked for because their events did not say all."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = Listeners()
        self._by_plan: tuple[ReferenceType[plans.Plan], tuple[str, ...], dict[int, str]] | None = None

    # Looking

    @property
    def current(self) -> bool:
        """Everything recorded was read since the engine came up."""
        return self._current

    @property
    def open(self) -> tuple[RunView, ...]:
        """Runs that have not ended, oldest first."""
        return tuple(view for view in self._views.values() if view.open)

    def run(self, run: str) -> RunView | None:
        return self._views.get(run)

    def of_task(self, task: plans.Task) -> RunView | None:
        """The newest run of a task, as `task_runs.newest_of` tells. `of_plan` knows more: use it for a whole plan."""
        return newest_of(task, reversed(self._views.values()))

    def of_plan(self, plan: plans.Plan) -> dict[int, RunView]:
        """The newest run of each task that has one, by the task's line (from 1), as `task_runs.by_line` tells."""
        known = tuple(self._views)
        if self._by_plan is None or self._by_plan[0]() is not plan or self._by_plan[1] != known:
            self._by_plan = (ref(plan), known, by_line(plan, list(reversed(self._views.values()))))
        return {line: self._views[run] for line, run in self._by_plan[2].items()}

    def status(self) -> dict[str, Any]:
        """`{"runs", "working", "waiting", "loop"}`: open runs in short, how many work, what waits for a person, and the
        loop that is at work or how the last one ended."""
        shown = self.open
        at_work = next((view for view in reversed(shown) if view.loop), None)
        loop = {"id": at_work.loop, "run": at_work.id, "state": "open"} if at_work is not None else None
        if loop is None and self._loop_over is not None:
            data = self._loop_over.get("data") or {}
            loop = {"id": data.get("loop"), "run": self._loop_over.get("run"), "state": data.get("state")}
        return {
            "runs": [view.brief() for view in shown],
            "working": sum(not view.needs_person for view in shown),
            "waiting": [
                {"run": view.id, "task": view.task, "kind": (view.checkpoint or {}).get("kind")}
                for view in shown
                if view.needs_person
            ],
            "loop": loop,
        }

    # Hearing

    def take(self, event: Event) -> None:
        """An event of the engine. Never raises: one that makes no sense is logged and passed over."""
        try:
            self._take(event)
        except Exception:
            log.exception("an event could not be understood")

    def _take(self, event: Event) -> None:
        run, kind = event.get("run"), event.get("kind")
        if kind == "turn.progress" and run not in self._views:
            return
        if kind != "turn.progress":
            for heard in self._heard:
                heard.append(event)
        if kind == "loop.ended":
            self._loop_over = event
        if not isinstance(run, str):
            return
        after = folded(self._views.get(run), event)
        if after is None:
            return
        self._put(after)
        if kind == "landing.done":
            self._later(self.load)  # runs that were accepted before may have landed with this one
        elif kind == "run.ended" or not after.known or (kind == "turn.ended" and "tokens" not in event["data"]):
            self._want(run)

    def engine_down(self) -> None:
        """The engine is gone: what went on at that moment goes on no more. The record stands; `load` reads it anew."""
        self._current = False
        for view in list(self._views.values()):
            if view.now != Now():
                self._put(replace(view, now=Now()))

    def _put(self, view: RunView) -> None:
        if self._views.get(view.id) == view:
            return
        self._views[view.id] = view
        self._listeners.tell(view.id)

    # Asking

    async def load(self) -> None:
        """Read what is recorded: once, and again whenever the engine came back. Failing is logged; `current` says
        whether it worked. Whoever comes while it is under way gets one that begins after that."""
        self._again = True
        async with self._loading:
            if not self._again:
                return
            self._again = False
            try:
                await self._load()
            except DevloopError as problem:
                log.info("the runs could not be read: %s", problem.message)
                self._current = False

    async def known(self, seconds: float) -> bool:
        """Whether everything recorded was read. It is begun now where it was not; an engine that has to start first is
        waited for so long at most, and read when it is there."""
        if not self._current:
            await asyncio.wait({self._later(self.load)}, timeout=seconds)
        return self._current

    async def _load(self) -> None:
        with self._listening() as heard:
            still_open = (await self._ask("engine/runs", {"limit": MAX_OPEN, "open": True}))["runs"]
            newest = (await self._ask("engine/runs", {"limit": RECENT}))["runs"]  # last: it has all that is newer
            rows = {str(row["id"]): row for row in newest}
            rows |= {str(row["id"]): row for row in still_open if str(row["id"]) not in rows}
            doubtful = {view.id for view in self.open} | {run for run, row in rows.items() if row["state"] != "ended"}
            shown = {run: await self._shown(run) for run in doubtful}
            before, self._views = self._views, {}
            for run in _in_order(rows, before, heard):
                view = before.get(run)
                if (details := shown.get(run)) is not None:
                    view = with_details(details, view)
                elif run in rows:
                    view = of_row(rows[run], view)
                elif run in shown:
                    view = None  # it was open here, and there is no record of it any more
                if view is not None:
                    self._views[run] = _then(view, heard)
                if self._views.get(run) != before.get(run):
                    self._listeners.tell(run)
            self._forget()
            self._current = True

    async def _shown(self, run: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = await self._ask("engine/show", {"run": run})
        except NotFound:
            return None
        return found

    async def details(self, run: str) -> RunView | None:
        """A run with its gates; those of a run that ended before the daemon began are asked for once, when they are
        first wanted. None for a run that nobody knows."""
        view = self._views.get(run)
        if view is None or (view.detailed and not view.unproven):
            return view
        try:
            await self._show(run)
        except DevloopError as problem:
            log.info("run %s could not be read: %s", run, problem.message)
        return self._views.get(run)

    async def _show(self, run: str) -> None:
        with self._listening() as heard:
            shown = await self._ask("engine/show", {"run": run})
            self._put(_then(with_details(shown, self._views.get(run)), heard))

    @contextmanager
    def _listening(self) -> Iterator[list[Event]]:
        """Events since a question was asked. Answer and events come through one channel in order, so the answer with
        these events on top is what is true now, whichever of them it knows already."""
        heard: list[Event] = []
        self._heard.append(heard)
        try:
            yield heard
        finally:
            self._heard = [each for each in self._heard if each is not heard]

    def _want(self, run: str) -> None:
        self._wanted.add(run)
        if len(self._wanted) == 1:
            self._later(self._ask_wanted)

    async def _ask_wanted(self) -> None:
        """One after the other; a run that is wanted again meanwhile is asked for again."""
        wanted, self._wanted = self._wanted, set()
        for run in wanted:
            try:
                await self._show(run)
            except DevloopError as problem:
                log.info("run %s could not be read: %s", run, problem.message)

    def _later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("reading runs failed", exc_info=problem)

    def _forget(self) -> None:
        ended = [run for run, view in self._views.items() if not view.open]
        for run in ended[: max(0, len(ended) - MAX_KEPT)]:
            del self._views[run]

    # Telling

    def listen(self, callback: Listener) -> Callable[[], None]:
        """`callback` is told the ids of runs that changed, see `Listeners`. The answer ends that."""
        return self._listeners.listen(callback)

    async def close(self) -> None:
        """Nobody is told or asked anything any more."""
        self._listeners.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _then(view: RunView, heard: list[Event]) -> RunView:
    """The view after those of the events that are about it."""
    for event in heard:
        if event.get("run") == view.id:
            try:
                view = folded(view, event) or view
            except Exception:
                log.exception("an event could not be understood")
    return view


def _in_order(rows: Mapping[str, Any], before: Mapping[str, RunView], heard: list[Event]) -> list[str]:
    """Ids of all runs, oldest first. `rows` stand newest first; a run that is not among them is older than all of them,
    unless it was made since they were asked for."""
    made_since = {str(event.get("run")) for event in heard if event.get("kind") == "run.queued"}
    others = [run for run in before if run not in rows]
    older = [run for run in others if run not in made_since]
    return [*older, *reversed(list(rows)), *(run for run in others if run in made_since)]
