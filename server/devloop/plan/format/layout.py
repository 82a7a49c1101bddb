"""Where list items stand: children at the content column of their parent, one space behind the bullet.

Only what belongs to tasks and criteria moves; lists in prose and the log stay. An item that holds something whose text
must not change (code, HTML, a quote, a comment, a tab) stays as well, and so do the items around it. Text that goes on
with an item moves along with it. Everything moves to the left or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from devloop.plan.blocks import BLANK, ITEM, TEXT, Step
from devloop.plan.format.pieces import Piece
from devloop.plan.headings import CRITERION
from devloop.plan.model import Plan
from devloop.plan.tree import DETAIL, META, TASK, Node

_PREFIX: Final = re.compile(r"( *)([-+*]|[0-9]{1,9}[.)])( {1,4})(?=[^ \t])")


def layout(
    plan: Plan, lines: Sequence[str], steps: Sequence[Step], first: int, last: int, kept: Collection[int]
) -> dict[int, list[Piece]]:
    """The pieces by line (0-based). Only lines `first` to `last` (exclusive) may change.

    `kept`: lines whose outermost list item stays as it is, with all that it holds.
    """
    moving = _moving(plan, lines, steps, first, last, kept)
    found: dict[int, list[Piece]] = {}
    if not moving:
        return found
    columns: list[tuple[int, int]] = []  # content column of every open container: as it is, as it will be
    for at, step in enumerate(steps):
        stack = step.state.stack
        if not stack:
            if columns:
                columns.clear()
            continue
        if step.kind == ITEM:
            del columns[step.matched :]
            for width in stack[len(columns) :]:
                old = (columns[-1][0] if columns else 0) + width
                columns.append((old, old))
            prefix = moving.get(at)
            if prefix is None:
                continue
            indent, marker, gap = (len(part) for part in prefix.groups())
            start = columns[-2][1] if len(columns) > 1 else 0
            pieces: list[Piece] = []
            if indent > start:
                pieces.append((start, indent, ""))
            if gap > 1:
                pieces.append((indent + marker + 1, indent + marker + gap, ""))
            columns[-1] = (columns[-1][0], min(start, indent) + marker + 1)
            if pieces:
                found[at] = pieces
        else:
            if len(columns) > len(stack):
                del columns[len(stack) :]
            while len(columns) < len(stack):  # a quote that begins here
                old = columns[-1][0] if columns else 0
                columns.append((old, old))
            if step.kind == TEXT and step.matched == len(stack):
                shift = columns[-1][0] - columns[-1][1]
                if shift > 0:
                    found[at] = [(0, shift, "")]
    return found


def _moving(
    plan: Plan, lines: Sequence[str], steps: Sequence[Step], first: int, last: int, kept: Collection[int]
) -> dict[int, re.Match[str]]:
    """The items that may move, each with its prefix."""
    nodes = plan.tree.nodes
    found: dict[int, re.Match[str]] = {}
    rigid: set[int] = set()
    open_items: list[int] = []
    for at, step in enumerate(steps):
        stack = step.state.stack
        kind = step.kind
        if kind == ITEM:
            del open_items[step.matched :]
            open_items += [at] * (len(stack) - len(open_items))
            if first <= at < last and step.state.leaf == "p" and step.opened == 1 and not step.quoted:
                prefix = _PREFIX.match(lines[at])
                if prefix is not None:
                    if _ours(nodes.get(at + 1)):
                        found[at] = prefix
                    if open_items[0] not in kept:
                        continue
        elif not stack:
            open_items.clear()
            continue
        elif kind == BLANK:
            del open_items[len(stack) :]
            continue
        elif kind == TEXT and not step.quoted and first <= at < last:
            text = lines[at]
            if step.matched < len(stack) or "\t" not in text[: len(text) - len(text.lstrip(" \t"))]:
                continue
        else:
            del open_items[len(stack) :]
        for item in reversed(open_items):
            if item in rigid:
                break
            rigid.add(item)
    for item in rigid:
        found.pop(item, None)
    return found


def _ours(node: Node | None) -> bool:
    """Whether an item belongs to a task or a criterion."""
    return node is not None and (node.kind in (TASK, CRITERION) or below_task(node))


def below_task(node: Node | None) -> bool:
    """Whether an item without a box (not one of the log) stands below a task or a criterion."""
    while node is not None and node.kind in (META, DETAIL):
        node = node.parent
        if node is not None and node.kind in (TASK, CRITERION):
            return True
    return False
