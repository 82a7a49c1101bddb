"""Refactorings of the task or heading at a place. No method of its own.

A protocol without an input field can't ask for a reason. So it comes from where the person can have put it: the text
that is selected below the task's first line, or a line `> block: …` below the task. Where there is none, the state
changes at once and the note that tells the reason is left to be filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from devloop import plan as plans
from devloop.errors import Refused, UsageError
from devloop.lsp.features._actions import MOVE, RENUMBER, REWRITE, Action, Asked, quoted, stale, task_at
from devloop.lsp.features._extents import LONG
from devloop.lsp.texts import label
from devloop.plan.format import renumber
from devloop.plan.refactor import Offer, carry_out, refactorings

if TYPE_CHECKING:
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Payload

MOST_PHASES: Final = 8
"""Phases that a task can be moved to by a menu, the nearest ones."""
REASON: Final = 300
PLACEHOLDER: Final = {"block": "blocked because …", "skip": "skipped because …"}
_EVENT: Final[dict[str, Literal["blocked", "skipped"]]] = {"block": "blocked", "skip": "skipped"}


def offered(connection: Connection, asked: Asked) -> Iterator[Action]:
    """Only for a person who opened the menu: at a cursor that comes by they would light every line."""
    if not asked.invoked or not (asked.wants(REWRITE) or asked.wants(MOVE)):
        return
    selected = _selected(connection, asked)
    for offer in refactorings(asked.plan, asked.first):
        if offer.kind in ("archive", "archive-phase"):
            yield from _archive(connection, asked, offer)
        elif offer.needs == "reason":
            yield _with_reason(asked, offer, selected)
        elif offer.needs == "title":
            yield from _split_off(asked, offer, selected)
        elif offer.needs == "phase":
            yield from _moves(asked, offer)
        else:
            yield Action(label(offer.title), REWRITE, asked.payload("refactor", line=offer.line, name=offer.kind))


def _with_reason(asked: Asked, offer: Offer, selected: str) -> Action:
    task = task_at(asked.plan, offer.line)
    title = label(offer.title).rstrip("…")
    said = selected if asked.first > offer.line else ""
    if not said and offer.kind == "block" and task is not None:
        written = plans.reply(asked.plan, task, "block")
        said = " ".join(written.text.split())[:REASON] if written is not None else ""
    payload = asked.payload("reason", line=offer.line, name=offer.kind, answer=said)
    return Action(f"{title}: {quoted(said)}" if said else f"{title} and note why", REWRITE, payload)


def _split_off(asked: Asked, offer: Offer, selected: str) -> Iterator[Action]:
    title = label(offer.title).rstrip("…")
    if selected and asked.first == offer.line:
        payload = asked.payload("refactor", line=offer.line, name=offer.kind, answer=selected)
        yield Action(f"{title}: {quoted(selected)}", REWRITE, payload)
    elif asked.named(REWRITE):
        yield Action(title, REWRITE, disabled="Select the words of the task that become another task.")


def _moves(asked: Asked, offer: Offer) -> Iterator[Action]:
    name = label(offer.title).removeprefix("Move ").removesuffix(" to another phase…")
    nearest = sorted(offer.choices, key=lambda choice: abs(int(choice[0]) - offer.line))[:MOST_PHASES]
    for answer, phase in sorted(nearest, key=lambda choice: int(choice[0])):
        payload = asked.payload("refactor", line=offer.line, name=offer.kind, answer=answer)
        yield Action(f"Move {name} to {label(phase, 60)}", MOVE, payload)


def _archive(connection: Connection, asked: Asked, offer: Offer) -> Iterator[Action]:
    """Files come to be, so it is a command; runs and archives act on the workspace's plan alone."""
    if not asked.snapshot.main or not connection.options.trusted:
        return
    arguments = {"uri": asked.snapshot.uri}
    if offer.kind == "archive-phase":
        arguments["phase"] = next(phase.id for phase in asked.plan.phases if phase.line == offer.line)
    title = label(offer.title)
    yield Action(title, MOVE, command={"title": title, "command": "devloop.archive", "arguments": [arguments]})


def _selected(connection: Connection, asked: Asked) -> str:
    """The text of a selection within one task, on one line; "" for none."""
    if asked.range.start == asked.range.end or task_at(asked.plan, asked.first) != task_at(asked.plan, asked.last):
        return ""
    document = asked.snapshot.document
    first, left = connection.positions.point(document, asked.range.start)
    last, right = connection.positions.point(document, asked.range.end)
    if last - first > 20:
        return ""
    lines = document.lines(first, last + 1)
    if last < document.count and lines:
        lines[-1] = lines[-1][:right]
    text = "".join(lines)[left:]
    return " ".join(text.replace("\r", " ").split())[:REASON].lstrip("-*+> ")


# Numbers


def numbers(asked: Asked) -> Iterator[Action]:
    """Number anew, where it changes something: a phase from its heading, all from the title or by kind. May take long:
    whoever calls this for a plan of more than `LONG` lines does so in a thread."""
    if asked.named(RENUMBER):
        yield from _number(asked, RENUMBER, "", "all tasks")
    elif asked.invoked and asked.takes(REWRITE):
        phase = next((phase for phase in asked.plan.phases if phase.line == asked.first), None)
        if phase is not None:
            yield from _number(asked, REWRITE, phase.id, f"the tasks of phase {label(phase.id, 20)}")
        elif asked.plan.sections and asked.plan.sections[0].line == asked.first:
            yield from _number(asked, REWRITE, "", "all tasks")


def _number(asked: Asked, kind: str, phase: str, what: str) -> Iterator[Action]:
    title = f"Number {what} anew"
    try:
        found = renumber(asked.plan, phase or None)
    except UsageError as problem:
        yield Action(title, kind, disabled=f"{problem.message}.")
        return
    if found:
        yield Action(title, kind, asked.payload("renumber", name=phase[:200]))


def is_long(plan: plans.Plan) -> bool:
    return plan.document.count > LONG


# Edits


def edits(snapshot: Snapshot, wanted: Payload) -> tuple[plans.Edit, ...]:
    """Raises `Refused` where the refactoring can't be done, `StaleEdit` when it belongs to nothing."""
    now = datetime.now(UTC)  # as everything else that devloop logs
    try:
        if wanted.do == "renumber":
            return renumber(snapshot.plan, wanted.name or None)
        if wanted.do == "reason":
            return _stated(snapshot.plan, wanted, now)
        return carry_out(snapshot.plan, wanted.name, wanted.line, now, wanted.answer).edits
    except UsageError as problem:
        raise Refused(f"{problem.message}.", hint=f"{problem.hint}." if problem.hint else "") from problem


def _stated(plan: plans.Plan, wanted: Payload, now: datetime) -> tuple[plans.Edit, ...]:
    task = task_at(plan, wanted.line)
    if task is None or wanted.name not in _EVENT:
        raise stale()
    if wanted.answer:
        found = list(carry_out(plan, wanted.name, wanted.line, now, wanted.answer).edits)
        written = plans.reply(plan, task, "block") if wanted.name == "block" else None
        if written is not None and " ".join(written.text.split())[:REASON] == wanted.answer:
            found += written.edits
    else:
        event = plans.Event(_EVENT[wanted.name], plans.TaskRef.of(task), "", now)
        found = [*plans.add_note(plan, task, PLACEHOLDER[wanted.name]), *plans.change(plan, event)]
    return tuple(sorted(found, key=lambda edit: (edit.start_line, edit.start)))
