"""Diagnostics that need to know more than the text: the time, what agents and skills exist (plan-format §17).

The facts are given by the caller; these functions are as pure as the rest. Join their answers with `Plan.problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from devloop.plan import edits, tags
from devloop.plan.extent import last_line
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan, Problem, Task
from devloop.plan.spans import spans

STALE_AFTER = timedelta(hours=24)


def stale_plan(plan: Plan, now: datetime) -> tuple[Problem, ...]:
    """`stale-plan`: `Updated` is more than a day old while the plan is in progress. A time without a zone is one of
    `now`'s zone."""
    field = plan.field("Updated")
    if field is None or plan.status != "in_progress":
        return ()
    try:
        updated = datetime.fromisoformat(field.value.strip())
    except ValueError:
        return ()
    age = now - (updated if updated.tzinfo else updated.replace(tzinfo=now.tzinfo))
    if age <= STALE_AFTER:
        return ()
    message = f"last updated {age.days} day{'s' if age.days != 1 else ''} ago"
    stamp = now.strftime("%Y-%m-%d %H:%M")
    fixes = ((f"Set Updated to {stamp}", edits.set_header(plan, "Updated", stamp)),)
    return (Problem("stale-plan", "info", field.line, message, field.start, field.end, fixes=fixes),)


def tests_named(task: Task) -> tuple[str, ...]:
    """The files that May change tests names, without patterns."""
    paths = dict.fromkeys(each.partition("::")[0] for each in task.may_change_tests)
    return tuple(path for path in paths if not any(char in path for char in "*?[{"))


def unknown_names(plan: Plan, agents: Iterable[str], models: Iterable[str] | None = None) -> tuple[Problem, ...]:
    """`unknown-agent`, `unknown-model`: `agents` are names and `name:mode`; without `models` those are not judged."""
    known = {name.lower() for name in agents}
    known_models = {name.lower() for name in models} if models is not None else None
    found: list[Problem] = []
    for task in plan.tasks:
        name = f"{task.agent}:{task.mode}" if task.mode else task.agent
        if name and name.lower() not in known:
            found.append(_unknown(plan, task, "unknown-agent", name, known))
        if task.model and known_models is not None and task.model.lower() not in known_models:
            found.append(_unknown(plan, task, "unknown-model", task.model, known_models))
    return tuple(found)


def unknown_skills(plan: Plan, active: Iterable[str], waiting: Mapping[str, str]) -> tuple[Problem, ...]:
    """`unknown-skill`: nobody has it; `untrusted-skill`: it is there and not used. Of open tasks only.

    `active`: names of skills that are used; `waiting`: why others are not.
    """
    known, found = set(active), list[Problem]()
    for task in plan.tasks:
        for name in () if task.done else task.skills:
            if name not in known:
                found.append(_unknown_skill(plan, task, name, known, waiting))
    return tuple(found)


def _unknown_skill(plan: Plan, task: Task, name: str, known: set[str], waiting: Mapping[str, str]) -> Problem:
    node = plan.tree.tasks[plan.graph.by_line[task.line]]
    lines = [task.line]
    for meta, value in node.metas:
        if meta.key == "skills":
            lines += range(value.line, last_line(plan.document, value.line) + 1)
    place = next((s for line in lines for s in spans(plan, line) if (s.kind, s.value) == ("skill", name)), None)
    line, start, end = (place.line, place.start, place.end) if place is not None else (task.line, 0, None)
    if name in waiting:
        message = f"The skill {name} is not used: {waiting[name]}"
        return Problem("untrusted-skill", "warning", line, message, start, end)
    near = tags.nearest(name, tuple(sorted(known)), 4)
    message = f"There is no skill {name}" + (f"; nearest: {near}" if near else "")
    if near is None or place is None:
        return Problem("unknown-skill", "warning", line, message, start, end)
    text = plan.document.line(line - 1)
    edit = Edit(line, place.start, line, place.end, near, text[place.start : place.end], body(text))
    fixes = ((f"Replace by {near}", (edit,)),)
    return Problem("unknown-skill", "warning", line, message, start, end, fixes=fixes)


def _unknown(plan: Plan, task: Task, code: str, name: str, known: set[str]) -> Problem:
    """A name that nobody has, with the nearest one as its fix; where it stands in a tag, its place."""
    what = code.removeprefix("unknown-")
    near = tags.nearest(name.lower(), tuple(sorted(known)), 4)
    message = f"There is no {what} {name}" + (f"; nearest: {near}" if near else "")
    box = plan.tree.tasks[plan.graph.by_line[task.line]].box
    tag = next((tag for tag in box.tags if tag.known and tag.name == what), None) if box else None
    if box is None or tag is None:
        return Problem(code, "warning", task.line, message)
    start, end = box.body + tag.start, box.body + tag.end
    line = plan.document.line(task.line - 1)
    written = line.index(":", start) + 1
    written += len(line[written:end]) - len(line[written:end].lstrip())
    last = end - 1 - (len(line[written : end - 1]) - len(line[written : end - 1].rstrip()))
    edit = Edit(task.line, written, task.line, last, near or "", line[written:last], body(line))
    fixes = ((f"Replace by {near}", (edit,)),) if near else ()
    return Problem(code, "warning", task.line, message, start, end, fixes=fixes)
