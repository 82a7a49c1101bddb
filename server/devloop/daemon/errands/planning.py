"""From a planner's result to the plan: what a person is shown of it, and what a yes writes, once (ARCHITECTURE,
"Proposals").

That a run's change is made says the plan itself: its log has a line that names the run. So nothing is written twice,
whoever is killed when; and what a person takes back stays taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from devloop import beginning
from devloop import plan as plans
from devloop.daemon import importing, wording
from devloop.daemon.documents import PlanText
from devloop.daemon.errands.model import Accepted, Project, Proposal
from devloop.errors import NotFound, Refused, StaleEdit
from devloop.plan import proposing
from devloop.plan.find import TaskRef
from devloop.redact import one_line

MAX_OUTLINE: Final = 24_000
_AGAIN: Final = "It is in the plan already."


def created(run: str) -> str:
    """How the log of a plan says which run made it."""
    return f"Plan created ({run})"


def changed(run: str) -> str:
    return f"Plan changed ({run})"


# A new plan


async def preview_new(project: Project, accepted: Accepted, *, add: bool, replace: bool) -> Proposal:
    before, plan = await asyncio.to_thread(importing.plan_there, project.documents)
    if add and plan is not None and before is not None:
        return await preview_change(project, accepted)
    made = await asyncio.to_thread(_made, accepted)
    text = before.text if before is not None else ""
    path = before.relative if before is not None else beginning.PLAN
    notes = made.notes
    if before is not None and replace:
        notes = (*notes, f"The plan that is there goes to {importing.REPLACED}/.")
    elif before is not None:
        notes = (*notes, "There is a plan by now, which this would take the place of: accepting it is refused.")
    count = f"a plan with {wording.many(made.tasks, 'task')}"
    patch = proposing.patch(text, made.text, path)
    return Proposal(path, before is not None, patch, made.text, count, notes)


async def create(project: Project, accepted: Accepted, *, add: bool, replace: bool) -> str:
    """Write the plan. Raises `Refused` where one is there that it may not replace."""
    before, plan = await asyncio.to_thread(importing.plan_there, project.documents)
    if plan is not None and proposing.applied(plan, created(accepted.run)):
        return _AGAIN
    if add and plan is not None:
        return await change(project, accepted)
    made = await asyncio.to_thread(_made, accepted)
    if not made.tasks:
        raise Refused("There is no task in it; nothing was written.", hint="Revise it, or discard it.")
    open_runs = await project.open_runs() if before is not None and replace else []
    _, archived, after = await importing.write_plan(
        project.documents, before, made.text, replace=replace, open_runs=open_runs
    )
    project.wrote(after)
    where = f" The plan that was there is {archived} now." if archived else ""
    path = before.relative if before is not None else beginning.PLAN
    return _said(f"{path} is written: {wording.many(made.tasks, 'task')}.{where}", made.notes)


def _made(accepted: Accepted) -> proposing.NewPlan:
    source = str(accepted.given.get("source") or "")
    return proposing.new_plan(
        accepted.data,
        now=f"{_now():%Y-%m-%d %H:%M}",
        log=created(accepted.run),
        name=accepted.title,
        fields=(("Source", one_line(source, 200)),),
    )


# A change of the plan that is there


async def preview_change(
    project: Project, accepted: Accepted, *, beside: TaskRef | None = None, optional: bool = False
) -> Proposal:
    found, plan = await asyncio.to_thread(project.documents.plan)
    revision = await asyncio.to_thread(_revised, plan, accepted, beside)
    patch = proposing.patch(found.text, revision.text, found.relative)
    notes = revision.notes if revision.said else (*revision.notes, "Nothing of it fits the plan as it is.")
    return Proposal(found.relative, True, patch, revision.text, revision.said, notes, revision.left_out, optional)


async def change(project: Project, accepted: Accepted, *, beside: TaskRef | None = None) -> str:
    """Change the plan as it is now, in its editor or its file. What no longer fits is left out and said; raises
    `Refused` where that is all of it."""
    mark = changed(accepted.run)
    _, plan = await asyncio.to_thread(project.documents.plan)
    if proposing.applied(plan, mark):
        return _AGAIN
    made = await asyncio.to_thread(_revised, plan, accepted, beside)

    def edits_of(now: plans.Plan) -> Sequence[plans.Edit]:
        """Worked out ahead for the text that there was; anew when somebody was quicker."""
        nonlocal made
        if proposing.applied(now, mark):
            return ()
        if now.data != plan.data:
            made = _revised(now, accepted, beside)
        if not made.edits:
            raise StaleEdit("Nothing of it fits the plan as it is now.", hint=_why(made))
        return made.edits

    if not made.edits:
        raise Refused("Nothing of it fits the plan as it is now.", hint=_why(made))
    after, did = await project.documents.record(edits_of, "devloop: change the plan")
    if did:
        project.wrote(after)
    return _said(f"{after.relative}: {made.said}.", [*made.left_out, *made.notes])


def _revised(plan: plans.Plan, accepted: Accepted, beside: TaskRef | None) -> proposing.Revision:
    return proposing.revised(plan, accepted.data, mark=changed(accepted.run), now=_now(), beside=beside)


def _why(made: proposing.Revision) -> str:
    return one_line("; ".join(made.left_out) or "It asks for nothing that a plan could have.", 400)


def _said(what: str, more: Sequence[str]) -> str:
    return f"{what} Left out or changed: {one_line('; '.join(more), 600)}." if more else what


def _now() -> datetime:
    return datetime.now().astimezone()


# The plan as an agent reads it


def there(project: Project) -> tuple[PlanText, plans.Plan] | None:
    """The plan, if there is one."""
    try:
        return project.documents.plan()
    except NotFound:
        return None


def outline(plan: plans.Plan, limit: int = MAX_OUTLINE) -> str:
    """The plan to read, without what is history: its log, and of a long one what is below its tasks."""
    text = plan.text
    log = next((section for section in plan.sections if section.kind == "log"), None)
    if log is not None and all(task.line < log.line for task in plan.tasks):
        text = "".join(plan.document.lines(0, log.line - 1))
    if len(text) <= limit:
        return text
    lines: list[str] = []
    at = None
    for task in plan.tasks:
        if task.phase_index != at and task.phase_index is not None:
            at = task.phase_index
            lines.append(f"## Phase {plan.phases[at].id}: {plan.phases[at].name}")
        if task.pickable:
            lines.append(_short(task))
    return "\n".join(lines)


def _short(task: plans.Task) -> str:
    waits = f" [depends:{', '.join(task.depends_on[:10])}]" if task.depends_on else ""
    return f"- [{task.marker}] {task.label}: {one_line(task.title, 160)}{waits}"


def to_json(found: Proposal) -> dict[str, Any]:
    return {
        "path": found.path,
        "exists": found.exists,
        "patch": found.patch,
        "text": found.text,
        "said": found.said,
        "notes": list(found.notes),
        "left_out": list(found.left_out),
        "optional": found.optional,
    }
