"""Changes of single tasks that are there. What is done, or in hand, is never touched: history, or somebody's work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from devloop.errors import DevloopError, NotFound, Refused, UsageError
from devloop.plan import dependencies, edits, events
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.events import Event
from devloop.plan.extent import last_line, last_text_line
from devloop.plan.find import TaskRef, find_phase, find_task, locate
from devloop.plan.importing import words, writing
from devloop.plan.importing.model import DraftTask, Told
from devloop.plan.lines import body, clean
from devloop.plan.model import Edit, Plan, Task
from devloop.plan.proposing import tasks as making
from devloop.plan.proposing.wanted import WantedChange
from devloop.plan.refactor import depend, place
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.moving import indent_of, reindented
from devloop.plan.spans import spans

Names = Callable[[str], str]
"""The id of a task by what a proposal calls it; empty for none."""


def altered(plan: Plan, change: WantedChange, names: Names, now: datetime, told: Told) -> Plan:
    """The plan after one change. Raises `DevloopError` for one that does not fit."""
    task = find_task(plan, names(change.task) or change.task)
    _must_be_open(task)
    match change.what:
        case "reword":
            return _after(plan, _reworded(plan, task, change, told))
        case "supersede":
            return _superseded(plan, task, change, names, now, told)
        case "move":
            return _after(plan, _moved(plan, task, change, names))
        case "depend":
            return _after(plan, depend(plan, task, _on(plan, change, names, told)))
        case "parallel":
            return _after(plan, _grouped(plan, task, change))
    raise UsageError(f"{change.what} is no change of a task")


def _after(plan: Plan, found: Sequence[Edit]) -> Plan:
    return parse(apply_to(plan.document, tuple(found)), archived_ids=plan.archived_ids) if found else plan


def _must_be_open(task: Task) -> None:
    if task.done:
        raise Refused(f"{task.label} is {'done' if task.status == 'complete' else 'skipped'}; it stays as it is")
    if task.status == "in_progress":
        raise Refused(f"{task.label} is in hand; it stays as it is")


# Other words


def _reworded(plan: Plan, task: Task, change: WantedChange, told: Told) -> tuple[Edit, ...]:
    draft, new = Draft(plan), change.new
    title = words.title(" ".join(new.title.split())) if new.title.strip() else ""
    if title and title != task.title:
        _entitle(plan, draft, task, title)
    drafted = making.drafted(new, told)
    if new.acceptance:
        _meta(plan, draft, task, "acceptance", writing.acceptance_lines(drafted.acceptance))
    if drafted.files:
        _meta(plan, draft, task, "files", writing.listed("Files", [", ".join(drafted.files)]))
    found = draft.edits()
    if not found:
        raise UsageError("it says nothing new")
    changed = _after(plan, found)
    read = next((each for each in changed.tasks if each.line == task.line), None)
    same = read is not None and (read.id, read.tags, read.marker, read.depends_on) == (
        *(task.id, task.tags, task.marker),
        task.depends_on,
    )
    if read is None or not same or (title and read.title != title) or len(changed.tasks) < len(plan.tasks):
        raise UsageError("the line would not be read as it is meant")
    return found


def _entitle(plan: Plan, draft: Draft, task: Task, title: str) -> None:
    """The title in the place of the old one, in front of its tags; what else the line holds stays."""
    parts = [span for span in spans(plan, task.line) if span.kind == "title"]
    if not parts:
        raise UsageError("the title can't be changed there")
    draft.replace(task.line, parts[0].start, parts[0].end, title)
    for part in parts[1:]:
        draft.replace(task.line, part.start, part.end, "")


def _meta(plan: Plan, draft: Draft, task: Task, key: str, lines: list[str]) -> None:
    """Metadata of the task anew, where it stood; else behind what it has."""
    node = plan.tree.tasks[plan.graph.by_line[task.line]]
    document = plan.document
    own = [value.line for meta, value in node.metas if value.line != task.line]
    found = [value.line for meta, value in node.metas if meta.key == key and value.line != task.line]
    indent = indent_of(document.line(own[0] - 1)) if own else " " * sum(document.step(task.line - 1).state.stack)
    behind = last_line(document, own[-1]) if own else last_text_line(document, task.line)
    at = found[0] - 1 if found else behind
    for line in found:
        draft.remove(line, last_line(document, line))
    draft.insert(at, reindented(lines, "  ", indent))


# Another task in its place


def _superseded(plan: Plan, task: Task, change: WantedChange, names: Names, now: datetime, told: Told) -> Plan:
    """`[-]` with a log line and a note: what it was can be read for ever. Those that waited for it wait for what takes
    its place."""
    below = [other for other in plan.tasks if other.parent_line == task.line and other.explicit and not other.done]
    if below:
        raise UsageError(f"it holds tasks that are open: {', '.join(other.id for other in below[:5])}")
    by = list(dict.fromkeys(name for each in change.by if (name := names(each)) and name != task.id))
    for each in change.by:
        if not names(each):
            told.note("lost", f"{task.label} was to be superseded by “{clean(each, 80)}”, which is no task")
    why = clean(change.why, 300)
    said = f"superseded by {', '.join(f'Task {name}' for name in by)}" if by else "superseded"
    said = f"{said}: {why}" if why else said
    for other in plan.tasks:
        if by and not other.done and other.line != task.line:
            plan = _waiting_for(plan, other, task, [name for name in by if name.lower() != other.id.lower()], told)
    plan = _after(plan, events.change(plan, Event("skipped", TaskRef.of(_again(plan, task)), said, now)))
    return _after(plan, edits.add_note(plan, _again(plan, task), f"{said[:1].upper()}{said[1:]}"))


def _again(plan: Plan, task: Task) -> Task:
    return locate(plan, TaskRef.of(task))


def _waiting_for(plan: Plan, task: Task, old: Task, new: list[str], told: Told) -> Plan:
    """The plan in which a task waits for the new ones where it named the old one."""
    task, index = _again(plan, task), plan.graph.by_line[_again(plan, task).line]
    at = plan.graph.by_line[_again(plan, old).line]
    there = list(dependencies.of_task(plan, index))
    held = [each for each in there if any(at in need for need in each.needs)]
    if not held or not new:
        return plan
    gone = [each for each in held if each.single]
    on = [*(each.text for each in there if each not in gone), *new]
    try:
        return _after(plan, depend(plan, task, list(dict.fromkeys(on))))
    except DevloopError as problem:
        told.note("lost", f"{task.label} does not wait for {', '.join(new)} instead of {old.id}: {problem.message}")
        return plan


# Place, dependencies, group


def _moved(plan: Plan, task: Task, change: WantedChange, names: Names) -> tuple[Edit, ...]:
    if change.after.strip():
        beside = find_task(plan, names(change.after) or change.after)
        found = place(plan, task, after=beside)
    elif change.phase.strip():
        found = place(plan, task, phase=find_phase(plan, change.phase))
    else:
        raise UsageError("it does not say where to")
    if not found:
        raise UsageError("it stands there already")
    return found


def _on(plan: Plan, change: WantedChange, names: Names, told: Told) -> list[str]:
    found = []
    for each in change.new.depends:
        name = names(each)
        if not name:
            try:
                name = f"Phase {find_phase(plan, each).id}" if each.lower().startswith("phase") else ""
            except NotFound:
                name = ""
        if name:
            found.append(name)
        else:
            told.note("lost", f"{clean(change.task, 60)} was to wait for “{clean(each, 80)}”, which is no task")
    if change.new.depends and not found:
        raise UsageError("nothing that it was to wait for is a task")
    return list(dict.fromkeys(found))


def _grouped(plan: Plan, task: Task, change: WantedChange) -> tuple[Edit, ...]:
    name = making.group(change.new.group)
    if not name:
        raise UsageError("it names no group")
    box = plan.tree.tasks[plan.graph.by_line[task.line]].box
    text = body(plan.document.line(task.line - 1))
    if box is None or task.group == name:
        raise UsageError("it is in that group already" if box else "its line takes no tag")
    draft = Draft(plan)
    tag = next((tag for tag in box.tags if tag.known and tag.name == "parallel"), None)
    if tag is not None:
        draft.replace(task.line, box.body + tag.start, box.body + tag.end, f"[parallel:{name}]")
    else:
        end = len(text.rstrip())
        draft.replace(task.line, end, end, f" [parallel:{name}]")
    found = draft.edits()
    changed = _after(plan, found)
    read = next((each for each in changed.tasks if each.line == task.line), None)
    if read is None or read.group != name or read.title != task.title:
        raise UsageError("its line takes no tag")
    return found


def name_of(plan: Plan, new: Sequence[DraftTask], name: str) -> str:
    """The id of a task by its id or title; of new ones by what they were asked for as. Empty for none, or several."""
    wanted = making.normal(name)
    for task in new:
        if wanted and wanted in (making.normal(task.name), making.normal(task.title)):
            return task.id
    try:
        found = find_task(plan, name)
    except DevloopError:
        return ""
    alone = found.explicit and len(plan.graph.by_id[found.id.lower()]) == 1
    return found.id if alone else ""
