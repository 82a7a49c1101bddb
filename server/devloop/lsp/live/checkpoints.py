"""A run that waits for a person: the diagnostic on its task's line, and the question with the same choices.

A checkpoint is asked once: in the editor that began the run, else in all. An answer anywhere (another editor, the
terminal, a code lens) withdraws the question everywhere. Whoever closes it without an answer is not asked again; the
diagnostic stays.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop.daemon import wording
from devloop.errors import DevloopError, StaleEdit, Unavailable
from devloop.lsp import decisions
from devloop.lsp.run_texts import DECISIONS, checkpoint_number, offered
from devloop.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from devloop.daemon.run_view import RunView
    from devloop.daemon.service import Service
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.connection import Connection

log = logging.getLogger(__name__)

CODE: Final = "checkpoint"
SHOW_CHANGES: Final = "Show changes"
MAX_CHOICES: Final = 6
MAX_LOOPS: Final = 100
_INFORMATION, _WARNING = 3, 2
_TITLES: Final = {
    "decision": "Ready for your decision",
    "question": "The agent asks",
    "problem": "This needs you",
}
_SYMBOLS: Final = {"pass": "✓", "fail": "✗", "error": "!", "skipped": "–"}

Row = dict[str, Any]
Key = tuple[str, int]


# What is said


def kind(view: RunView) -> str:
    return str((view.checkpoint or {}).get("kind") or "decision")


def summary(view: RunView, limit: int = 400) -> str:
    """Everything that fits on a line: what is asked or was done, verdicts, size, spending."""
    checkpoint: Mapping[str, Any] = view.checkpoint or {}
    question = checkpoint.get("question")
    asked = question.get("text") if isinstance(question, dict) else None
    said = one_line(str(asked or checkpoint.get("problem") or checkpoint.get("summary") or ""), 240)
    parts = [_gates(checkpoint), _changes(checkpoint), _spent(view, checkpoint)]
    figures = " · ".join(part for part in parts if part)
    told = f"{said} ({figures})" if said else figures
    return one_line(f"{_TITLES.get(kind(view), 'It waits for you')}: {told}", limit)


def _gates(checkpoint: Mapping[str, Any]) -> str:
    gates = [gate for gate in checkpoint.get("gates") or () if isinstance(gate, dict)]
    return ", ".join(
        f"{_SYMBOLS.get(str(gate.get('verdict')), '?')} {one_line(str(gate.get('gate')), 40)}" for gate in gates[:6]
    )


def _changes(checkpoint: Mapping[str, Any]) -> str:
    diff = checkpoint.get("diff")
    if not isinstance(diff, dict):
        return "no file was changed" if checkpoint.get("kind") == "decision" else ""
    many = "" if diff.get("files") == 1 else "s"
    return f"{diff.get('files')} file{many}, +{diff.get('added')} −{diff.get('deleted')}"


def _spent(view: RunView, checkpoint: Mapping[str, Any]) -> str:
    turns = checkpoint.get("turns") or view.turn
    scripted = " scripted" if view.scripted else ""
    cost = checkpoint.get("cost_usd", view.cost_usd)
    return f"{turns} turn{'' if turns == 1 else 's'}, {wording.money(cost)}{scripted}"


def decision_commands(view: RunView, uri: str | None) -> list[Row]:
    """What can be done at the open checkpoint: `{"title", "command", "arguments"}` each, in the checkpoint's order.

    Choices of a question stand for its answers. The last entry shows the changes, when there are any.
    """
    checkpoint: Mapping[str, Any] = view.checkpoint or {}
    about: Row = {"uri": uri} if uri else {}
    about |= {"run": view.id, "checkpoint": checkpoint_number(view)}
    found: list[Row] = []
    possible = offered(view)
    question = checkpoint.get("question")
    choices = list((question if isinstance(question, dict) else {}).get("choices") or ())[:MAX_CHOICES]
    for decision in possible:
        if decision == "answer" and choices:
            taken = {DECISIONS[each] for each in possible} | {SHOW_CHANGES}
            for choice in dict.fromkeys(str(each) for each in choices):
                title = one_line(choice, 60)
                title = f"Answer: {title}" if title in taken or not title else title
                taken.add(title)
                arguments = {**about, "decision": "answer", "message": choice}
                found.append({"title": title, "command": "devloop.decide", "arguments": [arguments]})
            continue
        arguments = {**about, "decision": decision}
        found.append({"title": DECISIONS[decision], "command": "devloop.decide", "arguments": [arguments]})
    if checkpoint.get("diff"):
        found.append({"title": SHOW_CHANGES, "command": "devloop.showDiff", "arguments": [about]})
    return found


def marks(connection: Connection, snapshot: Snapshot) -> list[Row]:
    """The diagnostics of the runs that wait, each on its task's line. Costs nothing where none waits."""
    if not snapshot.main:
        return []
    found = []
    for view in connection.board.open:
        if not (view.needs_person and view.checkpoint):
            continue
        try:
            line = decisions.task_of(snapshot.plan, view).line
        except StaleEdit:
            line = 1  # its task is not in the plan any more, yet somebody has to decide
        text = snapshot.document.line(line - 1)
        start = len(text) - len(text.lstrip())
        place = connection.positions.range(snapshot.document, line, start, len(text.rstrip()))
        item: Row = {
            "range": connection.protocol.plain(place),
            "severity": _INFORMATION if kind(view) == "decision" else _WARNING,
            "code": CODE,
            "source": "devloop",
            "message": summary(view),
        }
        if connection.client.can("textDocument.publishDiagnostics.dataSupport"):
            item["data"] = {"run": view.id, "checkpoint": checkpoint_number(view)}
        found.append(item)
    return found


# What is asked


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
        able = [each for each in self._joined if each.options.checkpoint_messages and each.options.trusted]
        origin = self._by_run.get(view.id) or self._by_loop.get(view.loop or "")
        return [origin] if origin in able and origin is not None else able

    async def _talk(self, question: _Question, connection: Connection, key: Key) -> None:
        """Ask one editor until there is an answer, or none is wanted. Looking at the changes is no answer."""
        from devloop.lsp.commands import execute

        while (view := self._service.board.run(key[0])) is not None and checkpoint_number(view) == key[1]:
            commands = decision_commands(view, None)
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


def _message(view: RunView, commands: list[Row]) -> t.ShowMessageRequestParams:
    urgent = kind(view) != "decision"
    return t.ShowMessageRequestParams(
        t.MessageType.Warning if urgent else t.MessageType.Info,
        f"{one_line(f'Task {view.task}: {view.title}', 120)}\n{summary(view)}",
        [t.MessageActionItem(each["title"]) for each in commands],
    )
