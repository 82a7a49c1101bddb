"""What a task waits for, said anew (plan-format §7): references go and come, those that stay are not touched.

A range or a phase stays as long as all of its tasks are wanted. New ones go into the task's first `[depends:…]`, else
into a new one at the end of its line. What the phases around it wait for is not the task's own and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from devloop.errors import Refused, UsageError
from devloop.plan import dependencies
from devloop.plan.dependencies import Reference
from devloop.plan.extent import last_line
from devloop.plan.find import TaskRef, find_task, locate
from devloop.plan.items import MAX_LINE
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft


@dataclass(frozen=True)
class _Wanted:
    """`text`: how it is written; `members`: the tasks, none for what is archived, empty or unknown."""

    text: str
    members: frozenset[int]


def depend(plan: Plan, task: Task, on: Sequence[str]) -> tuple[Edit, ...]:
    """The edits after which a task waits for `on` and for nothing else by its own word: ids, ranges, `Phase 2`, or what
    else names a task. None when it does so already.

    Raises `NotFound` for what does not exist, `Refused` when tasks would wait for each other then (the message names
    the cycle), `UsageError` for steps, for tasks that nobody can name, and for text that can't be changed;
    `StaleEdit` when the task is not in the plan.
    """
    task = locate(plan, TaskRef.of(task))
    index = plan.graph.by_line[task.line]
    if not task.pickable:
        raise UsageError(f"{task.label} is a step of task {task.parent}", hint="Change that task instead")
    there = list(dependencies.of_task(plan, index))
    wanted = [_wanted(plan, name, there) for name in on]
    members = frozenset(at for each in wanted for at in each.members)
    if index in members:
        raise Refused(f"{task.label} can't wait for itself.", hint="Leave it out.")
    texts = {each.text.lower() for each in wanted}
    kept = [each for each in there if _stays(each, members, texts)]
    covered = frozenset(at for each in kept for at in _members(each))
    known = {each.text.lower() for each in kept}
    missing = [each.text for each in wanted if not each.members or not each.members <= covered]
    new = list(dict.fromkeys(text for text in missing if text.lower() not in known))
    gone = [each for each in there if each not in kept]
    if not gone and not new:
        return ()
    try:
        return _edits(plan, index, there, gone, new, members, plain=False)
    except UsageError as problem:
        try:  # such as `Phase 2 and 3` without its first part
            return _edits(plan, index, there, gone, new, members, plain=True)
        except UsageError:
            raise problem from None


def _wanted(plan: Plan, name: str, there: Iterable[Reference]) -> _Wanted:
    """What a name means; one that the task has already may also be of something that does not exist."""
    text = name.strip()
    needs = plan.graph.resolver.references(text)
    known = bool(needs) and "," not in text and "]" not in text and not any(need.unknown for need in needs)
    if known or any(each.text.lower() == text.lower() for each in there):
        members = frozenset(at for need in needs for at in need.members)
        if len(members) == 1 and not needs[0].whole_phase and plan.tasks[min(members)].explicit:
            text = plan.tasks[min(members)].id  # `Task 1.2` is 1.2
        return _Wanted(text, members)
    task = find_task(plan, text)
    if not task.explicit:
        raise UsageError(f"{task.label} has no id that others could name", hint=f"Give one to line {task.line}")
    at = plan.graph.by_line[task.line]
    if len(plan.graph.by_id[task.id.lower()]) > 1:
        raise UsageError(f"There are several tasks {task.id}", hint="Renumber all but one")
    return _Wanted(task.id, frozenset((at,)))


def _members(reference: Reference) -> frozenset[int]:
    return frozenset(at for need in reference.needs for at in need.members)


def _stays(reference: Reference, members: frozenset[int], texts: set[str]) -> bool:
    mine = _members(reference)
    return reference.text.lower() in texts or (bool(mine) and mine <= members)


def _edits(
    plan: Plan,
    index: int,
    there: Sequence[Reference],
    gone: Sequence[Reference],
    new: Sequence[str],
    members: frozenset[int],
    *,
    plain: bool,
) -> tuple[Edit, ...]:
    """`plain`: the lists that change are written anew, each reference in full, with commas."""
    draft = Draft(plan)
    lists = [list(group) for _, group in groupby(there, key=lambda each: (each.line, each.tag, each.neighbours))]
    takes_new = next((mates for mates in lists if mates[0].tag is not None), lists[0] if lists else None)
    for mates in lists:
        left = [each for each in mates if each not in gone]
        more = new if mates is takes_new else ()
        if len(left) == len(mates) and not more:
            continue
        if left or more:
            text = ", ".join([*(each.text for each in left), *more]) if plain else _joined(plan, mates, left, more)
            draft.replace(mates[0].line, mates[0].start, mates[-1].end, text)
        else:
            _remove(plan, draft, index, there, gone, mates[0])
    if new and takes_new is None:
        _add(plan, draft, index, new)
    edits = draft.edits()
    _check(plan, edits, index, members)
    return edits


def _joined(plan: Plan, mates: Sequence[Reference], left: Sequence[Reference], more: Sequence[str]) -> str:
    """The list with some of its members, each with what stands before it, and further ones."""
    line = plan.document.line(mates[0].line - 1)
    text = ""
    for at, each in enumerate(mates):
        if each in left:
            text += (line[mates[at - 1].end : each.start] if text else "") + line[each.start : each.end]
    return ", ".join([*([text] if text else []), *more])


def _remove(
    plan: Plan, draft: Draft, index: int, there: Sequence[Reference], gone: Sequence[Reference], only: Reference
) -> None:
    """A list of which nothing is left: its tag goes, or its bullet."""
    if only.tag is not None:
        text = plan.document.line(only.line - 1)
        start, end = only.tag
        while start > 0 and text[start - 1] in " \t" and text[: start - 1].strip():
            start -= 1
        draft.replace(only.line, start, end, "")
        return
    first, last = _bullet(plan, index, only.line)
    if any(first <= each.line <= last and each not in gone for each in there):
        raise UsageError(f"What line {first} says goes over several lines", hint="Change it there")
    draft.remove(first, last)


def _bullet(plan: Plan, index: int, line: int) -> tuple[int, int]:
    """The lines of the bullet that holds this one. Raises `UsageError` where it is none of its own."""
    node = plan.tree.tasks[index]
    for meta, value in node.metas:
        last = last_line(plan.document, value.line)
        if meta.key == "depends" and value.line <= line <= last and value.line != node.line:
            return value.line, last
    raise UsageError(f"What the task waits for stands in the text of line {line}", hint="Change it there")


def _add(plan: Plan, draft: Draft, index: int, texts: Sequence[str]) -> None:
    """A new tag at the end of the task's line."""
    line = plan.tasks[index].line
    text = body(plan.document.line(line - 1))
    if len(text) > MAX_LINE or plan.tree.tasks[index].box is None:
        raise UsageError(f"Line {line} can't take a tag", hint="Write what it waits for below the task")
    end = len(text.rstrip())
    draft.replace(line, end, end, f" [depends:{', '.join(texts)}]")


def _check(plan: Plan, edits: tuple[Edit, ...], index: int, members: frozenset[int]) -> None:
    """The task waits for exactly these, nothing else changed, and nobody waits in a circle who did not before."""
    changed = check.after(plan, edits)
    expected, found = check.facts(plan), check.facts(changed)
    if len(expected) != len(found):
        raise UsageError("That would change more than it should", hint="Look at the text around the task")
    expected[index] = replace(expected[index], waits=found[index].waits)
    check.same(expected, changed)
    has = frozenset(at for need in changed.graph.needs[index] for at in need.members)
    if has != members:
        raise UsageError(f"What {plan.tasks[index].label} waits for can't be changed there", hint="Change its line")
    cycle = changed.tasks[index].cycle
    if cycle and not plan.tasks[index].cycle:
        raise Refused(f"Then tasks would wait for each other: {' → '.join(cycle)}.", hint="Leave one of them out.")
    check.no_new_cycle(plan, changed)
