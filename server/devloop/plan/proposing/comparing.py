"""Two texts of a plan: the edits between them, and what a person is shown of them."""

from __future__ import annotations

import difflib
from typing import Final

from devloop.plan.edits import difference
from devloop.plan.lines import BOM, split
from devloop.plan.model import Edit, Plan

MAX_COMPARED: Final = 20_000
"""Lines of both; longer ones are shown as one text that goes and one that comes."""


def edits_between(plan: Plan, text: str) -> tuple[Edit, ...]:
    """The edits that make `text` of the plan, line by line, so that what stays is not touched."""
    before, after = list(plan.document.lines()), split(text.removeprefix(BOM))
    if before == after:
        return ()
    if len(before) + len(after) > MAX_COMPARED:
        return (difference(before, after),)
    found = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            gone = "".join(before[first:last])
            found.append(Edit(first + 1, 0, last + 1, 0, "".join(after[start:end]), expect=gone))
    return tuple(found)


def patch(before: str, after: str, path: str) -> str:
    """A unified diff; empty where nothing differs. An empty `before` is no file yet. Line ends of another kind don't
    show in it."""
    old, new = _lines(before), _lines(after)
    names = (f"a/{path}" if before else "/dev/null", f"b/{path}")
    if len(old) + len(new) > MAX_COMPARED:
        head = [f"--- {names[0]}", f"+++ {names[1]}", f"@@ -1,{len(old)} +1,{len(new)} @@"]
        return "\n".join([*head, *(f"-{line}" for line in old), *(f"+{line}" for line in new)])
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines
