"""What is said of a skill: what it is for, where it comes from, whether it is used, and why it fits a task."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Final

from devloop import plan as plans
from devloop import skills
from devloop.daemon import skill_list
from devloop.lsp.texts import Sheet
from devloop.plan.tags import nearest

TEXT: Final = 400
_SOURCES: Final = {"shipped": "It ships with devloop.", "user": "One of your own."}


def find(known: skill_list.Known, name: str) -> skills.Found | None:
    """The skill that a run would take, else one that is there and not used."""
    active = known.library.active.get(name)
    return active or next((each for each in known.library.found if each.name == name), None)


def task_at(plan: plans.Plan, line: int) -> plans.Task | None:
    """The task that stands in a line or last before it."""
    at = bisect_right(plan.tasks, line, key=lambda each: each.line) - 1
    return plan.tasks[at] if at >= 0 else None


def fitting(known: skill_list.Known, task: plans.Task) -> dict[str, str]:
    """Why skills fit a task by themselves, whether or not it names them; the most certain first."""
    return {each.name: each.why for each in known.matches(replace(task, skills=()))}


def skill(sheet: Sheet, known: skill_list.Known, name: str, task: plans.Task | None) -> None:
    """At most seven lines."""
    found = find(known, name)
    if found is None:
        near = nearest(name, tuple(known.library.active), 4)
        sheet.add("There is no skill", sheet.text(name) + ".", "Nearest:" if near else "", sheet.text(near or ""))
        return
    told = found.skill
    sheet.add(sheet.strong(found.name), "–", sheet.text(told.description, TEXT))
    if told.when:
        sheet.add("When:", sheet.text(told.when, TEXT))
    if told.when_not:
        sheet.add("When not:", sheet.text(told.when_not, TEXT))
    if found.state == "untrusted":
        sheet.add(sheet.strong("Not used:"), sheet.text(found.note + ".", TEXT))
    trusted = ", trusted" if found.state != "untrusted" else ""
    sheet.add(_SOURCES.get(found.source) or f"From {sheet.code(found.place)} of the repository{trusted}.")
    if found.state == "active" and found.note:
        sheet.add(sheet.text(found.note[:1].upper() + found.note[1:] + ".", TEXT))
    if task is not None and found.state == "active":
        named = "The task names it: a run has its text from the start." if found.name in task.skills else ""
        why = fitting(known, task).get(found.name)
        sheet.add(named, f"It fits {'also ' if named else ''}because {sheet.text(why)}." if why else "")
