"""What a person writes below a task for the run that waits there: `> revise: use the helper` (also `answer`, `block`).

An editor without an input field can say everything with these lines. They are words for devloop, not for the plan, and
are removed once they were passed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from devloop.plan.extent import last_line
from devloop.plan.lines import body
from devloop.plan.model import Edit

if TYPE_CHECKING:
    from devloop.plan.document import Document
    from devloop.plan.model import Plan, Task

WORDS: Final = ("revise", "answer", "block")
_FIRST: Final = re.compile(rf"[ \t]*>[ \t]*\**({'|'.join(WORDS)})\**[ \t]*:\**[ \t]*(.*)", re.IGNORECASE)
_QUOTED: Final = re.compile(r"[ \t]*> ?(.*)")


@dataclass(frozen=True)
class Reply:
    """`text`: what was written, without the quote marks; `edits` take its lines out of the plan."""

    text: str
    edits: tuple[Edit, ...]


def reply(plan: Plan, task: Task, word: str) -> Reply | None:
    """The lines `> word: …` below a task, with the quoted lines that go on from each; None when there are none.

    They may stand inside of the item or directly below it, up to the next task that can be picked.
    """
    texts: list[str] = []
    edits: list[Edit] = []
    lines = _below(plan, task)
    at = 0
    while at < len(lines):
        found = _FIRST.match(body(plan.document.line(lines[at] - 1)))
        if found is None or found[1].lower() != word:
            at += 1
            continue
        end = at + 1
        said = [found[2].strip()]
        while end < len(lines) and lines[end] == lines[end - 1] + 1 and (more := _more(plan.document, lines[end])):
            said.append(more[1].strip())
            end += 1
        text = "\n".join(said).strip()
        if text:
            texts.append(text)
            edits.append(_without(plan.document, lines[at], lines[end - 1]))
        at = end
    return Reply("\n\n".join(texts), tuple(edits)) if texts else None


def _more(document: Document, line: int) -> re.Match[str] | None:
    """A quoted line that begins nothing new."""
    text = body(document.line(line - 1))
    return None if _FIRST.match(text) else _QUOTED.match(text)


def _below(plan: Plan, task: Task) -> list[int]:
    """The quoted lines of a task: in its item, and those that follow it after one blank line at most."""
    document = plan.document
    others = sorted(each.line for each in plan.tasks if each.line > task.line and each.pickable)
    stop = others[0] if others else document.count + 1
    last = min(last_line(document, task.line), stop - 1)
    found = [line for line in range(task.line + 1, last + 1) if document.step(line - 1).quoted]
    line = last + 1
    if line < stop and not body(document.line(line - 1)).strip():
        line += 1
    while line < stop and document.step(line - 1).quoted:
        found.append(line)
        line += 1
    return found


def _without(document: Document, first: int, last: int) -> Edit:
    return Edit(first, 0, last + 1, 0, "", "".join(document.lines(first - 1, last)))
