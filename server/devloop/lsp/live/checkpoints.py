"""A run that waits for a person: the question with the same choices as the diagnostic on its task's line.

A checkpoint is asked once: in the editor that began the run, else in all. An answer anywhere (another editor, the
terminal, a code lens) withdraws the question everywhere. Whoever closes it without an answer is not asked again; the
diagnostic stays. An editor that presents checkpoints itself is never asked.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.errors import DevloopError, Unavailable
from devloop.lsp import checkpoint_texts
from devloop.lsp.run_texts import checkpoint_number
from devloop.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Set

    from devloop.daemon.run_view import RunView
    from devloop.daemon.service import Service
    from devloop.lsp.connection import Connection

log = logging.getLogger(__name__)

MAX_LOOPS: Final = 100
PRESENTS: Final = "experimental.devloop.checkpoints"
"""What an editor declares that shows checkpoints and asks for decisions by itself: it is sent no question."""

Key = tuple[str, int]


@dataclass(eq=False)
class _Question:
    """One checkpoint. `asking`: the editors that were asked, with what waits for their answers."""

    dismissed: bool = False
    asking: dict[Connection, asyncio.Task[None]] = field(default_factory=dict)
    answering: Connection | None = None
    """The editor whose answer is being passed on."""


class Checkpoints:
    def __init__(self, service: Service, joined: Set[Connection]) -> None:
        self._service, self._joined = service, joined
        self._questions: dict[Key, _Question] = {}
        self._by_run: dict[str, Connection] = {}
        self._by_loop: dict[str, Connection] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def began_by(self, connection: Connection, run: str, loop: str | None) -> None:
        self._by_run[run] = connection
        if loop:
            self._by_loop[loop] = connection
            while len(self._by_loop) > MAX_LOOPS:
                del self._by_loop[next(iter(self._by_loop))]

    def leave(self, connection: Connection) -> None:
        for origins in (self._by_run, self._by_loop):
            for name in [name for name, whose in origins.items() if whose is connection]:
                del origins[name]
        for question in self._questions.values():
            if (task := question.asking.pop(connection, None)) is not None and question.answering is not connection:
                task.cancel()  # it may still be there, without our folder
        self.look()

    def options_changed(self, connection: Connection) -> None:
        """Questions that the person wants no more are withdrawn; others are asked."""
        if not (connection.options.checkpoint_messages and connection.options.trusted):
            for question in self._questions.values():
                if question.answering is not connection and (task := question.asking.pop(connection, None)) is not None:
                    task.cancel()
        self.look()

    def look(self) -> bool:
        """Ask what is new, withdraw what was answered. True when checkpoints opened or closed."""
        board = self._service.board
        waiting = {
            (view.id, number): view
            for view in board.open
            if view.needs_person and (number := checkpoint_number(view)) is not None
        }
        changed = waiting.keys() != self._questions.keys()
        for key in self._questions.keys() - waiting.keys():
            self._close(self._questions.pop(key))
        for run in [run for run in self._by_run if (known := board.run(run)) is not None and not known.open]:
            del self._by_run[run]
        for key, view in waiting.items():
            self._ask(self._questions.setdefault(key, _Question()), key, view)
        return changed

    def _close(self, question: _Question) -> None:
        for connection, task in question.asking.items():
            if connection is not question.answering:
                task.cancel()

    def _ask(self, question: _Question, key: Key, view: RunView) -> None:
        if question.dismissed or question.answering is not None:
            return
        for connection in self._to_ask(view):
            if connection not in question.asking:
                question.asking[connection] = connection.spawn(self._talk(question, connection, key))

    def _to_ask(self, view: RunView) -> list[Connection]:
        """The editor that began it, else all that can; none where that editor presents checkpoints itself."""
        able = [each for each in self._joined if each.options.checkpoint_messages and each.options.trusted]
        origin = self._by_run.get(view.id) or self._by_loop.get(view.loop or "")
        asked = [origin] if origin in able and origin is not None else able
        return [each for each in asked if not each.client.can(PRESENTS)]  # it sees the run and asks in its own way

    async def _talk(self, question: _Question, connection: Connection, key: Key) -> None:
        """Ask one editor until there is an answer, or none is wanted. Looking at the changes is no answer."""
        from devloop.lsp.commands import execute

        while (view := self._service.board.run(key[0])) is not None and checkpoint_number(view) == key[1]:
            commands = checkpoint_texts.decision_commands(view, None)
            try:
                chosen = await connection.ask(t.WINDOW_SHOW_MESSAGE_REQUEST, _message(view, commands))
            except Unavailable:  # it can't, or it left: the diagnostic is there
                return
            command = next((each for each in commands if chosen is not None and each["title"] == chosen.title), None)
            if command is None:
                question.dismissed = True
                return
            decides = command["command"] == "devloop.decide"
            if decides:
                question.answering = connection
            try:
                await execute(connection, command["command"], command["arguments"])
            except DevloopError as problem:
                self._tell(connection, key, problem)
            finally:
                question.answering = None
            if decides:
                question.dismissed = True
                return

    def _tell(self, connection: Connection, key: Key, problem: DevloopError) -> None:
        """An answer that could not be passed on. One that came too late is nobody's concern."""
        view = self._service.board.run(key[0])
        if key not in self._questions or view is None or checkpoint_number(view) != key[1]:
            log.info("an editor's answer came too late: %s", problem.message)
            return
        text = one_line(problem.sentences, 600)
        connection.notify(t.WINDOW_SHOW_MESSAGE, t.ShowMessageParams(t.MessageType.Warning, text))


def _message(view: RunView, commands: list[dict[str, Any]]) -> t.ShowMessageRequestParams:
    urgent = checkpoint_texts.kind(view) != "decision"
    return t.ShowMessageRequestParams(
        t.MessageType.Warning if urgent else t.MessageType.Info,
        f"{one_line(view.name, 120)}\n{checkpoint_texts.summary(view)}",
        [t.MessageActionItem(each["title"]) for each in commands],
    )
