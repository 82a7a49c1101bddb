"""Diagnostics about single tasks and phases: ids, markers, tags, files, titles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.plan import items, tags
from devloop.plan.lines import body
from devloop.plan.model import Edit, Phase, Plan, Problem, Task
from devloop.plan.spans import spans

Fixes = tuple[tuple[str, tuple[Edit, ...]], ...]
_LAST_NUMBER = re.compile(r"(?<![0-9])[0-9]++$")
_CANONICAL = {"/": "~", ">": "!"}
_TASK_TAG = re.compile(
    r"\[(?:depends|background|sequential|model|agent|skills?|budget|turns|timeout)\b[^\]]*\]", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]|[\\/]|~")


def find(plan: Plan) -> Iterator[Problem]:
    yield from across(plan)
    for index in range(len(plan.tasks)):
        yield from of_task(plan, index)
    yield from _open_subtasks(plan)


def across(plan: Plan) -> Iterator[Problem]:
    """What names other lines, and what headings of phases have."""
    yield from _duplicates(plan)
    seen: dict[str, Phase] = {}
    for phase in plan.phases:
        first = seen.setdefault(phase.id.lower(), phase)
        if first is not phase:
            related = ((first.line, f"Phase {first.id} first"),)
            message = f"There is a phase {phase.id} in line {first.line} already"
            yield Problem("duplicate-phase", "warning", phase.line, message, related=related)
        yield from _phase_tags(plan, phase)


def of_task(plan: Plan, index: int) -> Iterator[Problem]:
    """What is wrong with one task's own line."""
    task, box = plan.tasks[index], plan.tree.tasks[index].box
    assert box is not None
    if task.marker in _CANONICAL or task.status == "unknown":
        yield from _marker(plan, task, box)
    if not task.title and len(body(plan.document.line(task.line - 1))) <= items.MAX_LINE:
        name = f" {task.id}" if task.explicit else ""
        yield Problem("empty-title", "warning", task.line, f"The task{name} has no text", box.column - 1)
    if task.unwritten:
        message = f"Task {task.id} is still the template's, so it can't run: write down what is to be done"
        yield Problem("template-task", "warning", task.line, message, box.column - 1)
    if box.tags:
        yield from _tags(plan, task, box)
    if task.files:
        yield from _paths(task)
    if task.explicit and task.phase is not None and task.parent is None:
        yield from _phase_mismatch(plan, task)


def _duplicates(plan: Plan) -> Iterator[Problem]:
    for members in plan.graph.by_id.values():
        if len(members) < 2:
            continue
        first = plan.tasks[members[0]]
        sections = {plan.tree.tasks[members[0]].section}
        for at in members[1:]:
            task = plan.tasks[at]
            section = plan.tree.tasks[at].section
            if task.form == "step" and section not in sections:
                sections.add(section)  # steps are numbered anew in each section
                continue
            if not task.explicit:
                continue
            related = ((first.line, f"{first.id} first"),)
            message = f"The id {task.id} is used in line {first.line} already"
            yield Problem("duplicate-id", "warning", task.line, message, related=related, fixes=_renumber(plan, task))


def _renumber(plan: Plan, task: Task) -> Fixes:
    number = _LAST_NUMBER.search(task.id)
    written = next((span for span in spans(plan, task.line) if span.kind == "task-id"), None)
    if number is None or written is None or len(number[0]) > 9:
        return ()
    first, width = int(number[0]), len(number[0])
    text = plan.document.line(task.line - 1)
    end = written.end
    for count in range(first + 1, first + 1000):
        following = str(count).rjust(width, "0")
        fresh = task.id[: number.start()] + following
        if fresh.lower() not in plan.graph.by_id:
            edit = Edit(task.line, end - width, task.line, end, following, text[end - width : end], body(text))
            return ((f"Renumber to {fresh}", (edit,)),)
    return ()


def _marker(plan: Plan, task: Task, box: items.Box) -> Iterator[Problem]:
    start, end = box.column - 1, box.column + 2
    context = body(plan.document.line(task.line - 1))
    if task.marker in _CANONICAL:
        canonical = _CANONICAL[task.marker]
        edit = Edit(task.line, box.column, task.line, box.column + 1, canonical, task.marker, context)
        message = f"[{task.marker}] is read as {task.status.replace('_', ' ')}; devloop writes [{canonical}]"
        fix = ((f"Write [{canonical}]", (edit,)),)
        same = task.marker == "/"  # [>] is deferred, [!] blocked: near, but not the same
        yield Problem("marker-alias", "info", task.line, message, start, end, fixes=fix, certain=same)
    else:
        fixes = tuple(
            (
                f"Write [{marker}]",
                (Edit(task.line, box.column, task.line, box.column + 1, marker, task.marker, context),),
            )
            for marker in (" ", "x")
        )
        message = f"The marker [{task.marker}] has no meaning. Known: [ ], [~], [x], [!], [-]"
        yield Problem("unknown-marker", "warning", task.line, message, start, end, fixes=fixes)


