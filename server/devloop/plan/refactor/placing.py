"""Moving a task to another place: before or after another task, or to the end of a phase (plan-format §4, §6, §7).

What belongs to it goes with it: steps, notes, metadata, everything indented below. Ids stay as they are written, in
another phase too; ranges that would name other tasks then are written anew. `moving` is the move that numbers anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from devloop.errors import UsageError
from devloop.plan.document import Document
from devloop.plan.extent import last_line
from devloop.plan.find import TaskRef, locate
from devloop.plan.lines import body
from devloop.plan.model import Edit, Phase, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.follow import follow, moved
from devloop.plan.refactor.moving import blank_behind, end_of_text, indent_of, phase_index, reindented


@dataclass(frozen=True)
class _Place:
    """Where the lines go: after this line, indented like this; `mates`: the tasks that they stand among then;
    `phase`: the index of its phase."""

    after: int
    indent: str
    mates: tuple[Task, ...]
    phase: int | None


def place(
    plan: Plan, task: Task, *, before: Task | None = None, after: Task | None = None, phase: Phase | None = None
) -> tuple[Edit, ...]:
    """The edits that move a task to one of these; none when it stands there already.

    Raises `UsageError` for a place that is within the task, for a step that would leave its task, and where the text
    around does not let it stand there; `StaleEdit` when one of the tasks is not in the plan.
    """
    if sum(wanted is not None for wanted in (before, after, phase)) != 1:
        raise UsageError("Say where to: before a task, after one, or to the end of a phase")
    task = locate(plan, TaskRef.of(task))
    _must_be_alone(plan, task)
    if phase is not None:
        found = _end_of(plan, task, phase)
    elif before is not None:
        found = _before(plan, task, locate(plan, TaskRef.of(before)))
    else:
        assert after is not None
        found = _after(plan, task, locate(plan, TaskRef.of(after)))
    if found is None:
        return ()
    if sum(_same(task, other) for other in plan.tasks) > 1:
        raise UsageError(f"There are several tasks like {task.label}", hint="Give one of them another title first")
    try:
        return _moved(plan, task, found, spaced=_is_loose(plan, found, task))
    except UsageError as problem:
        try:  # Markdown may need an empty line here: a list can't begin in a paragraph with any number
            return _moved(plan, task, found, spaced=True)
        except UsageError:
            raise problem from None


def _same(task: Task, other: Task) -> bool:
    return task.key == other.key and (not (task.explicit and other.explicit) or task.id.lower() == other.id.lower())


def _must_be_alone(plan: Plan, task: Task) -> None:
    if plan.document.step(task.line - 1).opened != 1:
        raise UsageError(f"{task.label} shares its line with another list item")


def _siblings(plan: Plan, task: Task) -> list[Task]:
    """The tasks beside a task, itself among them."""
    return [
        other for other in plan.tasks if other.parent_line == task.parent_line and other.phase_index == task.phase_index
    ]


def _beside(plan: Plan, task: Task, other: Task) -> list[Task]:
    """The siblings of `other`, beside which the task is to stand. Raises `UsageError` where it can't."""
    if other.line == task.line:
        raise UsageError(f"{task.label} can't stand beside itself")
    if task.line < other.line <= last_line(plan.document, task.line):
        raise UsageError(f"{other.label} is part of {task.label}")
    if other.parent_line != task.parent_line:
        if task.parent_line is not None:
            raise UsageError(f"{task.label} belongs to task {task.parent}: move that one")
        raise UsageError(f"{other.label} belongs to task {other.parent}", hint="Name that task instead")
    _must_be_alone(plan, other)
    return _siblings(plan, other)


def _before(plan: Plan, task: Task, other: Task) -> _Place | None:
    mates = _beside(plan, task, other)
    at = mates.index(other)
    if at and mates[at - 1].line == task.line:
        return None
    return _Place(other.line - 1, _indent(plan, other), tuple(mates), other.phase_index)


def _after(plan: Plan, task: Task, other: Task) -> _Place | None:
    mates = _beside(plan, task, other)
    at = mates.index(other) + 1
    if at < len(mates) and mates[at].line == task.line:
        return None
    return _Place(last_line(plan.document, other.line), _indent(plan, other), tuple(mates), other.phase_index)


