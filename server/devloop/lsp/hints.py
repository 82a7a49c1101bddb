"""Inlay hints: behind a task what it waits for, and how its newest run stands and what it cost.

Agent and mode stand there only when the person wants that: they would repeat the same words on every line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Final

from devloop import plan as plans
from devloop.lists import some
from devloop.lsp import plan_texts, run_texts
from devloop.lsp.plan_texts import Known
from devloop.lsp.texts import Sheet, label

NAMES: Final = 3
MOST: Final = 2_000
"""Hints of one answer: an editor that asks for a whole long plan gets the first ones."""


def behind(known: Known, first: int, last: int, *, agent: bool) -> Iterator[tuple[int, str, str]]:
    """(index of the task, kind, label) of the hints in lines `first` to `last` (from 1, both included)."""
    tasks = known.plan.tasks
    start = bisect_left(tasks, first, key=_line)
    for at in range(start, bisect_right(tasks, last, lo=start, key=_line)):
        for kind in ("blocked", "run", *(("agent",) if agent else ())):
            if text := said(known, at, kind):
                yield at, kind, text


def _line(task: plans.Task) -> int:
    return task.line


def said(known: Known, at: int, kind: str) -> str:
    """The label of one hint; "" for none."""
    task = known.plan.tasks[at]
    run = known.runs.get(task.line)
    if kind == "run":
        return run_texts.hint(run) if run is not None else ""
    if task.done or (run is not None and run.open):
        return ""
    if kind == "blocked":
        names = known.outlook.unmet_names(at)
        return label(f"blocked by {some(names, NAMES)}") if names else ""
    if kind != "agent" or task.agent is not None:
        return ""
    choice = plan_texts.choice(known, task)
    return label(f"{choice.agent} · {choice.mode}", 60)


def tooltip(known: Known, at: int, kind: str) -> str:
    """More about a hint, as plain text."""
    sheet, task = Sheet(markdown=False), known.plan.tasks[at]
    run = known.runs.get(task.line)
    if kind == "run" and run is not None:
        run_texts.add(sheet, run)
    elif kind == "blocked":
        _blockers(sheet, known, at)
    elif kind == "agent":
        sheet.add(plan_texts.agent(sheet, known, task))
    return sheet.value


def _blockers(sheet: Sheet, known: Known, at: int) -> None:
    by_id: Mapping[str, Any] = known.plan.graph.by_id
    unmet = known.outlook.unmet(at)
    plan_texts.tasks(sheet, known, [by_id[each.id.lower()][0] for each in unmet if each.id.lower() in by_id])
    missing = [each.id for each in unmet if each.id.lower() not in by_id]
    if missing:
        sheet.add("Not in this plan:", some(missing, NAMES))
