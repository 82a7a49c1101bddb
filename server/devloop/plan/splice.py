"""A plan with some of its blocks read again and the rest moved: for lines that come, go or mean something else, as long
as tasks and what they wait for stay the same (a new line, a blank one, prose, metadata, criteria, a bullet).

It costs what it costs to count the lines below anew, a tenth of reading them. What it can't be sure of is read anew.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from devloop.plan import problems_graph, problems_tasks, problems_text
from devloop.plan.build import sections_of
from devloop.plan.document import Document
from devloop.plan.model import Criterion, Edit, Plan, Problem, Task
from devloop.plan.regions import Region, region
from devloop.plan.stats import Part
from devloop.plan.tasks import with_details
from devloop.plan.tree import Builder, Node, PhaseDraft, Record, SectionDraft, Tree

HEADER_LINES: Final = 64  # malformed header fields are looked for in plain text up to here
_MOST_SAID_AGAIN: Final = 100  # tasks of which a problem names a line that moved
_OF_TEXT: Final = frozenset(
    (
        *("invalid-utf8", "line-too-long", "mixed-eol", "unclosed-fence", "unclosed-comment", "malformed-checkbox"),
        *("checkbox-not-a-task", "table-tasks", "heading-task", "no-tasks", "long-plan"),
    )
)
_ACROSS: Final = frozenset(("duplicate-id", "duplicate-phase"))
OF_TASK: Final = frozenset(
    (
        *("empty-title", "template-task", "unknown-tag", "tag-misplaced", "marker-alias", "unknown-marker"),
        "path-outside",
        *("task-phase-mismatch", "unknown-dependency", "range-reversed", "self-dependency", "forward-dependency"),
        *("depends-on-blocked", "dependency-cycle"),
    )
)
"""What `problems_tasks.of_task` and `problems_graph.of_task` say of a task's line."""
T = TypeVar("T")


class _Unsure(Exception):
    """The plan has to be read anew."""


def spliced(plan: Plan, document: Document) -> Plan | None:
    """The plan of `document`, an edited `plan.document`, equal to `parse(document)`; None when it has to be read."""
    if not (plan.document.valid and document.valid):
        return None
    place = region(plan.document, document)
    if place is None or not _is_below_header(plan, place.start) or not all(map(_is_plain, place.old + place.new)):
        return None
    try:
        return _spliced(plan, document, place)
    except _Unsure:
        return None


def _is_below_header(plan: Plan, start: int) -> bool:
    end = plan.tree.header_end
    return start >= max(plan.document.front, HEADER_LINES) or 0 < end <= start


def _is_plain(read: Record) -> bool:
    """Whether a line is no heading, no field and no group of a phase: those mean something to lines far away."""
    _, step, kind, value = read
    if kind == "text":
        return bool(step.state.stack) or not value.startswith("**")
    if kind == "bullet":
        return not value[0].text[:8].lstrip("*_").lower().startswith("group")
    return kind in ("box", "quote")


def _spliced(plan: Plan, document: Document, place: Region) -> Plan:
    at = bisect_right(plan.tree.sections, place.start, key=_line) - 1
    section = plan.tree.sections[at] if at >= 0 else None
    old = Builder(plan.document).part(place.old, section)
    new = Builder(document).part(place.new, section)
    if old.log or new.log or len(old.tasks) != len(new.tasks):
        raise _Unsure
    first = bisect_right(plan.tasks, place.start, key=_line)
    for before, after in zip(plan.tasks[first:], zip(old.tasks, new.tasks, strict=True), strict=False):
        if not _same_task(before, *after):
            raise _Unsure
    for node in new.tasks:
        node.index += first
    for node in new.nodes.values():
        node.section = at if node.section >= 0 else -1
    tree = _tree(plan.tree, new, place)
    changed = tuple(_task(before, node, place) for before, node in zip(plan.tasks[first:], new.tasks, strict=False))
    last = first + len(changed)
    for before, task in zip(plan.tasks[first:last], changed, strict=True):
        if (task.group and task.files != before.files) or (task.status == "blocked" and task.notes != before.notes):
            raise _Unsure
    moved = place.moved
    tasks = (*plan.tasks[:first], *changed, *(_moved_task(task, moved) for task in plan.tasks[last:]))
    graph = copy.copy(plan.graph)
    graph.by_line = {task.line: index for index, task in enumerate(tasks)}
    result = replace(
        plan,
        document=document,
        tasks=tasks,
        phases=tuple(
            _with(phase, line=draft.line, end_line=draft.end_line) if phase.end_line >= place.old_end else phase
            for phase, draft in zip(plan.phases, tree.phases, strict=True)
        ),
        criteria=_spliced_list(plan.criteria, _criteria(plan, new, section), place, _moved_line),
        log=_spliced_list(plan.log, (), place, _moved_line),
        sections=sections_of(tree, document),
        graph=graph,
        tree=tree,
    )
    if "stats" in plan.__dict__:
        criteria = Part(len(result.criteria), sum(each.done for each in result.criteria))
        result.__dict__["stats"] = replace(plan.stats, criteria=criteria)
    if "problems" in plan.__dict__:
        lines = {before.line: after.line for before, after in zip(plan.tasks[first:last], changed, strict=True)}
        result.__dict__["problems"] = _problems(result, plan.problems, place, lines)
    return result


