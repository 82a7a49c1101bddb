"""Reading a plan again after an edit, without doing again what the edit can't have changed.

Most edits are characters typed into a line that means the same afterwards: prose, code, a task's title, the text of its
metadata. For these the old plan is patched, at a cost that does not grow with the work of reading the plan. Where lines
come and go and tasks stay what they are, it is spliced (`splice`). Everything else is read anew; its scan and the
records of the untouched chunks are still shared (see `document`, `tree.records`).
"""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from devloop.plan import problems_graph, problems_tasks
from devloop.plan.blocks import FRONT, TEXT, UNDERLINE, Step
from devloop.plan.build import parse
from devloop.plan.document import Chunk, Document
from devloop.plan.header import nearly_field
from devloop.plan.items import MAX_LINE, Box
from devloop.plan.lines import ending
from devloop.plan.model import Plan, Problem, Task
from devloop.plan.regions import same_step
from devloop.plan.splice import HEADER_LINES, OF_TASK, spliced
from devloop.plan.tasks import with_details
from devloop.plan.tree import DETAIL, META, Node, Record, record, records

_TOO_MUCH = frozenset(("duplicate-id", "parallel-depends"))


def reparse(plan: Plan, document: Document, *, name: str = "plan.md") -> Plan:
    """The plan of `document`, an edited `plan.document`; always equal to `parse(document)`, often much faster."""
    quick = patched(plan, document) or spliced(plan, document)
    return quick or parse(document, name=name, archived_ids=plan.archived_ids)


def patched(plan: Plan, document: Document) -> Plan | None:
    """The plan of an edited document when that is quick to find; None when it has to be read anew."""
    changed = _changed_lines(plan.document, document)
    return None if changed is None else _patched(plan, document, changed)


def _changed_lines(old: Document, new: Document) -> list[tuple[int, Chunk, Chunk, int]] | None:
    """(line, old chunk, new chunk, offset) of lines with another text; None when lines or blocks moved."""
    if len(old.chunks) != len(new.chunks) or old.count != new.count or (old.bom, old.front) != (new.bom, new.front):
        return None
    changed: list[tuple[int, Chunk, Chunk, int]] = []
    for (base, before), (_, after) in zip(old.numbered_chunks(), new.numbered_chunks(), strict=True):
        if before is after:
            continue
        if len(before.lines) != len(after.lines) or not all(map(same_step, before.steps, after.steps)):
            return None
        for offset, (left, right) in enumerate(zip(before.lines, after.lines, strict=True)):
            if left != right:
                changed.append((base + offset + 1, before, after, offset))
        if len(changed) > 4:
            return None
    return changed


def _patched(plan: Plan, document: Document, changed: Sequence[tuple[int, Chunk, Chunk, int]]) -> Plan | None:
    if not (plan.document.valid and document.valid):
        return None
    tasks: dict[int, tuple[Task, Node]] = {}
    fresh: dict[int, tuple[Chunk, list[Record]]] = {}
    for line, before, after, offset in changed:
        left, right, step = before.lines[offset], after.lines[offset], after.steps[offset]
        if ending(left) != ending(right) or max(len(left), len(right)) > MAX_LINE or step.suspect:
            return None
        known = fresh.setdefault(id(after), (after, list(records(before))))[1]
        if not step.note:
            if not _is_plain(plan, document, line, step):
                return None
            continue
        if _is_in_header(plan, line) and (nearly_field(left) or nearly_field(right)):
            return None
        at = next(at for at, entry in enumerate(known) if entry[0] == offset)
        read = record(offset, step, right)
        found = _retitled(plan, line, read) or _reworded(plan, line, known[at], read)
        if found is None or found[0] in tasks:
            return None
        known[at] = read
        tasks[found[0]] = found[1]
    result = _with_tasks(plan, document, tasks)
    for chunk, known in fresh.values():
        chunk.records = known
    return result


def _is_plain(plan: Plan, document: Document, line: int, step: Step) -> bool:
    """Whether a line that nobody notes may change freely: not a field in the making, not part of a heading."""
    if step.kind == FRONT or _is_in_header(plan, line):
        return False
    if step.kind != TEXT:
        return True
    at = line
    while at < document.count and document.step(at).kind == TEXT:
        at += 1
    return at == document.count or document.step(at).kind != UNDERLINE


def _is_in_header(plan: Plan, line: int) -> bool:
    """Whether what looks like a field in this line is reported."""
    return line <= HEADER_LINES and not 0 < plan.tree.header_end <= line


