"""Giving a task another id, everywhere it is named (plan-format §6, §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from devloop.errors import NotFound, StaleEdit, UsageError
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.find import TaskRef, locate
from devloop.plan.graph import Need
from devloop.plan.groups import group_members
from devloop.plan.inline import Span
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan, Task
from devloop.plan.naming import named, reference_lines
from devloop.plan.numbering import next_id
from devloop.plan.spans import span_at, spans

_ID: Final = re.compile(r"[\w.:-]{1,80}")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+){0,4}")
_SPEC: Final = re.compile(r"T-?[0-9]+")
_REQUEST: Final = re.compile(r"PR-[0-9]+-[0-9]+")
_KEY: Final = re.compile(r"[A-Z][A-Z0-9]{0,15}(?:-[A-Z0-9]+)*-[0-9]+")


class Renamable(NamedTuple):
    """What can be renamed at a place: columns, and what the input begins with. `line` is the task's own line."""

    start: int
    end: int
    placeholder: str
    line: int


def renamable(plan: Plan, line: int, column: int) -> Renamable | None:
    """What a rename at this place would rename: a task's id, where it is defined or where it is named.

    On the title of a task without an id it offers the next one. Lines of the log are history: None.
    """
    span = span_at(plan, line, column)
    if span is None or span.kind == "log-task":
        return None
    at = plan.graph.by_line.get(line)
    if span.kind == "task-id" and at is not None:
        return Renamable(span.start, span.end, plan.tasks[at].id, line)
    if span.kind == "title" and at is not None and not plan.tasks[at].explicit:
        phase = plan.tasks[at].phase_index
        offered = next_id(plan, plan.phases[phase] if phase is not None else None)
        return Renamable(span.start, span.end, offered or plan.tasks[at].id, line)
    for name in named(plan, span):
        members = plan.graph.by_id.get(name.id.lower(), ()) if name.kind == "task" else ()
        if len(members) == 1 and name.start <= column <= name.end:
            return Renamable(name.start, name.end, name.id, plan.tasks[members[0]].line)
    return None


def rename(plan: Plan, task: Task, new_id: str) -> tuple[Edit, ...]:
    """Edits that give `task` the id `new_id`: its own line, dependencies, ends of ranges, lists of groups.

    A task without an id gets one. Log lines stay: they are history. What a reference covers stays the same; where
    the new id would fall out of a range (or into one), the range becomes a list of ids. Raises `NotFound` when the
    task is not in the plan, `UsageError` when the id can't be written or read back, is taken, or is used in archived
    phases, and when another part of the plan would change its meaning.
    """
    try:
        task = locate(plan, TaskRef.of(task))
    except StaleEdit as error:
        raise NotFound(error.message, hint=error.hint) from error
    new_id = new_id.strip()
    if task.explicit and new_id == task.id:
        return ()
    index = plan.graph.by_line[task.line]
    _check(plan, task, index, new_id)
    own = _own_edit(plan, task, new_id)
    renamed = parse(apply_to(plan.document, [own]), archived_ids=plan.archived_ids)
    if not _reads_back(plan, renamed, index, new_id):
        raise UsageError(
            f"{new_id} can't be the id of this task: it would not be read as one there",
            hint=_forms(task),
        )
    edits = [own]
    for line in reference_lines(plan):
        for span in spans(plan, line):
            if span.kind in ("dependency", "task-reference"):
                edits += _reference(plan, renamed, task, new_id, span)
    edits.sort(key=lambda edit: (edit.start_line, edit.start))
    changed = parse(apply_to(plan.document, edits), archived_ids=plan.archived_ids)
    if not _same(plan, changed, index, new_id):
        raise UsageError(
            f"Renaming {task.id} to {new_id} would change what other lines of the plan mean",
            hint="Rename it to an id of the same form, or change the references by hand",
        )
    return tuple(edits)


def _check(plan: Plan, task: Task, index: int, new_id: str) -> None:
    if not _ID.fullmatch(new_id):
        raise UsageError(
            f"{new_id!r} is no id", hint="Ids are letters, digits, dots and dashes: 2.1, T001, P0-1, login"
        )
    other = next((at for at in plan.graph.by_id.get(new_id.lower(), ()) if at != index), None)
    if other is not None:
        raise UsageError(f"There is a task {plan.tasks[other].id} in line {plan.tasks[other].line} already")
    archived = plan.graph.resolver.archived
    for name in (task.id, new_id):
        if name.lower() in archived:
            raise UsageError(
                f"{name} is a task of an archived phase, where the id can't be changed",
                hint="Choose an id that the archive does not use",
            )


