"""Events from the engine to everybody who listens, without anybody being able to hold up the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from devloop.errors import DevloopError
from devloop.rpc import Peer

log = logging.getLogger(__name__)

Event = dict[str, Any]
Fetch = Callable[[int, int], Awaitable[dict[str, Any]]]

PROGRESS_INTERVAL_S = 0.1
"""`turn.progress` of one run is passed on at most this often; what comes in between is replaced by the newest."""
MAX_BACKLOG = 4 * 1024 * 1024
"""Bytes that a subscriber may leave unread for `PATIENCE_S` before it is dropped: on a busy machine even one that reads
is that far behind for a moment. `MAX_EVER` it may never be.

Dropped and not skipped, because who subscribes must miss nothing: it comes again and names the last event that it has.
An editor (`lsp/live/events.py`) is one connection with its buffers, so it is never dropped for this and skips instead.
"""
MAX_EVER = 64 * 1024 * 1024
PATIENCE_S = 3.0
MAX_HELD = 20_000
PAGE = 500


@dataclass
class Subscription:
    """One client that listens. While it is caught up on old events the new ones are held back in order."""

    peer: Peer
    drop: Callable[[], None]
    """Ends the connection at once, unread bytes and all."""
    sent: int = 0
    """The highest sequence number that was passed on."""
    held: list[Event] | None = None
    catching_up: asyncio.Task[None] | None = field(default=None, repr=False)
    _behind: asyncio.TimerHandle | None = field(default=None, repr=False)

    def offer(self, event: Event) -> None:
        if self.held is not None:
            self.held.append(event)
            if len(self.held) > MAX_HELD:
                self._too_slow()
            return
        self.send(event)

    def send(self, event: Event) -> None:
        number = event.get("seq")
        if isinstance(number, int):
            if number <= self.sent:
                return
            self.sent = number
        self.peer.notify("devloop/event", event)
        if self.peer.backlog > MAX_EVER:
            self._too_slow()
        elif self.peer.backlog > MAX_BACKLOG and self._behind is None:
            self._behind = asyncio.get_running_loop().call_later(PATIENCE_S, self._look)

    def end(self) -> None:
        for each in (self.catching_up, self._behind):
            if each is not None:
                each.cancel()

    def _look(self) -> None:
        self._behind = None
        if self.peer.backlog > MAX_BACKLOG and not self.peer.closed.is_set():
            self._too_slow()

    def _too_slow(self) -> None:
        log.warning("a client did not read its events for too long and was disconnected")
        self.drop()


@dataclass(eq=False)
class _Listener:
    callback: Callable[[Event], None]


class Fanout:
    def __init__(self) -> None:
        self._subscriptions: dict[Peer, Subscription] = {}
        self._listeners: list[_Listener] = []
        self._progress: dict[str, Event] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def listen(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back for each event from now on, within this process; the answer ends that."""
        listener = _Listener(callback)
        self._listeners.append(listener)

        def unlisten() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unlisten

    def publish(self, event: Event) -> None:
        """Pass an event on. `turn.progress` is thinned out; any other event of the run makes a pending one obsolete."""
        run = str(event.get("run"))
        if event.get("kind") != "turn.progress":
            self._progress.pop(run, None)
            self._offer(event)
        elif run in self._timers:
            self._progress[run] = event
        else:
            self._offer(event)
            self._timers[run] = asyncio.get_running_loop().call_later(PROGRESS_INTERVAL_S, self._flush, run)

    def _flush(self, run: str) -> None:
        del self._timers[run]
        newest = self._progress.pop(run, None)
        if newest is not None:
            self.publish(newest)

    def _offer(self, event: Event) -> None:
        for subscription in list(self._subscriptions.values()):
            subscription.offer(event)
        for listener in list(self._listeners):
            try:
                listener.callback(event)
            except Exception:
                log.exception("somebody who listens to events failed")

    def subscribe(self, peer: Peer, drop: Callable[[], None], *, after: int | None, last: int, fetch: Fetch) -> None:
        """Pass events on to `peer` from now on; first those after the number `after`, when it is given.

        `last` is the newest stored number; `fetch(after, limit)` reads stored events, oldest first.
        """
        self.unsubscribe(peer)
        subscription = Subscription(peer, drop, sent=last if after is None else after)
        self._subscriptions[peer] = subscription
        if after is not None and after < last:
            subscription.held = []
            subscription.catching_up = asyncio.create_task(_catch_up(subscription, fetch, last))

    def unsubscribe(self, peer: Peer) -> None:
        subscription = self._subscriptions.pop(peer, None)
        if subscription is not None:
            subscription.end()

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for peer in list(self._subscriptions):
            self.unsubscribe(peer)


async def _read_by_now(peer: Peer) -> None:
    """Until the other side has read most of what it was sent."""
    while peer.backlog > MAX_BACKLOG // 4 and not peer.closed.is_set():  # noqa: ASYNC110 - the transport tells nobody
        await asyncio.sleep(0.02)


async def _catch_up(subscription: Subscription, fetch: Fetch, last: int) -> None:
    """Send stored events page by page, at the pace of the reader, then what came in meanwhile."""
    try:
        while subscription.sent < last:
            page = (await fetch(subscription.sent, PAGE))["events"]
            if not page:
                break
            for event in page:
                subscription.send(event)
            await _read_by_now(subscription.peer)
    except DevloopError as problem:
        log.warning("old events could not be read: %s", problem.message)
    finally:
        held, subscription.held = subscription.held or [], None
        with contextlib.suppress(ConnectionError):
            for event in held:
                subscription.send(event)