def _tags(plan: Plan, task: Task, box: items.Box) -> Iterator[Problem]:
    for tag in box.tags:
        start, end = box.body + tag.start, box.body + tag.end
        if tag.known:
            value = tag.value.lower()
            if tag.name == "parallel" and value in ("none", "full", "partial"):
                read = "it is read as [sequential]" if value == "none" else "it has no effect here"
                message = f"[parallel:{value}] belongs on a phase heading; {read}"
                fixes, certain = _misplaced(plan, task, box, tag)
                yield Problem("tag-misplaced", "warning", task.line, message, start, end, fixes=fixes, certain=certain)
            continue
        if tag.name in tags.WITH_VALUE:
            message = f"[{tag.text}] has a value that can't be read"
            yield Problem("unknown-tag", "hint", task.line, message, start, end)
        elif tag.name not in tags.KNOWN and (near := tags.nearest(tag.name)):
            text = plan.document.line(task.line - 1)
            first = start + 1
            while text[first : first + 1] in (" ", "\t"):
                first += 1
            edit = Edit(task.line, first, task.line, first + len(tag.name), near, text[first : first + len(tag.name)])
            message = f"There is no tag {tag.name!r}; nearest: {near}"
            yield Problem(
                "unknown-tag", "hint", task.line, message, start, end, fixes=((f"Write [{near}:…]", (edit,)),)
            )


def _misplaced(plan: Plan, task: Task, box: items.Box, tag: tags.Tag) -> tuple[Fixes, bool]:
    """`[parallel:none]` on a task is `[sequential]`; for sure only when no other group waits behind it."""
    if tag.value.lower() != "none":
        return (), False
    line = plan.document.line(task.line - 1)
    start, end = box.body + tag.start, box.body + tag.end
    edit = Edit(task.line, start, task.line, end, "[sequential]", line[start:end], body(line))
    alone = sum(other.known and other.name == "parallel" for other in box.tags) == 1
    return (("Write [sequential]", (edit,)),), alone


def _phase_tags(plan: Plan, phase: Phase) -> Iterator[Problem]:
    line = plan.document.line(phase.line - 1)
    found = _TASK_TAG.search(line[: items.MAX_LINE])
    if found is not None:
        message = f"{found[0][:80]} belongs on a task; it has no effect on a phase"
        yield Problem("tag-misplaced", "warning", phase.line, message, found.start(), found.end())


def leaves_repository(path: str) -> bool:
    """Whether a path of a `Files` value points outside of the repository."""
    if _DRIVE.match(path):
        return True
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


def _paths(task: Task) -> Iterator[Problem]:
    for ref in task.files:
        if leaves_repository(ref.path):
            yield Problem("path-outside", "error", task.line, f"{ref.path} is outside of the repository")


def _phase_mismatch(plan: Plan, task: Task) -> Iterator[Problem]:
    assert task.phase_index is not None
    number, dot, _ = task.id.partition(".")
    if not dot or not number.isdigit():
        return
    chain = [plan.phases[at].id for at in plan.graph.phase_chain(plan.graph.by_line[task.line])]
    if not all(name[:1].isdigit() for name in chain):
        return
    if any(task.id == name or task.id.startswith(f"{name}.") or number == name for name in chain):
        return
    message = f"Task {task.id} stands in phase {task.phase}; the heading decides"
    yield Problem("task-phase-mismatch", "hint", task.line, message)


def _open_subtasks(plan: Plan) -> Iterator[Problem]:
    open_below: dict[int, int] = {}
    for task in plan.tasks:
        if task.parent_line is not None and not task.done:
            open_below[task.parent_line] = open_below.get(task.parent_line, 0) + 1
    for line, count in open_below.items():
        task = plan.tasks[plan.graph.by_line[line]]
        if task.status == "complete":
            many = f"{count} steps are" if count > 1 else "one step is"
            yield Problem("open-subtasks", "hint", line, f"The task is done, but {many} still open")
