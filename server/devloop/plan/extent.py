"""How far a list item reaches."""

from __future__ import annotations

from devloop.plan.blocks import BLANK, TEXT
from devloop.plan.document import Document


def last_line(document: Document, line: int) -> int:
    """The last line (1-based) that belongs to the innermost item opened in `line`, trailing blank lines excluded."""
    depth = len(document.step(line - 1).state.stack)
    last = line
    for at in range(line, document.count):
        step = document.step(at)
        if step.kind == BLANK and not step.opened:
            if len(step.state.stack) < depth:
                break
            continue
        lazy = step.kind == TEXT and not step.opened and len(step.state.stack) >= depth
        if step.matched < depth and not lazy:
            break
        last = at + 1
    return last


def last_text_line(document: Document, line: int) -> int:
    """The last line of the paragraph that begins in the item's line."""
    last = line
    while last < document.count:
        step = document.step(last)
        if step.kind != TEXT or step.opened or document.step(last - 1).state.leaf != "p":
            break
        last += 1
    return last
