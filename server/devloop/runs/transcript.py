"""The conversation of a run on disk: the truth that every request is built from.

One folder per run, a few small files, each written whole or not at all:

    start-00.json      how a segment begins (a segment is one conversation; a hand-off begins the next one)
    0000.snapshot.json the worktree as set-up left it
    0001.begun         the turn was begun
    0001.response.json what the model answered, exactly as received, before anything acts on it
    0001.reply.json    results of its tool calls, calls that still wait for an answer, the snapshot, the outcome
    0001.command       a command that the person allowed was begun
    0001.answer.json   what came later: gate output, a person's words (0000: before the first turn)

A turn that was interrupted finds its own response again, so no model call is paid twice. A response is kept exactly as
received, because the next request must repeat it byte for byte (model-api §6); what tools, gates and people add has
passed the redactor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devloop.files import write_atomic
from devloop.models import conversation
from devloop.redact import Redactor, visible

Message = dict[str, Any]


@dataclass(frozen=True)
class Segment:
    """`opening` is the first user message; `carried` names the folder of a run whose conversation goes on here."""

    number: int
    first_turn: int
    opening: str
    carried: str | None = None


class Transcript:
    def __init__(self, run_folder: Path, redactor: Redactor) -> None:
        self._run_folder = run_folder
        self.folder = run_folder / "transcript"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._redactor = redactor

    # What is known

    def segment(self, number: int | None = None) -> Segment | None:
        """Segment `number`, or the current one; None when the conversation has not begun."""
        if number is None:
            number = len(list(self.folder.glob("start-*.json"))) - 1
        data = self._read(f"start-{number:02}") if number >= 0 else None
        return None if data is None else Segment(**data)

    def response(self, turn: int) -> dict[str, Any] | None:
        return self._read(f"{turn:04}.response")

    def reply(self, turn: int) -> dict[str, Any] | None:
        return self._read(f"{turn:04}.reply")

    def begun(self, turn: int) -> bool:
        return (self.folder / f"{turn:04}.begun").exists()

    def command_begun(self, turn: int) -> bool:
        return (self.folder / f"{turn:04}.command").exists()

    def last_turn(self) -> int:
        """The number of the newest finished turn; 0 when there is none."""
        return max((int(path.name[:4]) for path in self.folder.glob("*.reply.json")), default=0)

    def answered(self) -> list[int]:
        """The turns that have a response, oldest first; one that a full conversation ended without is missing."""
        return sorted(int(path.name[:4]) for path in self.folder.glob("*.response.json"))

    def is_fresh(self, turn: int) -> bool:
        """Whether turn `turn` is the first of a conversation that begins with nothing but its opening."""
        segment = self.segment()
        return segment is not None and segment.carried is None and turn <= segment.first_turn

    def in_a_row(self, kind: str, before: int) -> int:
        """How many turns in a row before turn `before` led to the reaction `kind`."""
        count = 0
        while (reply := self.reply(before - count - 1)) is not None and reply["reaction"] == kind:
            count += 1
        return count

    def snapshot(self, before: int) -> str | None:
        """The snapshot after the newest finished turn before `before`, else the one after set-up, else None."""
        for turn in range(before - 1, 0, -1):
            reply = self.reply(turn)
            if reply is not None and reply["snapshot"]:
                return str(reply["snapshot"])
        first = self._read("0000.snapshot")
        return str(first["snapshot"]) if first else None

    # What happens

    def begin_segment(self, segment: Segment) -> None:
        opening = self._for_the_model(segment.opening)
        self._write(f"start-{segment.number:02}", {**vars(segment), "opening": opening})

    def set_first_snapshot(self, snapshot: str) -> None:
        """The worktree as set-up left it: what a repeated first turn begins with."""
        self._write("0000.snapshot", {"snapshot": snapshot})

    def begin_turn(self, turn: int) -> None:
        (self.folder / f"{turn:04}.begun").touch()

    def begin_command(self, turn: int) -> None:
        (self.folder / f"{turn:04}.command").touch()

    def set_response(self, turn: int, response: dict[str, Any]) -> None:
        self._write(f"{turn:04}.response", response)

    def set_reply(self, turn: int, reply: dict[str, Any]) -> None:
        """`reply`: `reaction`, `results`, `pending` (call ids), `snapshot`, `calls`, `outcome`; `allowed`: what came of
        the command that was asked for, once it ran."""
        self._write(f"{turn:04}.reply", reply)

    def answer(self, turn: int, text: str) -> None:
        """More words that the next turn begins with: they answer the calls that turn `turn` left open, if any.

        Saying the same once more changes nothing, because a durable step may be repeated.
        """
        known, said = self.words(turn), self._for_the_model(text)
        if said not in known:
            self._write(f"{turn:04}.answer", {"texts": [*known, said]})

    # What the model is shown

    def _for_the_model(self, text: str) -> str:
        """Whatever of plan, repository, gates and people it is made of: no secret, and nothing invisible."""
        return self._redactor.text(visible(self._redactor.text(text)))

    def messages(self, upto: int, closing: str = "") -> list[Message]:
        """The messages for turn `upto` of the current segment; `closing` is said after the last turn before it."""
        opening, turns = self._turns(upto, [closing] if closing else [])
        return conversation.build_messages(opening, turns)

    def _turns(self, upto: int, closing: list[str]) -> tuple[list[str], list[conversation.Turn]]:
        segment = self.segment()
        assert segment is not None, "a conversation starts with a task"
        own = [n for n in range(segment.first_turn, upto) if self.reply(n) is not None]
        opening = [segment.opening, *self.words(segment.first_turn - 1), *([] if own else closing)]
        turns: list[conversation.Turn] = []
        if segment.carried is not None:
            before = Transcript(self._run_folder.parent / segment.carried, self._redactor)
            opening, turns = before._turns(before.last_turn() + 1, opening)
        turns += [self._turn(n, closing if n == own[-1] else []) for n in own]
        return opening, turns

    def _turn(self, number: int, closing: list[str]) -> conversation.Turn:
        response, reply = self.response(number), self.reply(number)
        assert response is not None and reply is not None
        words = [*self.words(number), *closing]
        results = list(reply["results"])
        if reply["pending"]:
            said = "\n\n".join(words)
            results += [conversation.tool_result(call, said) for call in reply["pending"]]
            words = []
        return conversation.Turn(response["content"], response["stop_reason"], results, words)

    def words(self, turn: int) -> list[str]:
        """What was said after turn `turn` (0: before the first one)."""
        return list((self._read(f"{turn:04}.answer") or {}).get("texts", []))

    # Files

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            data: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return None
        return data

    def _write(self, name: str, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        write_atomic(self.folder / f"{name}.json", text.encode("utf-8", "surrogatepass"), mode=0o600)
