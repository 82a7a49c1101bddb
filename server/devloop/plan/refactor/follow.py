"""References that follow their tasks: to another id, to another place, to the two parts of one (plan-format §7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from devloop.plan import dependencies
from devloop.plan.model import Plan
from devloop.plan.refactor.draft import Draft

_NUMBERS = re.compile(r"[0-9]+")
NEW = -1  # stands for the task that comes, where indexes of tasks are used


def follow(
    plan: Plan,
    draft: Draft,
    order: Sequence[int],
    names: Mapping[int, str],
    wanted: Callable[[frozenset[int]], frozenset[int]],
) -> None:
    """Rewrite the references whose tasks change.

    `order`: the tasks in their new order (`NEW` among them); `names`: new ids; `wanted`: what a reference to
    these tasks has to name. References to whole phases and to what doesn't exist stay.
    """
    place = {at: number for number, at in enumerate(order)}

    def name(at: int) -> str:
        return names[at] if at in names else plan.tasks[at].id

    def between(left: int, right: int) -> frozenset[int]:
        first, last = sorted((place[left], place[right]))
        count = len(_NUMBERS.findall(name(left)))
        return frozenset(
            at
            for at in order[first : last + 1]
            if (at in names or plan.tasks[at].explicit) and len(_NUMBERS.findall(name(at))) == count
        )

    touched = set(names)
    for written in dependencies.of_plan(plan):
        members = frozenset(at for need in written.needs for at in need.members)
        if not members or any(need.whole_phase or need.unknown for need in written.needs):
            continue
        targets = wanted(members)
        if len(written.named) == 2:
            ends = [plan.graph.by_id[end.id.lower()] for end in written.named]
            span = between(ends[0][0], ends[1][-1]) if all(ends) else members
            if span == targets and not touched.intersection(members):
                continue
            text = _ranges(sorted(targets, key=place.__getitem__), between, name)
            if span == targets:
                text = f"{name(ends[0][0])}{_mark(plan, written)}{name(ends[1][-1])}"
        elif targets == members and not touched.intersection(members):
            continue
        else:
            text = ", ".join(dict.fromkeys(name(at) for at in sorted(targets, key=place.__getitem__)))
        start, end = written.named[0].start, written.named[-1].end
        draft.replace(written.line, start, end, text)


def _mark(plan: Plan, written: dependencies.Reference) -> str:
    left, right = written.named
    return plan.document.line(written.line - 1)[left.end : right.start]


def _ranges(members: Sequence[int], between: Callable[[int, int], frozenset[int]], name: Callable[[int], str]) -> str:
    """Ids and ranges that name exactly these tasks."""
    runs: list[list[int]] = []
    for at in members:
        if runs and between(runs[-1][0], at) == frozenset((*runs[-1], at)):
            runs[-1].append(at)
        else:
            runs.append([at])
    return ", ".join(_run([name(at) for at in run]) for run in runs)


def _run(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]}-{names[-1]}"


def moved(indexes: Iterable[int], gone: frozenset[int], before: int | None) -> list[int]:
    """The order of tasks when `gone` stand after the task `before` (None: first)."""
    rest = [at for at in indexes if at not in gone]
    at = rest.index(before) + 1 if before is not None else 0
    return rest[:at] + sorted(gone) + rest[at:]