def _end_of(plan: Plan, task: Task, phase: Phase) -> _Place | None:
    if task.parent_line is not None:
        raise UsageError(f"{task.label} belongs to task {task.parent}: move that one")
    target = phase_index(plan, phase)
    mates = [other for other in plan.tasks if other.phase_index == target and other.parent_line is None]
    if mates and mates[-1].line == task.line:
        return None
    if mates:
        return _after(plan, task, mates[-1])
    return _Place(end_of_text(plan, target), "", (), target)


def _indent(plan: Plan, task: Task) -> str:
    return indent_of(plan.document.line(task.line - 1))


def _is_loose(plan: Plan, found: _Place, task: Task) -> bool:
    """Whether the tasks there have empty lines between them; those of a single one are as where the task comes from."""
    mates = found.mates if len(found.mates) > 1 else tuple(_siblings(plan, task))
    return any(not body(plan.document.line(mate.line - 2)).strip() for mate in mates[1:])


def _moved(plan: Plan, task: Task, found: _Place, *, spaced: bool) -> tuple[Edit, ...]:
    document = plan.document
    first, last = task.line, last_line(document, task.line)
    gone = frozenset(at for at, other in enumerate(plan.tasks) if first <= other.line <= last)
    before = max(
        (at for at, other in enumerate(plan.tasks) if other.line <= found.after and at not in gone), default=None
    )
    order = moved(range(len(plan.tasks)), gone, before)
    draft = Draft(plan)
    follow(plan, draft, order, {}, lambda members: members)
    lines = [draft.text(line) for line in range(first, last + 1)]
    block = reindented(lines, indent_of(document.line(first - 1)), found.indent)
    above = body(document.line(found.after - 1)).strip() if found.after else ""
    below = body(document.line(found.after)).strip() if found.after < document.count else ""
    lonely = not found.mates
    draft.insert(found.after, [*_gap(above, spaced or lonely), *block, *_gap(below, spaced or lonely)])
    draft.remove(first - _blank_above(document, first, last), last + blank_behind(document, first, last))
    edits = draft.edits()
    _check(plan, check.after(plan, edits), order, gone, found.phase)
    return edits


def _blank_above(document: Document, first: int, last: int) -> int:
    """1 when an empty line would remain at the end of the text."""
    return int(last == document.count and first > 1 and not body(document.line(first - 2)).strip())


def _gap(neighbour: str, wanted: bool) -> list[str]:
    return [""] if wanted and neighbour else []


def _check(plan: Plan, changed: Plan, order: list[int], gone: frozenset[int], phase: int | None) -> None:
    """Everything is what it was, in the new order and under the headings where it should be."""
    check.same(check.facts(plan), changed)
    wanted = [_content(plan, at, phase if at in gone else plan.tasks[at].phase_index) for at in order]
    found = [_content(changed, at, other.phase_index) for at, other in enumerate(changed.tasks)]
    for mine, theirs in zip(wanted, found, strict=False):
        if mine != theirs:
            raise UsageError(
                f"That would change more than it should: “{mine[0]}” would not stay what it is",
                hint="Look at the text around it: indentation, empty lines",
            )
    if _rest(plan) != _rest(changed):
        raise UsageError("That would change more than it should", hint="Look at the text around both places")
    check.no_new_cycle(plan, changed)


def _content(plan: Plan, at: int, phase: int | None) -> tuple[object, ...]:
    """What a task says, wherever it stands."""
    task = plan.tasks[at]
    parent = plan.tasks[plan.graph.by_line[task.parent_line]].title if task.parent_line is not None else None
    return (
        *(task.title, task.marker, task.id if task.explicit else "", phase, parent, task.agent, task.mode),
        *(task.acceptance, task.files, task.notes, task.verify, task.effort, task.owner, task.requirements),
        *(task.details, task.extra, task.optional, task.background, task.model, task.budget_usd, task.turns),
        *(task.skills, task.may_change_tests),
    )


def _rest(plan: Plan) -> tuple[object, ...]:
    """What is no task."""
    return (
        *([(phase.id, phase.name, phase.goal) for phase in plan.phases], [line.text for line in plan.log]),
        *(sorted((item.text, item.done) for item in plan.criteria), [(s.text, s.level) for s in plan.sections]),
        [(field.key, field.value) for field in plan.fields],
    )