def _own_edit(plan: Plan, task: Task, new_id: str) -> Edit:
    """The edit of the task's own line."""
    line = plan.document.line(task.line - 1)
    text = body(line)
    if task.explicit:
        span = next((span for span in spans(plan, task.line) if span.kind == "task-id"), None)
        if span is None:
            raise UsageError(f"The id in line {task.line} can't be found: the line is too long")
        written = new_id.removeprefix("step-") if task.form == "step" else new_id
        return Edit(task.line, span.start, task.line, span.end, written, text[span.start : span.end], text)
    box = plan.tree.tasks[plan.graph.by_line[task.line]].box
    if box is None or box.empty:
        raise UsageError(f"The task in line {task.line} has no text yet", hint="Write what it is about first")
    if _NUMBERS.fullmatch(new_id):
        lead = f"Task {new_id}: "
    elif _SPEC.fullmatch(new_id):
        lead = f"{new_id} "
    elif _REQUEST.fullmatch(new_id):
        lead = f"[{new_id}] "
    elif _KEY.fullmatch(new_id):
        lead = f"{new_id}: "
    else:
        end = len(text.rstrip())
        return Edit(task.line, end, task.line, end, f" {{#{new_id}}}", "", text)
    return Edit(task.line, box.body, task.line, box.body, lead, "", text)


def _forms(task: Task) -> str:
    examples = {
        "task": "Task takes numbers, such as 2.1",
        "number": "Here stand numbers with dots, such as 2.1",
        "step": "Steps are named step-1, step-2",
        "anchor": "Anchors are letters, digits, dots and dashes",
    }
    return examples.get(task.form, "Use an id of the same form as the present one")


def _reads_back(plan: Plan, renamed: Plan, index: int, new_id: str) -> bool:
    if [task.line for task in plan.tasks] != [task.line for task in renamed.tasks]:
        return False
    before, after = plan.tasks[index], renamed.tasks[index]
    return after.explicit and after.id == new_id and after.title == before.title and after.tags == before.tags


def _reference(plan: Plan, renamed: Plan, task: Task, new_id: str, span: Span) -> Iterator[Edit]:
    """The edit of one reference, if it needs one: the new id, or the ids it covered when a range no longer fits."""
    line = plan.document.line(span.line - 1)
    old = line[span.start : span.end]
    new = old
    for name in reversed(named(plan, span)):
        if name.kind == "task" and name.id.lower() == task.id.lower():
            new = new[: name.start - span.start] + new_id + new[name.end - span.start :]
    value = span.value[: len(span.value) - len(old)] + new  # with `Phase`, where that was added in front
    wanted = _members(plan, span.kind, span.value)
    if _members(renamed, span.kind, value) != wanted:
        new = ", ".join(dict.fromkeys(renamed.tasks[at].id for at in wanted[0]))
        alone = [_members(renamed, span.kind, name) for name in new.split(", ")]
        if not wanted[0] or sorted(at for members, _ in alone for at in members) != sorted(wanted[0]):
            raise UsageError(
                f"Renaming {task.id} to {new_id} would change what {old!r} in line {span.line} stands for",
                hint="Change that reference first",
                line=span.line,
            )
    if new != old:
        yield Edit(span.line, span.start, span.line, span.end, new, old, body(line))


def _members(plan: Plan, kind: str, value: str) -> tuple[list[int], list[str]]:
    """The tasks a reference stands for, and what it names that doesn't exist."""
    if kind == "task-reference":
        return sorted(set(group_members(value, plan.graph))), []
    return _of(plan.graph.resolver.references(value))


def _of(needs: tuple[Need, ...]) -> tuple[list[int], list[str]]:
    members = {at for need in needs for at in need.members}
    return sorted(members), sorted(name.lower() for need in needs if need.unknown for name in need.ids)


_SAME: Final = (
    *("title", "line", "marker", "phase_index", "parent_line", "group", "story", "agent", "mode", "model", "skills"),
    *("budget_usd", "turns", "timeout_s", "optional", "background", "sequential", "acceptance", "files", "notes"),
    *("verify", "effort", "owner", "requirements", "details", "extra", "may_change_tests"),
)


def _same(plan: Plan, changed: Plan, index: int, new_id: str) -> bool:
    """Whether the plan says the same as before, but for the one id: tasks, edges, groups, phases, criteria, log."""
    if len(plan.tasks) != len(changed.tasks) or changed.tasks[index].id != new_id:
        return False
    for at, (old, new) in enumerate(zip(plan.tasks, changed.tasks, strict=True)):
        if any(getattr(old, name) != getattr(new, name) for name in _SAME):
            return False
        if at != index and (old.explicit != new.explicit or (old.explicit and old.id != new.id)):
            return False
        if _of(plan.graph.needs[at]) != _of(changed.graph.needs[at]):
            return False
    if [_of(needs) for needs in plan.graph.phase_needs] != [_of(needs) for needs in changed.graph.phase_needs]:
        return False
    phases = [[(phase.id, phase.name, phase.line, phase.status) for phase in one.phases] for one in (plan, changed)]
    texts = [[(criterion.line, criterion.text) for criterion in one.criteria] for one in (plan, changed)]
    return phases[0] == phases[1] and texts[0] == texts[1] and plan.log == changed.log and plan.fields == changed.fields