def _line(placed: Any) -> int:
    found: int = placed.line
    return found


# Tasks


def _same_task(task: Task, old: Node, new: Node) -> bool:
    """Whether a task says the same to all others: id, state, place, what it waits for, its group."""
    left, right = old.box, new.box
    assert left is not None
    assert right is not None
    if (left.mark, left.id, left.form, left.optional, left.ordered, left.marked) != (
        *(right.mark, right.id, right.form, right.optional, right.ordered, right.marked),
    ):
        return False
    if (old.parent.index if old.parent else None) != (new.parent.index if new.parent else None):
        return False
    if not task.explicit and left.title != right.title and task.status in ("complete", "blocked"):
        return False  # the log may name it by its title
    return _relations(old) == _relations(new)


def _relations(node: Node) -> list[object]:
    assert node.box is not None
    found: list[object] = [(tag.name, tag.value, tag.known) for tag in node.box.tags if tag.name in _RELATING]
    found += [(tuple(value.texts), tuple(value.nested)) for meta, value in node.metas if meta.key == "depends"]
    return found


_RELATING: Final = ("depends", "parallel")


def _task(before: Task, node: Node, place: Region) -> Task:
    assert node.box is not None
    parent = before.parent_line
    if node.parent is not None:
        parent = node.parent.line
    task = with_details(_with(before, line=node.line, parent_line=parent), node)
    if task.title != node.box.title:
        task.__dict__.pop("key", None)
        task.__dict__["title"] = node.box.title
    return task


def _moved_task(task: Task, by: int) -> Task:
    found = object.__new__(Task)
    values = found.__dict__
    values.update(task.__dict__)
    values["line"] += by
    if task.parent_line is not None:
        values["parent_line"] += by
    return found


def _with(value: T, **changes: Any) -> T:
    """A frozen value with other fields: `dataclasses.replace` without the cost of `__init__`."""
    found = object.__new__(type(value))
    found.__dict__.update(value.__dict__)
    found.__dict__.update(changes)
    return found


def _moved_line(value: T, by: int) -> T:
    return _with(value, line=value.line + by)  # type: ignore[attr-defined]


def _criteria(plan: Plan, new: Tree, section: SectionDraft | None) -> tuple[Criterion, ...]:
    """As in `build`: with the phase they stand in and the task they belong to."""
    phase = plan.tree.phases[section.phase].head.id if section is not None and section.phase is not None else None
    return tuple(
        _with(each, phase=phase, parent=plan.tasks[parent.index].id if parent is not None else None)
        for each, parent in zip(new.criteria, new.criterion_parents, strict=True)
    )


# The tree


def _spliced_list(
    old: Sequence[T], new: Iterable[T], place: Region, move: Callable[[T, int], T], line: Callable[[T], int] = _line
) -> tuple[T, ...]:
    """`old` in the order of lines, with what stands in the region replaced and what stands below moved."""
    first = bisect_right(old, place.start, key=line)
    last = bisect_right(old, place.old_end, first, key=line)
    by = place.moved
    below = old[last:]
    return (*old[:first], *new, *([move(each, by) for each in below] if by else below))


def _tree(old: Tree, new: Tree, place: Region) -> Tree:
    by = place.moved
    found = copy.copy(old)
    moved = _moved_nodes(old, place)

    def node(each: Node, _: int) -> Node:
        return moved[id(each)]

    found.tasks = list(_spliced_list(old.tasks, new.tasks, place, node))
    found.nodes = {line: each for line, each in old.nodes.items() if line <= place.start}
    found.nodes.update(new.nodes)
    if by:
        found.nodes.update((line + by, moved[id(each)]) for line, each in old.nodes.items() if line > place.old_end)
    else:
        found.nodes.update((line, each) for line, each in old.nodes.items() if line > place.old_end)
    first = bisect_right(old.criteria, place.start, key=_line)
    last = bisect_right(old.criteria, place.old_end, key=_line)
    below = old.criterion_parents[last:]
    found.criterion_parents = [*old.criterion_parents[:first], *new.criterion_parents]
    found.criterion_parents += [moved[id(each)] if each is not None else None for each in below] if by else below
    found.criteria = list(_spliced_list(old.criteria, new.criteria, place, _moved_line))
    found.log = list(_spliced_list(old.log, (), place, _moved_line))
    found.sections = list(_spliced_list(old.sections, (), place, lambda each, by: each._replace(line=each.line + by)))
    found.suspects = list(_spliced_list(old.suspects, new.suspects, place, lambda each, by: each + by, lambda at: at))
    found.malformed = list(_spliced_list(old.malformed, new.malformed, place, _moved_pair, _first))
    found.tables = list(_spliced_list(old.tables, new.tables, place, _moved_pair, _first))
    if old.header_end > place.start:
        found.header_end += by
    found.phases = [_moved_phase(each, place) for each in old.phases]
    return found


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _moved_pair(pair: tuple[int, T], by: int) -> tuple[int, T]:
    return pair[0] + by, pair[1]


