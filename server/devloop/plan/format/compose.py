"""Two formattings, one after the other, as edits of the first text."""

from __future__ import annotations

from collections.abc import Sequence

from devloop.plan.format.pieces import applied, trimmed
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan


def composed(plan: Plan, before: Sequence[Edit], middle: Plan, after: Sequence[Edit]) -> tuple[Edit, ...]:
    """Edits of `plan` that do what `before` and then `after` do; both stay within lines or insert empty ones."""
    later: dict[int, list[Edit]] = {}
    for edit in after:
        later.setdefault(edit.start_line, []).append(edit)
    sooner: dict[int, list[Edit]] = {}
    for edit in before:
        sooner.setdefault(edit.start_line, []).append(edit)
    found: list[Edit] = []
    for line in sorted({*sooner, *later}):
        if line not in later or line not in sooner:
            found += sooner.get(line, later.get(line, []))
            continue
        old = body(plan.document.line(line - 1))
        new = applied(body(middle.document.line(line - 1)), ((edit.start, edit.end, edit.text) for edit in later[line]))
        found += (Edit(line, start, line, end, text, old[start:end], old) for start, end, text in trimmed(0, old, new))
    return tuple(found)
