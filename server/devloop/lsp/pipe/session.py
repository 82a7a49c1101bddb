"""One editor after `initialize`: its messages go to the daemon, the daemon's to it, whatever happens to the daemon.

The thread that calls `serve` reads the editor. A second one finds the daemon, reads it, and finds the next one when it
ends. What both touch is guarded by one lock, which is held while something is sent to the daemon: the order of the
editor's messages is their order there.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from devloop.errors import DevloopError, Refused, Unavailable
from devloop.lsp.pipe import frames
from devloop.lsp.pipe.dial import Link, dial, ended_in_order, root_of
from devloop.lsp.pipe.initialize import at
from devloop.lsp.pipe.pending import Pending
from devloop.lsp.pipe.replay import Replay

if TYPE_CHECKING:
    from devloop.lsp.pipe.channel import Channel


GREETING_S = 30.0
"""How long the daemon may take for its own answer to `initialize`; it loads the language server meanwhile."""
DEATHS, WITHIN_S = 5, 60.0
"""So many ends of the daemon within so many seconds are too many."""
AFTER_STOP_S = 0.5
"""Whoever stopped the daemon gets to see that it is gone before the next one starts."""
RETRY_S = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
LOOK_S = 3.0
"""How often it is looked whether the editor's process lives."""
MAX_QUEUE = 64 * 1024 * 1024
"""Bytes of messages that wait for a daemon; then the editor has to wait with more."""
ERROR, INFO = 1, 3
ABANDONED = "The editor shut the language server down before this was answered."


class Session:
    def __init__(
        self,
        channel: Channel,
        source: frames.Frames,
        message: dict[str, Any],
        body: bytes,
        *,
        root: str | None,
        command: Sequence[str] | None,
    ) -> None:
        self._channel, self._source, self._command, self._given = channel, source, command, root
        self._params: dict[str, Any] = message["params"]
        self._number: Any = message["id"]
        self._replay, self._pending = Replay(body), Pending()
        self._lock, self._out = threading.Lock(), threading.Lock()
        self._room = threading.Condition(self._lock)
        self._link: Link | None = None
        """The daemon, once it knows everything that it has to know."""
        self._dialed: Link | None = None
        self._queue: list[tuple[dict[str, Any], bytes]] = []
        self._queued = 0
        self._problem: DevloopError | None = None
        self._shut = False
        self._ended = threading.Event()

    def serve(self) -> int:
        """Until the editor leaves; the exit code. Raises `frames.Broken` and `OSError` as `pipe.converse` says."""
        threading.Thread(target=self._keep_a_daemon, name="daemon", daemon=True).start()
        self._watch_editor()
        try:
            code = None
            while code is None:
                try:
                    body = self._source.next()
                    code = 0 if body is None else self._from_editor(frames.parse(body), body)
                except frames.Refused as problem:
                    self._tell(frames.error(None, problem.code, str(problem)))
            return code
        finally:
            self._end()

    def _end(self) -> None:
        self._ended.set()
        with self._lock:
            self._room.notify_all()
            if self._dialed is not None:
                self._dialed.end()

    # From the editor

    def _from_editor(self, message: dict[str, Any], body: bytes) -> int | None:
        """One message. The exit code when it was the last."""
        method, number = message.get("method"), message.get("id")
        if method == "exit" and number is None:
            return self._exit(body)
        if self._shut:
            self._refuse(message, frames.INVALID_REQUEST, "After `shutdown` only `exit` is expected.")
        elif method == "initialize":
            self._refuse(message, frames.INVALID_REQUEST, "`initialize` was answered already.")
        else:
            with self._lock:
                self._accept(message, body)
        return None

    def _exit(self, body: bytes) -> int:
        with self._lock:
            if self._link is not None:
                with contextlib.suppress(OSError):
                    self._link.send(body)
        return 0 if self._shut else 1

    def _accept(self, message: dict[str, Any], body: bytes) -> None:
        if message.get("method") == "shutdown" and "id" in message:
            self._shut = True
            if self._link is None:
                for waiting, _ in self._queue:
                    self._refuse(waiting, frames.REQUEST_FAILED, ABANDONED)
                self._queue.clear()
                self._tell(frames.result(message["id"], None))
                return
        if self._link is not None:
            self._forward(self._link, message, body)
        elif self._problem is not None:
            self._do_without(self._problem, message, body)
        else:
            self._keep(message, body)
            while self._queued > MAX_QUEUE and not self._ended.is_set():
                self._room.wait()

    def _keep(self, message: dict[str, Any], body: bytes) -> None:
        self._queue.append((message, body))
        self._queued += len(body)

    def _forward(self, link: Link, message: dict[str, Any], body: bytes) -> bool:
        """To the daemon. What it does not get any more waits for the next one; then the answer is false."""
        method, number = message.get("method"), message.get("id")
        try:
            if method is None:
                if self._pending.wanted(number):
                    link.send(body)
            elif number is None:
                self._replay_and_send(link, method, message, body)
            else:
                self._pending.flying[number] = method
                link.send(body)
        except OSError:
            self._link = None
            if method is not None:
                self._pending.flying.pop(message.get("id", ""), None)
                self._keep(message, body)
            return False
        return True

    def _replay_and_send(self, link: Link, method: str, message: dict[str, Any], body: bytes) -> None:
        if not self._replay.gaps:
            link.send(body)
            self._replay.note(method, message, body)
        else:
            self._replay.note(method, message, body)
            for each in self._replay.for_daemon(method, message, body):
                link.send(each)

    def _do_without(self, problem: DevloopError, message: dict[str, Any], body: bytes) -> None:
        method = message.get("method")
        if method is not None and "id" not in message:
            self._replay.note(method, message, body)
        else:
            self._refuse(message, frames.REQUEST_FAILED, problem.sentences, problem.to_json())

    def _refuse(self, message: dict[str, Any], code: int, text: str, data: Any = None) -> None:
        if "method" in message and "id" in message:
            self._tell(frames.error(message["id"], code, text, data))

    # To the editor

    def _tell(self, data: bytes) -> None:
        try:
            with self._out:
                self._channel.write(data)
        except OSError:
            self._channel.leave(0)

    def _show(self, level: int, text: str) -> None:
        self._tell(frames.notification("window/showMessage", {"type": level, "message": text}))

    # The daemon

    def _keep_a_daemon(self) -> None:
        try:
            self._serve_daemons()
        except Exception as problem:
            self._without(DevloopError("devloop's language server failed.", hint=f"({type(problem).__name__})"))

    def _serve_daemons(self) -> None:
        root = root_of(self._given, self._params)
        client = at(self._params, "clientInfo", "name")
        deaths: list[float] = []
        failures = 0
        while not self._ended.is_set() and not self._shut:
            try:
                link = dial(root, client=client if isinstance(client, str) else "editor", command=self._command)
                self._greet(link, again=bool(deaths))
            except DevloopError as problem:
                self._without(problem)
                if sys.platform == "win32":
                    return
                self._ended.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                continue
            failures = 0
            if self._link is link:
                self._pump(link)
            self._lost(link)
            deaths = [*deaths[1 - DEATHS :], time.monotonic()]
            if len(deaths) == DEATHS and deaths[-1] - deaths[0] < WITHIN_S:
                hint = "Its log says why; restart the language server to try again."
                self._without(Unavailable(f"devloop's daemon ended {DEATHS} times within a minute.", hint=hint))
                return
            if ended_in_order(root):
                self._ended.wait(AFTER_STOP_S)

    def _greet(self, link: Link, *, again: bool) -> None:
        """Tell a new daemon everything; from then on the editor's messages go to it. Raises `Unavailable`."""
        with self._lock:
            self._dialed = link
        if self._ended.is_set() or self._shut:
            link.end()
        link.patience(GREETING_S)
        try:
            link.send(self._replay.initialize)
            self._wait_for_answer(link)
        except TimeoutError:
            self._lost(link)
            raise Unavailable("The daemon does not answer.", hint="Its log says why.") from None
        except OSError:
            return
        except Refused:
            self._lost(link)
            raise
        link.patience(None)
        with self._lock:
            self._take(link, again=again)

    def _wait_for_answer(self, link: Link) -> None:
        """The daemon's own answer to `initialize` is not for the editor, who has one."""
        while (body := link.next()) is not None:
            if self._pending.from_daemon(body) != self._number:
                self._tell(frames.framed(body))
                continue
            problem = at(frames.parse(body), "error", "message")
            if problem is not None:
                raise Refused(f"The daemon refused this editor: {problem}")
            return
        raise ConnectionError

    def _take(self, link: Link, *, again: bool) -> None:
        first, unknown = self._replay.begin()
        try:
            for body in first:
                link.send(body)
        except OSError:
            return
        if unknown:
            names = ", ".join(uri.rpartition("/")[2] for uri in unknown[:5])
            self._show(
                ERROR, f"devloop's daemon was restarted and does not know your unsaved changes in {names}: save."
            )
        if again or self._problem is not None:
            for question in self._pending.refreshes(at(self._params, "capabilities") or {}):
                self._tell(question)
        if self._problem is not None:
            self._problem = None
            self._show(INFO, "devloop's daemon is back.")
        self._link = link
        waiting, self._queue, self._queued = self._queue, [], 0
        alive = True
        for message, body in waiting:
            if alive:
                alive = self._forward(link, message, body)
            else:
                self._keep(message, body)
        self._room.notify_all()

    def _pump(self, link: Link) -> None:
        """The daemon's messages to the editor until the daemon is gone."""
        note, framed, out, write = self._pending.from_daemon, frames.framed, self._out, self._channel.write
        try:
            while (body := link.next()) is not None:
                note(body)
                with out:
                    write(framed(body))
        except OSError:
            self._channel.leave(0)
            self._ended.set()

    def _lost(self, link: Link) -> None:
        with self._lock:
            self._link = self._dialed = None
            link.close()
            if self._ended.is_set():
                return
            for message in self._pending.abandon():
                self._tell(message)

    def _without(self, problem: DevloopError) -> None:
        """There is no daemon for now: say so once, and answer every request with it."""
        with self._lock:
            told, self._problem = self._problem, problem
            waiting, self._queue, self._queued = self._queue, [], 0
            self._room.notify_all()
            if not self._shut and (told is None or told.message != problem.message):
                self._show(ERROR, problem.sentences)
            for message, body in waiting:
                self._do_without(problem, message, body)

    # The editor's process

    def _watch_editor(self) -> None:
        pid = self._params.get("processId")
        if sys.platform == "win32" or not isinstance(pid, int) or pid <= 1 or not _lives(pid):
            return  # on Windows signal 0 would reach the process; the end of the stream says the same
        threading.Thread(target=self._until_gone, args=(pid,), name="editor", daemon=True).start()

    def _until_gone(self, pid: int) -> None:
        while not self._ended.wait(LOOK_S):
            if not _lives(pid):
                self._channel.leave(0)
                return


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


__all__ = ["Session"]
