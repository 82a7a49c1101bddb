"""What happens while a person types (LSP 3.17: onTypeFormatting): lists of tasks go on by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from devloop.plan import items
from devloop.plan.blocks import ITEM
from devloop.plan.format.layout import below_task
from devloop.plan.format.pieces import trimmed
from devloop.plan.format.successor import successor
from devloop.plan.headings import CRITERION, LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan
from devloop.plan.spans import section_at
from devloop.plan.tree import TASK, Node

_PREFIX: Final = re.compile(
    r"(?P<indent>[ \t]*)(?P<bullet>[-+*]|(?P<number>[0-9]{1,9})(?P<mark>[.)]))(?P<gap>[ \t]+|$)"
)
# What editors put at the beginning of a new line on their own: the indentation, a bullet, an empty box.
_AUTO: Final = re.compile(r"[ \t]*(?:(?:[-+*]|[0-9]{1,9}[.)])(?:[ \t]++(?:\[ ?\])?|$)[ \t]*+)?")
_BEGINS_ITEM: Final = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_NEW_BOX: Final = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\[\]$")


@dataclass(frozen=True)
class Typed:
    """The edits that follow on a typed character. `cursor`: (line, column) where it belongs, None: leave it."""

    edits: tuple[Edit, ...] = ()
    cursor: tuple[int, int] | None = None


NOTHING: Final = Typed()


def on_type(plan: Plan, line: int, column: int, typed: str) -> Typed:
    r"""What follows on a character that was just typed; `line` (1-based) and `column` are the place behind it.

    `\n` behind a task, criterion or metadata bullet goes on with the list, with the next id where the phase numbers its
    tasks; behind one in which nothing is written it ends the list. `]` makes `- []` a box. Else nothing.
    """
    if typed in ("\n", "\r\n", "\r"):
        return _new_line(plan, line, column)
    return _box(plan, line, column) if typed == "]" else NOTHING


def _text(plan: Plan, line: int) -> str:
    return body(plan.document.line(line - 1))


def _box(plan: Plan, line: int, column: int) -> Typed:
    """`- []` → `- [ ] `."""
    if not 1 <= line <= plan.document.count:
        return NOTHING
    text, step = _text(plan, line), plan.document.step(line - 1)
    if not 0 <= column <= len(text):
        return NOTHING
    if step.kind != ITEM or step.quoted or not _NEW_BOX.match(text[:column]) or text[column : column + 1] in ("(", "["):
        return NOTHING
    section = section_at(plan, line)
    if section is not None and section.kind == LOG:
        return NOTHING
    edits = [Edit(line, column - 1, line, column - 1, " ", "", text)]
    if text[column : column + 1] not in (" ", "\t"):
        edits.append(Edit(line, column, line, column, " ", "", text))
    return Typed(tuple(edits), (line, column + 2))


def _new_line(plan: Plan, line: int, column: int) -> Typed:
    before = line - 1
    if not 1 <= before <= plan.document.count or line > plan.document.count + 1:
        return NOTHING
    step, node = plan.document.step(before - 1), plan.tree.nodes.get(before)
    old, text = _text(plan, before), _text(plan, line)
    prefix = _PREFIX.match(old)
    if step.kind != ITEM or step.opened != 1 or step.quoted or prefix is None or len(old) > items.MAX_LINE:
        return NOTHING
    auto = _AUTO.match(text)
    typed = (
        text[: auto.end()]
        if auto is not None and auto.end() <= max(column, 0)
        else text[: len(text) - len(text.lstrip(" \t"))]
    )
    rest = text[len(typed) :]
    if _is_empty(plan, before, old, prefix, node):
        if rest or not _may_end(plan, before, node):
            return NOTHING
        whole = plan.document.line(before - 1)
        return Typed((Edit(before, 0, line, len(typed), "", whole + typed, old),), (before, 0))
    if node is None or _BEGINS_ITEM.match(rest) or not _goes_on(node):
        return NOTHING
    below = _child(plan, before, line)
    if below is not None:
        start = below
    else:
        start = prefix["indent"] + _bullet(prefix) + (prefix["gap"] if node.box is None else " ")
        if node.kind in (TASK, CRITERION):
            start += "[ ] "
        if node.kind == TASK:
            start += successor(plan, node.index)
    if not start:
        return NOTHING
    edits = tuple(
        Edit(line, first, line, last, new, text[first:last], text) for first, last, new in trimmed(0, typed, start)
    )
    return Typed(edits, (line, len(start)))


def _goes_on(node: Node) -> bool:
    """Tasks, criteria and what stands below them; not prose, not the log."""
    return node.kind in (TASK, CRITERION) or below_task(node)


def _is_empty(plan: Plan, line: int, text: str, prefix: re.Match[str], node: Node | None) -> bool:
    """Whether nothing is written in an item but what was put there for the person."""
    if node is not None and node.kind == TASK:
        box = plan.tree.tasks[node.index].box
        return box is not None and not box.title and not box.tags and not box.marked
    if node is not None and node.kind == CRITERION:
        return items.box(text).empty
    return not text[prefix.end() :].strip()


def _may_end(plan: Plan, line: int, node: Node | None) -> bool:
    """Whether an item without text is one that would have gone on: a task, a criterion, a bullet below one."""
    if node is None:
        return False
    return node.kind in (TASK, CRITERION) or below_task(node)


def _bullet(prefix: re.Match[str]) -> str:
    if prefix["number"] is None:
        return prefix["bullet"]
    following = str(int(prefix["number"]) + 1)
    return (following if len(following) < 10 else prefix["number"]) + prefix["mark"]


def _child(plan: Plan, before: int, line: int) -> str | None:
    """How the item's first child below the new line begins; empty when something else than a bullet belongs to it.

    A task that is put between a task and its metadata would take it away.
    """
    document = plan.document
    if line >= document.count:
        return None
    step = document.step(line)
    depth = len(document.step(before - 1).state.stack)
    if not _text(plan, line + 1).strip() or step.matched < depth:
        return None
    prefix = _PREFIX.match(_text(plan, line + 1))
    if step.kind != ITEM or step.opened != 1 or step.box or prefix is None or prefix["number"] is not None:
        return ""
    return prefix["indent"] + prefix["bullet"] + (prefix["gap"] or " ")
