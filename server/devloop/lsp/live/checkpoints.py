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
    from collections.abc import Mapping, Set

    from devloop.daemon.run_view import RunView
    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

MAX_LOOPS: Final = 100
PRESENTS: Final = "experimental.devloop.checkpoints"
"""What an editor declares that shows checkpoints and asks for decisions by itself: it is sent no question."""

Key = tuple[str, int]
"""A run and its checkpoint's number."""
Topic = tuple[Key, ...]
"""What one question is about: one checkpoint, or those of a group's tasks."""


@dataclass(eq=False)
class _Question:
    """One topic. `asking`: the editors that were asked, with what waits for their answers."""

    dismissed: bool = False
    asking: dict[Editor, asyncio.Task[None]] = field(default_factory=dict)
    answering: Editor | None = None
    """The editor whose answer is being passed on."""


class Checkpoints:
    def __init__(self, service: Service, joined: Set[Editor]) -> None:
        self._service, self._joined = service, joined
        self._questions: dict[Topic, _Question] = {}
        self._by_run: dict[str, Editor] = {}
        self._by_loop: dict[str, Editor] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def began_by(self, editor: Editor, run: str, loop: str | None) -> None:
        self._by_run[run] = editor
        if loop:
            self._by_loop[loop] = editor
            while len(self._by_loop) > MAX_LOOPS:
                del self._by_loop[next(iter(self._by_loop))]

    def leave(self, editor: Editor) -> None:
        for origins in (self._by_run, self._by_loop):
            for name in [name for name, whose in origins.items() if whose is editor]:
                del origins[name]
        for question in self._questions.values():
            if (task := question.asking.pop(editor, None)) is not None and question.answering is not editor:
                task.cancel()  # it may still be there, without our folder
        self.look()

    def options_changed(self, editor: Editor) -> None:
        """Questions that the person wants no more are withdrawn; others are asked."""
        if not (editor.options.checkpoint_messages and editor.options.trusted):
            for question in self._questions.values():
                if question.answering is not editor and (task := question.asking.pop(editor, None)) is not None:
                    task.cancel()
        self.look()

    def look(self) -> bool:
        """Ask what is new, withdraw what was answered. True when checkpoints opened or closed."""
        board = self._service.board
        waiting = _topics(
            {
                (view.id, number): view
                for view in board.open
                if view.needs_person and (number := checkpoint_number(view)) is not None
            }
        )
        changed = waiting.keys() != self._questions.keys()
        for topic in self._questions.keys() - waiting.keys():
            self._close(self._questions.pop(topic))
        for run in [run for run in self._by_run if (known := board.run(run)) is not None and not known.open]:
            del self._by_run[run]
        for topic, view in waiting.items():
            self._ask(self._questions.setdefault(topic, _Question()), topic, view)
        return changed

    def _close(self, question: _Question) -> None:
        for editor, task in question.asking.items():
            if editor is not question.answering:
                task.cancel()

    def _ask(self, question: _Question, topic: Topic, view: RunView) -> None:
        if question.dismissed or question.answering is not None:
            return
        for editor in self._to_ask(view):
            if editor not in question.asking:
                question.asking[editor] = editor.spawn(self._talk(question, editor, topic))

    def _to_ask(self, view: RunView) -> list[Editor]:
        """The editor that began it, else all that can; none where that editor presents checkpoints itself."""
        able = [each for each in self._joined if each.options.checkpoint_messages and each.options.trusted]
        origin = self._by_run.get(view.id) or self._by_loop.get(view.loop or "")
        asked = [origin] if origin in able and origin is not None else able
        return [each for each in asked if not each.client.can(PRESENTS)]  # it sees the run and asks in its own way

    def _views(self, topic: Topic) -> list[RunView]:
        """The runs of a topic; none once one of them waits no more."""
        found = [(self._service.board.run(run), number) for run, number in topic]
        views = [view for view, number in found if view is not None and checkpoint_number(view) == number]
        return views if len(views) == len(topic) else []

    async def _talk(self, question: _Question, editor: Editor, topic: Topic) -> None:
        """Ask one editor until there is an answer, or none is wanted. Looking at the changes is no answer."""
        while views := self._views(topic):
            if len(views) == 1:
                commands = checkpoint_texts.decision_commands(views[0], None)
                message = _message(views[0], commands)
            else:
                commands = checkpoint_texts.group_commands(views)
                message = _message_of_group(views, commands)
            try:
                chosen = await editor.ask(t.WINDOW_SHOW_MESSAGE_REQUEST, message)
            except Unavailable:  # it can't, or it left: the diagnostic is there
                return
            command = next((each for each in commands if chosen is not None and each["title"] == chosen.title), None)
            if command is None:
                question.dismissed = True
                return
            decides = command["command"] == "devloop.decide"
            if decides:
                question.answering = editor
            try:
                await editor.execute(command["command"], command["arguments"])
            except DevloopError as problem:
                self._tell(editor, topic, problem)
            finally:
                question.answering = None
            if decides:
                question.dismissed = True
                return

    def _tell(self, editor: Editor, topic: Topic, problem: DevloopError) -> None:
        """An answer that could not be passed on. One that came too late is nobody's concern."""
        if topic not in self._questions or not self._views(topic):
            log.info("an editor's answer came too late: %s", problem.message)
            return
        text = one_line(problem.sentences, 600)
        editor.notify(t.WINDOW_SHOW_MESSAGE, t.ShowMessageParams(t.MessageType.Warning, text))


def _message(view: RunView, commands: list[dict[str, Any]]) -> t.ShowMessageRequestParams:
    urgent = checkpoint_texts.kind(view) != "decision"
    return t.ShowMessageRequestParams(
        t.MessageType.Warning if urgent else t.MessageType.Info,
        f"{one_line(view.name, 120)}\n{checkpoint_texts.summary(view)}",
        [t.MessageActionItem(each["title"]) for each in commands],
    )


def _message_of_group(views: list[RunView], commands: list[dict[str, Any]]) -> t.ShowMessageRequestParams:
    """One question for all; each task's own stands as a diagnostic on its line."""
    names = one_line(", ".join(view.task for view in views), 200)
    told = "\n".join(f"{one_line(view.task, 40)}: {checkpoint_texts.summary(view, 160)}" for view in views[:8])
    return t.ShowMessageRequestParams(
        t.MessageType.Info,
        f"Tasks {names} of one group wait for you.\n{told}",
        [t.MessageActionItem(each["title"]) for each in commands],
    )


def _topics(waiting: Mapping[Key, RunView]) -> dict[Topic, RunView]:
    """One topic for each checkpoint, and one for all of a group; with a run of it."""
    together: dict[str, dict[Key, RunView]] = {}
    for key, view in waiting.items():
        group = str((view.group or {}).get("id") or f"{key}")
        together.setdefault(group, {})[key] = view
    return {tuple(sorted(found)): next(iter(found.values())) for found in together.values()}
