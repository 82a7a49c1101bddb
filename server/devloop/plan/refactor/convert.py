"""Lists in the form of spec-kit and kiro, as devloop writes them (plan-format §21). They read as tasks before too; then
they have phases, ids that follow them, and groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from devloop.errors import UsageError
from devloop.plan.extent import last_line, last_text_line
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.follow import follow
from devloop.plan.spans import spans

_PID = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_NUMBERED = re.compile(r"([0-9]{1,4})[.)]?[ \t]+(\S.*)$")
_MARK = re.compile(r"[ \t]*:|[.)]")


def spec_kit(plan: Plan) -> tuple[Edit, ...]:
    """`T001 [P] …` in numbered phases becomes `Task 1.1: … [parallel:A]`; the old id stays as `_from: T001_`.

    Neighbours with `[P]` get a group of their own; a single one keeps its mark. References follow. Raises `UsageError`
    when there is no such task.
    """
    chosen = [at for at, task in enumerate(plan.tasks) if is_spec_kit(task)]
    if not chosen:
        raise UsageError("There is no task like T001 in a numbered phase")
    names = _numbers(plan, chosen)
    draft = Draft(plan)
    for at in chosen:
        _renamed(plan, draft, at, names[at])
        _grouped(plan, draft, at)
        line = plan.tasks[at].line
        indent = " " * sum(plan.document.step(line - 1).state.stack)
        draft.insert(last_text_line(plan.document, line), [f"{indent}- _from: {plan.tasks[at].id}_"])
    follow(plan, draft, range(len(plan.tasks)), names, lambda members: members)
    edits = draft.edits()
    check.same(check.facts(plan, names), check.after(plan, edits))
    return edits


def is_spec_kit(task: Task) -> bool:
    return task.form == "spec" and task.phase is not None and _PID.fullmatch(task.phase) is not None


def _numbers(plan: Plan, chosen: Iterable[int]) -> dict[int, str]:
    used: dict[str, int] = {}
    for name in (*plan.graph.by_id, *(name.lower() for name in plan.archived_ids)):
        head, _, tail = name.rpartition(".")
        if tail.isdecimal() and len(tail) < 10:
            used[head] = max(used.get(head, 0), int(tail))
    names = {}
    for at in chosen:
        head = plan.tasks[at].phase or ""
        used[head] = used.get(head, 0) + 1
        names[at] = f"{head}.{used[head]}"
    return names


def _renamed(plan: Plan, draft: Draft, at: int, name: str) -> None:
    """`Task <name>:` in place of an id and its punctuation."""
    line = plan.tasks[at].line
    text = body(plan.document.line(line - 1))
    span = next((span for span in spans(plan, line) if span.kind == "task-id"), None)
    if span is None:
        raise UsageError(f"The id of {plan.tasks[at].label} can't be changed")
    if text.startswith("**", span.end):
        draft.replace(line, span.start, span.end, f"Task {name}")
        return
    mark = _MARK.match(text, span.end)
    draft.replace(line, span.start, mark.end() if mark else span.end, f"Task {name}:")


def _grouped(plan: Plan, draft: Draft, at: int) -> None:
    """`[parallel:A]` for a `[P]` that has partners."""
    task = plan.tasks[at]
    mates = [other for other in plan.tasks if (other.group, other.phase_index) == (task.group, task.phase_index)]
    box = plan.tree.tasks[at].box
    tag = next((tag for tag in box.tags if tag.known and tag.name == "p"), None) if box else None
    if box is None or tag is None or task.group is None or not re.fullmatch(r"P[0-9]+", task.group) or len(mates) < 2:
        return
    own = {other.group for other in plan.tasks if other.phase_index == task.phase_index and other.group}
    letters = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in own]
    number = int(task.group[1:]) - 1
    if number < len(letters):
        draft.replace(task.line, box.body + tag.start, box.body + tag.end, f"[parallel:{letters[number]}]")


# kiro, cc-sdd


def is_kiro(task: Task) -> bool:
    """Whether a task looks like one of a kiro list: a bare number outside all phases."""
    return task.form == "number" and task.phase is None


def kiro(plan: Plan) -> tuple[Edit, ...]:
    """`1. Major` with `1.1 …` below or behind it becomes a phase with tasks; `## 1. Group` likewise.

    Detail bullets, `_Requirements: …_`, `(P)` and `- [ ]*` stay as they are: devloop reads them. A number without parts
    becomes `Task 3:` in a phase of its own. References to a number with parts become references to its phase. Raises
    `UsageError` when there is no such list, or when a number says more than its phase could.
    """
    chosen = [at for at, task in enumerate(plan.tasks) if is_kiro(task)]
    if not chosen:
        raise UsageError("There is no list like 1., 1.1 outside of phases")
    draft = Draft(plan)
    headings = _group_headings(plan, draft, chosen)
    parts = _parts(plan, chosen)
    majors = [at for at in chosen if plan.tasks[at].id.isdecimal() and plan.tasks[at].parent_line is None]
    whole = {at for at in majors if parts[at]}
    names: dict[int, str] = {}
    for at in chosen:
        task = plan.tasks[at]
        if at in whole:
            names[at] = f"Phase {task.id}"
            _as_phase(plan, draft, at)
        else:
            _renamed(plan, draft, at, task.id)
            section = plan.tree.tasks[at].section
            if at in majors and majors and (whole or len(majors) == len(chosen)) and section not in headings:
                _phase_above(plan, draft, at)
    follow(plan, draft, range(len(plan.tasks)), names, lambda members: members)
    _dedent(plan, draft, whole)
    edits = draft.edits()
    expected = [
        replace(fact, waits=frozenset(name for name in fact.waits if not name.startswith("phase ")))
        for at, fact in enumerate(check.facts(plan, names))
        if at not in whole
    ]
    check.same(expected, check.after(plan, edits))
    return edits


def _parts(plan: Plan, chosen: list[int]) -> dict[int, list[int]]:
    """The tasks `1.1`, `1.2`, … of each `1`, nested or behind it."""
    parts: dict[int, list[int]] = {at: [] for at in chosen}
    major: int | None = None
    for at in chosen:
        task = plan.tasks[at]
        if task.id.isdecimal():
            major = at
        elif major is not None and task.id.startswith(f"{plan.tasks[major].id}."):
            parts[major].append(at)
    return parts


def _group_headings(plan: Plan, draft: Draft, chosen: list[int]) -> set[int]:
    """`## 1. Group` above `1.1`, `1.2` becomes `## Phase 1: Group`. The places of these headings."""
    found: set[int] = set()
    for number, section in enumerate(plan.tree.sections):
        match = _NUMBERED.match(section.heading.text)
        if match is None or section.heading_lines != 1 or not 2 <= section.heading.level <= 4:
            continue
        below = [plan.tasks[at].id for at in chosen if plan.tree.tasks[at].section == number]
        if below and all(name.startswith(f"{match[1]}.") for name in below):
            text = body(plan.document.line(section.line - 1))
            start = text.index(match[0].strip())
            end = text.index(match[2], start)
            draft.replace(section.line, start, end, f"Phase {match[1]}: ")
            found.add(number)
    return found


def _level(plan: Plan, at: int) -> int:
    section = plan.tree.tasks[at].section
    level = plan.tree.sections[section].heading.level if section >= 0 else 1
    return min(max(level + 1, 2), 4)


def _as_phase(plan: Plan, draft: Draft, at: int) -> None:
    """The line of a major task as the heading of a phase."""
    task, box = plan.tasks[at], plan.tree.tasks[at].box
    below = [other for other in plan.tasks if other.id.startswith(f"{task.id}.")]
    if task.done and not all(other.done for other in below):
        raise UsageError(f"{task.label} is done, but not its parts", hint="Tick or reopen them first")
    if box is None or box.tags or box.marked or box.optional or plan.graph.needs[at]:
        raise UsageError(f"{task.label} has tags or dependencies of its own", hint="Give them to its parts first")
    document = plan.document
    heading = f"{'#' * _level(plan, at)} Phase {task.id}: {task.title}"
    if task.line > 1 and body(document.line(task.line - 2)).strip():
        draft.insert(task.line - 1, [""])
    draft.rewrite(task.line, heading)
    if task.line < document.count and body(document.line(task.line)).strip():
        draft.insert(task.line, [""])


def _phase_above(plan: Plan, draft: Draft, at: int) -> None:
    task = plan.tasks[at]
    blank = task.line > 1 and body(plan.document.line(task.line - 2)).strip()
    heading = f"{'#' * _level(plan, at)} Phase {task.id}: {task.title}"
    draft.insert(task.line - 1, [*([""] if blank else []), heading, ""])


def _dedent(plan: Plan, draft: Draft, majors: Iterable[int]) -> None:
    """What was indented below a major task moves to the margin."""
    for at in majors:
        line = plan.tasks[at].line
        width = sum(plan.document.step(line - 1).state.stack)
        for below in range(line + 1, last_line(plan.document, line) + 1):
            text = body(plan.document.line(below - 1))
            space = text[: len(text) - len(text.lstrip(" \t"))]
            if text.strip() and space:
                columns = len(space.expandtabs(4))
                keep = " " * max(0, columns - width)
                draft.replace(below, 0, len(space), keep)
