"""Moving a task to the end of another phase (plan-format §6, §7, §10).

What is indented below it goes with it. An id that follows the numbering of its phase (`1.2` in phase 1) becomes the
next one of the new phase, ids below it likewise, and references follow; ranges are written anew where they would name
other tasks. The log keeps the old id: it tells what was.
"""

from __future__ import annotations

import re

from devloop.errors import UsageError
from devloop.plan.document import Document
from devloop.plan.extent import last_line
from devloop.plan.find import TaskRef, locate
from devloop.plan.lines import body
from devloop.plan.model import Edit, Phase, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.follow import follow, moved
from devloop.plan.spans import spans


def move(plan: Plan, task: Task, phase: Phase) -> tuple[Edit, ...]:
    """The edits that move a task. Raises `UsageError` for subtasks, for the phase it is in, and when tasks would wait
    for each other then; `StaleEdit` when the task is not in the plan."""
    task = locate(plan, TaskRef.of(task))
    index, target = plan.graph.by_line[task.line], phase_index(plan, phase)
    document = plan.document
    if task.parent_line is not None:
        raise UsageError(f"{task.label} belongs to task {task.parent}: move that one")
    if task.phase_index == target:
        raise UsageError(f"{task.label} is in phase {phase.id} already")
    step = document.step(task.line - 1)
    if step.opened != 1:
        raise UsageError(f"{task.label} shares its line with another list item")
    first, last = task.line, last_line(document, task.line)
    gone = frozenset(at for at, other in enumerate(plan.tasks) if first <= other.line <= last)
    names = _names(plan, index, gone, plan.phases[target])
    draft = Draft(plan)
    for at, name in names.items():
        _rename(plan, draft, at, name)
    mates = [at for at, other in enumerate(plan.tasks) if other.phase_index == target and other.parent_line is None]
    after = last_line(document, plan.tasks[mates[-1]].line) if mates else end_of_text(plan, target)
    before = max((at for at, other in enumerate(plan.tasks) if other.line <= after and at not in gone), default=None)
    follow(plan, draft, moved(range(len(plan.tasks)), gone, before), names, lambda members: members)
    indent = indent_of(document.line(plan.tasks[mates[-1]].line - 1)) if mates else ""
    block = reindented(
        [draft.text(line) for line in range(first, last + 1)], indent_of(document.line(first - 1)), indent
    )
    draft.insert(after, _spaced(plan, mates, after, block))
    draft.remove(first, last + blank_behind(document, first, last))
    edits = draft.edits()
    changed = check.after(plan, edits)
    check.same(check.facts(plan, names), changed)
    check.no_new_cycle(plan, changed)
    return edits


def phase_index(plan: Plan, phase: Phase) -> int:
    """The index of a phase. Raises `UsageError` when it is not in the plan."""
    for at, other in enumerate(plan.phases):
        if other.line == phase.line and other.id == phase.id:
            return at
    raise UsageError(f"There is no phase {phase.id} in line {phase.line}")


def _names(plan: Plan, index: int, gone: frozenset[int], target: Phase) -> dict[int, str]:
    """The new ids of the task and of what is below it."""
    task = plan.tasks[index]
    old = rf"{re.escape(task.phase or '')}\.[0-9]{{1,9}}"
    follows = task.explicit and task.phase is not None and task.form in ("task", "number")
    if not follows or not re.fullmatch(old, task.id) or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", target.id):
        return {}
    if len(plan.graph.by_id[task.id.lower()]) > 1:
        return {}  # nobody could say which of them a reference means
    head = f"{target.id}."
    taken = {*plan.graph.by_id, *(name.lower() for name in plan.archived_ids)}
    used = [int(name[len(head) :]) for name in taken if re.fullmatch(rf"{re.escape(head)}[0-9]{{1,9}}", name)]
    fresh = f"{head}{max(used, default=0) + 1}"
    names = {index: fresh}
    for at in gone:
        other = plan.tasks[at]
        if other.explicit and other.id.startswith(f"{task.id}.") and len(plan.graph.by_id[other.id.lower()]) == 1:
            names[at] = fresh + other.id[len(task.id) :]
    return names


def _rename(plan: Plan, draft: Draft, index: int, name: str) -> None:
    line = plan.tasks[index].line
    span = next((span for span in spans(plan, line) if span.kind == "task-id"), None)
    if span is None:
        raise UsageError(f"The id of {plan.tasks[index].label} can't be changed")
    draft.replace(line, span.start, span.end, name)


def end_of_text(plan: Plan, target: int) -> int:
    """The last line of what stands below a phase's heading, before the next heading."""
    at = next(n for n, section in enumerate(plan.sections) if section.line == plan.phases[target].line)
    section = plan.sections[at]
    head = section.line + section.heading_lines - 1
    end = plan.sections[at + 1].line - 1 if at + 1 < len(plan.sections) else plan.document.count
    while end > head and not body(plan.document.line(end - 1)).strip():
        end -= 1
    return end


def _spaced(plan: Plan, mates: list[int], after: int, block: list[str]) -> list[str]:
    """The block with the empty lines that the phase's tasks have between them."""
    document = plan.document
    if mates:
        line = plan.tasks[mates[-1]].line
        loose = len(mates) > 1 and not body(document.line(line - 2)).strip()
        return ["", *block] if loose else block
    behind = after < document.count and body(document.line(after)).strip()
    return ["", *block, *([""] if behind else [])]


def blank_behind(document: Document, first: int, last: int) -> int:
    """1 when an empty line would remain beside another one."""
    above = first == 1 or not body(document.line(first - 2)).strip()
    return int(above and last < document.count and not body(document.line(last)).strip())


def indent_of(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def reindented(lines: list[str], old: str, new: str) -> list[str]:
    """Lines with another indentation; those that don't have the old one stay (lazy ones, empty ones)."""
    if old == new:
        return lines
    return [new + line[len(old) :] if line.strip() and line.startswith(old) else line for line in lines]
