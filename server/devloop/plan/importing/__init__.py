"""Foreign task lists → a plan in devloop's format (plan-format §21). Pure and total: no input makes it raise.

    kind = detect("specs/001-login/tasks.md", text)
    found = imported(kind, text, source="specs/001-login/tasks.md", now="2026-01-31 12:30")
    found.text, found.notes, found.problems

and back: `as_prd(plan)`, `as_task_master(plan)`, beside `devloop.plan.show(plan)`.
"""

from __future__ import annotations

from devloop.plan.build import parse
from devloop.plan.importing import again, linking, markdown, own_json, prd, task_master, writing
from devloop.plan.importing.detecting import detect
from devloop.plan.importing.json_reading import load
from devloop.plan.importing.model import KINDS, DraftPlan, Imported, Told
from devloop.plan.importing.outward import as_prd, as_task_master
from devloop.plan.lines import clean
from devloop.plan.model import Plan

__all__ = [
    "KINDS",
    "as_prd",
    "as_task_master",
    "detect",
    "imported",
]

_JSON = ("prd", "task-master", "devloop-json")


def imported(
    kind: str, text: str, *, source: str = "", now: str = "", tag: str = "", before: Plan | None = None
) -> Imported:
    """The plan that a text of this kind becomes, with what happened to it. Never raises on a text.

    `kind`: one of `KINDS`, empty to find out. `source`: the file's path, for the header and the name. `now`:
    `YYYY-MM-DD HH:MM` for header and log, empty for none: then the same text gives the same plan, ever. `tag`: which
    list of a Task Master file. `before`: the plan that is there; when it was imported from the same `source`, its marks
    are kept.
    """
    told = Told()
    kind = kind or detect(source, text)
    if kind not in KINDS:
        unknown = "This is no list of tasks that devloop knows; --as says what it is" if not kind else ""
        told.problem(unknown or f"There is no kind {clean(kind, 60)!r}")
        kind = "task-master" if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") else "plan"
    if kind in _JSON:
        plan = _from_json(kind, text, told, source, now, tag)
    else:
        if tag:
            told.problem("Only files of Task Master have tags")
        plan = markdown.read(kind, text, told, source)
        plan = markdown.finished(plan, clean(source), kind, now, told) if kind != "plan" else plan
    if before is not None and kind not in ("plan", "devloop-json"):
        plan, count = again.carried(plan, before)
        if count:
            told.note("kept", f"The marks of {count} tasks, which the plan that is there has reached since")
    told.end()
    return Imported(kind, plan.text, len(plan.tasks), tuple(told.notes), tuple(told.problems))


def _from_json(kind: str, text: str, told: Told, source: str, now: str, tag: str) -> Plan:
    value = load(text, told)
    if kind == "prd":
        draft = prd.read(value, told)
    elif kind == "task-master":
        draft = task_master.read(value, told, tag)
    else:
        draft = own_json.read(value, told)
    linking.settle(draft, told)
    if kind != "devloop-json":
        _headed(draft, kind, clean(source), now)
    plan = parse(writing.written(draft))
    _checked(draft, plan, told)
    return plan


def _headed(draft: DraftPlan, kind: str, source: str, now: str) -> None:
    markers = [task.marker for phase in draft.phases for task in phase.tasks]
    done = bool(markers) and all(mark in "x-" for mark in markers)
    status = "Review" if done else "In Progress" if any(mark in "x-~" for mark in markers) else "Planning"
    draft.fields = [("Created", now[:10]), ("Status", status), *draft.fields, ("Source", source)]
    draft.log.append((now, f"Imported from {source or 'a file'} ({kind})"))


def _checked(draft: DraftPlan, plan: Plan, told: Told) -> None:
    """The text says what was meant, or that is told: nobody should find out later."""
    meant = [(task.id, task.title, task.marker) for task in draft.all_tasks()]
    read = [(task.id, task.title, task.marker) for task in plan.tasks]
    if meant == read:
        return
    odd = next((one for one, other in zip(meant, read, strict=False) if one != other), ("", "", ""))
    told.problem(f"The plan says something else than the source: look at {odd[0] or 'its last tasks'}")