def _moved_phase(draft: PhaseDraft, place: Region) -> PhaseDraft:
    if draft.end_line < place.old_end or not place.moved:
        return draft
    found = copy.copy(draft)
    found.end_line += place.moved
    if draft.line > place.start:
        found.line += place.moved
    return found


def _moved_nodes(tree: Tree, place: Region) -> dict[int, Node]:
    """The nodes below the region in their new lines, by the identity of the old ones."""
    by, end = place.moved, place.old_end
    moved: dict[int, Node] = {}
    if not by:
        return moved
    listed: list[Node] = []
    newer = _newer(tree, end)
    for line, known in tree.nodes.items():
        if line > end and id(known) not in moved:
            node = newer.get(id(known), known)
            found = Node.__new__(Node)
            found.kind, found.line, found.texts, found.nested = node.kind, node.line + by, node.texts, node.nested
            found.step, found.key, found.box, found.metas = node.step, node.key, node.box, node.metas
            found.phase, found.section, found.index = node.phase, node.section, node.index
            found.parent = moved[id(node.parent)] if node.parent is not None else None
            moved[id(known)] = found
            if node.metas:
                listed.append(found)
    moved.update({id(node): moved[known] for known, node in newer.items()})
    for found in listed:
        found.metas = [(meta, moved[id(value)]) for meta, value in found.metas]
    return moved


def _newer(tree: Tree, end: int) -> dict[int, Node]:
    """Nodes below a line that were read again (see `reparse`), by the identity of those that `nodes` still has."""
    found: dict[int, Node] = {}
    for task in tree.tasks[bisect_right(tree.tasks, end, key=_line) :]:
        known = tree.nodes[task.line]
        if known is not task:
            found[id(known)] = task
            for _, value in task.metas:
                if tree.nodes[value.line] is not value:
                    found[id(tree.nodes[value.line])] = value
    return found


# Problems


def _problems(plan: Plan, old: Sequence[Problem], place: Region, lines: Mapping[int, int]) -> tuple[Problem, ...]:
    """`lines`: where the tasks of the region stood and stand. Problems of the text and those that name other lines are
    found again, those of the region's tasks as well; the others moved."""
    again = set(lines.values())
    found: list[Problem] = []
    for problem in old:
        if problem.code in _OF_TEXT or problem.code in _ACROSS:
            continue
        line = _moved_to(problem.line, place, lines)
        if problem.code == "forward-dependency":
            again.add(line)
        elif problem.code == "parallel-depends" and problem.line in lines:
            raise _Unsure  # its place is that of a tag
        found.append(_moved_problem(problem, line, place, lines))
    if len(again) > len(lines) + _MOST_SAID_AGAIN:
        raise _Unsure
    found = [each for each in found if _stays(plan, each, again)]
    for line in again:
        index = plan.graph.by_line[line]
        found += problems_tasks.of_task(plan, index)
        found += problems_graph.of_task(plan, index)
    found += problems_text.find(plan)
    found += problems_tasks.across(plan)
    found.sort(key=lambda problem: (problem.line, problem.start, problem.code))
    return tuple(found)


def _stays(plan: Plan, problem: Problem, again: set[int]) -> bool:
    if problem.line in plan.graph.by_line:
        return problem.line not in again or problem.code not in OF_TASK
    return problem.code != "tag-misplaced"  # of a phase's heading


def _moved_to(line: int, place: Region, lines: Mapping[int, int]) -> int:
    if line <= place.start:
        return line
    if line > place.old_end:
        return line + place.moved
    if line not in lines:
        raise _Unsure
    return lines[line]


def _moved_problem(problem: Problem, line: int, place: Region, lines: Mapping[int, int]) -> Problem:
    related = tuple((_moved_to(at, place, lines), message) for at, message in problem.related)
    fixes = tuple((title, tuple(_moved_edit(edit, place, lines) for edit in edits)) for title, edits in problem.fixes)
    if line == problem.line and related == problem.related and fixes == problem.fixes:
        return problem
    return _with(problem, line=line, related=related, fixes=fixes)


def _moved_edit(edit: Edit, place: Region, lines: Mapping[int, int]) -> Edit:
    if edit.start_line <= place.start and edit.end_line <= place.start:
        return edit
    start, end = (_moved_to(line, place, lines) for line in (edit.start_line, edit.end_line))
    return _with(edit, start_line=start, end_line=end)