def _retitled(plan: Plan, line: int, read: Record) -> tuple[int, tuple[Task, Node]] | None:
    """The task of a line of which only the title changed: its index, itself and its node."""
    index = plan.graph.by_line.get(line)
    if index is None or read[2] != "box":
        return None
    node, task, box = plan.tree.tasks[index], plan.tasks[index], read[3]
    if node.box is None or _without_title(node.box) != _without_title(box):
        return None
    if not task.explicit and task.status in ("complete", "blocked"):
        return None  # the log may name it by its title
    changed = copy.copy(node)
    changed.box = box
    return index, (_renamed(task, box.title), changed)


def _reworded(plan: Plan, line: int, known: Record, read: Record) -> tuple[int, tuple[Task, Node]] | None:
    """The task of which a metadata bullet, `known` before, says something else under the same key."""
    if read[2] != "bullet" or known[2] != "bullet":
        return None
    bullet, meta = read[3]
    if bullet.malformed or known[3][0].malformed:
        return None  # what is nearly a box is reported
    index = bisect_left(plan.tasks, line, key=_line) - 1
    if index < 0 or plan.tasks[index].status == "blocked":  # its notes may be the reason
        return None
    owner = plan.tree.tasks[index]
    at = next((at for at, (_, node) in enumerate(owner.metas) if node.line == line), None)
    if at is None:
        return None
    before, node = owner.metas[at]
    if before.key == "files" and plan.tasks[index].group is not None:
        return None  # others of the group may name the same
    if meta is None:
        same, old, new = node.kind == DETAIL, node.texts[:1], bullet.text
    else:
        same = node.kind == META and (before.key, before.name) == (meta.key, meta.name)
        old, new = (before.value,) if before.value else (), meta.value
    if not same or not old or not new or before.key == "depends" or node.texts[:1] != old:
        return None
    changed, inner = copy.copy(owner), copy.copy(node)
    inner.texts = (new, *node.texts[1:])
    changed.metas = [*owner.metas[:at], (before if meta is None else meta, inner), *owner.metas[at + 1 :]]
    return index, (with_details(plan.tasks[index], changed), changed)


def _without_title(box: Box) -> tuple[Any, ...]:
    tags = tuple((tag.name, tag.value, tag.text, tag.known) for tag in box.tags)
    return (box.mark, box.column, box.ordered, box.optional, box.id, box.form, box.marked, box.empty, tags)


def _with_tasks(plan: Plan, document: Document, changed: Mapping[int, tuple[Task, Node]]) -> Plan | None:
    caches: dict[str, Any] = {name: plan.__dict__[name] for name in ("stats", "problems") if name in plan.__dict__}
    tasks, tree = plan.tasks, plan.tree
    if changed:
        all_tasks, nodes = list(tasks), list(tree.tasks)
        for index, (task, node) in changed.items():
            all_tasks[index], nodes[index] = task, node
        tree = copy.copy(tree)
        tree.tasks = nodes
        tasks = tuple(all_tasks)
    result = replace(plan, document=document, tasks=tasks, tree=tree)
    if changed and "problems" in caches:
        lines, known = [task.line for task, _ in changed.values()], caches["problems"]
        if any(problem.code in _TOO_MUCH for line in lines for problem in known[slice(*_of_line(known, line))]):
            return None
        caches["problems"] = _problems(result, known, lines)
    result.__dict__.update(caches)
    return result


def _renamed(task: Task, title: str) -> Task:
    renamed = object.__new__(Task)
    renamed.__dict__.update(task.__dict__)
    renamed.__dict__.pop("key", None)
    renamed.__dict__["title"] = title
    return renamed


def _problems(plan: Plan, old: tuple[Problem, ...], lines: Sequence[int]) -> tuple[Problem, ...]:
    """The old problems, those of these lines that depend on columns found again; `old` itself when all stay."""
    found: list[Problem] | None = None
    for line in lines:
        index = plan.graph.by_line[line]
        known = old if found is None else found
        first, last = _of_line(known, line)
        fresh = [problem for problem in known[first:last] if problem.code not in OF_TASK]
        fresh += problems_tasks.of_task(plan, index)
        fresh += problems_graph.of_task(plan, index)
        fresh.sort(key=lambda problem: (problem.line, problem.start, problem.code))
        if fresh != list(known[first:last]):
            found = list(old) if found is None else found
            found[first:last] = fresh
    return old if found is None else tuple(found)


def _of_line(problems: Sequence[Problem], line: int) -> tuple[int, int]:
    """Where the problems of one line stand: they are in the order of lines, and there may be many thousands."""
    first = bisect_left(problems, line, key=_line)
    return first, bisect_left(problems, line + 1, first, key=_line)


def _line(placed: Problem | Task) -> int:
    return placed.line
