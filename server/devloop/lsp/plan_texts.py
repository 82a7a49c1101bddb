"""What a hover says of a task, a phase, the plan."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from devloop import agents
from devloop import plan as plans
from devloop.daemon import skill_list, wording
from devloop.daemon.run_view import RunView
from devloop.lists import more, some
from devloop.lsp import meanings, run_texts
from devloop.lsp.texts import Sheet

TITLE = 60
"""Characters of a title that stands among others."""


@dataclass(frozen=True)
class Known:
    """What is known beside the text of the plan. `runs`: the newest run of a task by its line."""

    plan: plans.Plan
    outlook: plans.Outlook
    runs: dict[int, RunView]
    agents: dict[str, agents.Agent]
    skills: skill_list.Known = field(default_factory=skill_list.Known)


def name(sheet: Sheet, task: plans.Task) -> str:
    """A task among others: its id, or its title where the id does not stand in the text."""
    return sheet.text(task.id if task.explicit or not task.title else f"“{task.title}”", TITLE)


def task(sheet: Sheet, known: Known, at: int) -> None:
    """At most ten lines."""
    found = known.plan.tasks[at]
    head = f"Task {found.id}" if found.explicit else "Task" if found.pickable else "Step"
    sheet.add(sheet.strong(head), sheet.text(found.title))
    sheet.add(_status(known, at))
    _waits(sheet, known, at)
    waiters = known.outlook.waiters(at)
    if waiters and not found.done:
        sheet.add("Waiting for it:", some(waiters, 5, lambda each: name(sheet, known.plan.tasks[each])))
    view = known.runs.get(found.line)
    if view is not None:
        run_texts.add(sheet, view)
    if view is not None and view.open:
        sheet.add("Agent:", sheet.text(f"{view.agent}, mode {view.mode}" if view.mode else view.agent))
    elif not found.done:
        sheet.add("Agent:", agent(sheet, known, found))
        _skills(sheet, known, found)
    if not found.done:
        _limits(sheet, found)
    _acceptance(sheet, known.plan, found)
    if found.may_change_tests and not found.done:
        sheet.add("May change tests:", some((sheet.text(each, 100) for each in found.may_change_tests), 3))


def _status(known: Known, at: int) -> str:
    found = known.plan.tasks[at]
    word = meanings.STATUS[found.status].capitalize()
    view = known.runs.get(found.line)
    if at in known.outlook.ready and (view is None or not view.open):
        word += ", ready to run"
    if found.optional:
        word += ", optional"
    parts = [word]
    if found.cycle and not found.done:
        parts.append("It is part of a cycle")
    if not found.pickable and not found.done:
        parts.append("It is a step: run the task around it")
    return ". ".join(parts) + "."


def _waits(sheet: Sheet, known: Known, at: int) -> None:
    found = known.plan.tasks[at]
    if found.done:
        return
    names = known.outlook.unmet_names(at)
    parts = []
    for each in names[:3]:
        members = known.plan.graph.by_id.get(each.lower(), ())
        if members:
            other = known.plan.tasks[members[0]]
            parts.append(
                f"{name(sheet, other)} {sheet.text(other.title, TITLE) if other.explicit else ''}".strip()
                + f" ({meanings.STATUS[other.status]})"
            )
        else:
            there = each.lower().startswith("phase ")
            parts.append(sheet.text(each, TITLE) + ("" if there else " (no such task)"))
    if parts:
        sheet.add("Waits for:", some([*parts, *names[3:]], 3))


def agent(sheet: Sheet, known: Known, found: plans.Task) -> str:
    """Who would do it, and why."""
    chosen = choice(known, found)
    guessed = chosen.confidence != "high" and found.agent is None and chosen.reason != "the default"
    sure = f", {chosen.confidence} confidence" if guessed else ""
    told = f"{chosen.agent}, mode {chosen.mode} ({chosen.reason}{sure})"
    return sheet.text(f"{told}; or {', '.join(chosen.others)}: [agent:…] decides" if chosen.ask else told)


def choice(known: Known, found: plans.Task) -> agents.Choice:
    """Who would do a task."""
    index = found.phase_index
    return agents.route(known.agents, found, phase=known.plan.phases[index].name if index is not None else None)


def _skills(sheet: Sheet, known: Known, found: plans.Task) -> None:
    """What a run would be offered, and why."""
    matches = known.skills.matches(found)
    if matches:
        sheet.add("Skills:", some((sheet.text(f"{each.name} ({each.why})", 120) for each in matches), 3))


def _limits(sheet: Sheet, found: plans.Task) -> None:
    parts = [f"${found.budget_usd:g}"] if found.budget_usd is not None else []
    parts += [wording.many(found.turns, "turn")] if found.turns is not None else []
    parts += [f"{found.timeout_s / 60:g} minutes"] if found.timeout_s is not None else []
    if parts:
        sheet.add("Limits:", sheet.text(", ".join(parts)))
    if found.model:
        sheet.add("Model:", sheet.text(found.model, TITLE))


def _acceptance(sheet: Sheet, plan: plans.Plan, found: plans.Task) -> None:
    lines = [each.line for each in plan.criteria]
    following = bisect_right(plan.tasks, found.line, key=lambda each: each.line)
    end = plan.tasks[following].line if following < len(plan.tasks) else plan.document.count + 1
    own = [
        each
        for each in plan.criteria[bisect_left(lines, found.line) : bisect_left(lines, end)]
        if each.parent == found.id
    ]
    if own:
        sheet.add(f"Acceptance: {sum(each.done for each in own)} of {len(own)} met")
    elif found.acceptance:
        sheet.add("Acceptance:", some((sheet.text(each, 100) for each in found.acceptance), 2))


def tasks(sheet: Sheet, known: Known, indexes: Sequence[int]) -> None:
    """Several tasks, a line each."""
    for at in indexes[:8]:
        each = known.plan.tasks[at]
        title = sheet.text(each.title, TITLE) if each.explicit else ""
        sheet.add(name(sheet, each), title, f"({meanings.STATUS[each.status]})")
    sheet.add(more(len(indexes) - 8))


def phase(sheet: Sheet, known: Known, at: int) -> None:
    found = known.plan.phases[at]
    counts = known.plan.stats.phases[at]
    sheet.add(sheet.strong(f"Phase {found.id}"), sheet.text(found.name))
    sheet.add(progress(counts))
    sheet.add("Goal:" if found.goal else "", sheet.text(found.goal))
    sheet.add("Waits for:" if found.depends_text else "", sheet.text(found.depends_text))
    inside = [
        index
        for index in _between(known.plan, found.line, found.end_line)
        if not known.plan.tasks[index].done and known.plan.tasks[index].parent_line is None
    ]
    for index in inside[:5]:
        each = known.plan.tasks[index]
        sheet.add(
            "Open:", name(sheet, each), sheet.text(each.title, TITLE) if each.explicit else "", _state(known, index)
        )
    sheet.add(more(len(inside) - 5))


def _between(plan: plans.Plan, first: int, last: int) -> range:
    return range(
        bisect_left(plan.tasks, first, key=lambda each: each.line),
        bisect_right(plan.tasks, last, key=lambda each: each.line),
    )


def _state(known: Known, at: int) -> str:
    each = known.plan.tasks[at]
    if at in known.outlook.ready:
        return "(ready)"
    waits = each.status == "pending" and known.outlook.unmet_names(at)
    return "(waits)" if waits else f"({meanings.STATUS[each.status]})"


def progress(counts: plans.Counts) -> str:
    if not counts.total:
        return "No task yet."
    parts = [f"{counts.done} of {counts.total} done ({counts.percentage} %)"]
    named = (("in progress", counts.in_progress), ("blocked", counts.blocked), ("skipped", counts.skipped))
    return ", ".join([*parts, *(f"{number} {word}" for word, number in named if number)])


def plan(sheet: Sheet, known: Known) -> None:
    sheet.add(sheet.strong(known.plan.name))
    sheet.add(progress(known.plan.stats.tasks))
    criteria = known.plan.stats.criteria
    if criteria.total:
        sheet.add(f"Criteria: {criteria.done} of {criteria.total} met")
    for view in [view for view in known.runs.values() if view.open][:3]:
        sheet.add(sheet.text(f"Task {view.task}: {view.line}"))
    all_tasks = known.plan.tasks
    following = min(
        known.outlook.ready, key=lambda at: (all_tasks[at].optional, all_tasks[at].background, at), default=None
    )
    if following is not None:
        each = all_tasks[following]
        sheet.add("Next:", name(sheet, each), sheet.text(each.title, TITLE) if each.explicit else "")
