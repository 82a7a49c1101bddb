"""Whether changed lines are still the same blocks: the proof that formatting changes no meaning."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from devloop.plan.blocks import BLANK, ITEM, Step
from devloop.plan.scan import scan


def first_difference(steps: Sequence[Step], lines: Sequence[str], blank_before: Collection[int]) -> int | None:
    """The first line (0-based) that is not the block any more that it was; None when all are.

    `lines` are the changed lines with their ends, one for each of `steps`, both without front matter; `blank_before`:
    lines before which an empty line is put.
    """
    changed: list[str] = []
    for at, line in enumerate(lines):
        if at in blank_before:
            changed.append("\n")
        changed.append(line)
    new = iter(scan(changed))
    known: set[tuple[int, int]] = set()
    for at, old in enumerate(steps):
        if at in blank_before and next(new).kind != BLANK:
            return at
        step = next(new)
        pair = (id(old), id(step))  # steps are shared by lines that look alike
        if old is step or pair in known:
            continue
        if not _same(old, step):
            return at
        known.add(pair)
    return None


def _same(old: Step, new: Step) -> bool:
    if (old.kind, old.opened, old.box, old.quoted, old.note, old.suspect) != (
        (new.kind, new.opened, new.box, new.quoted, new.note, new.suspect)
    ):
        return False
    if len(old.state.stack) != len(new.state.stack) or old.state.leaf != new.state.leaf:
        return False
    return old.kind != ITEM or old.matched == new.matched
