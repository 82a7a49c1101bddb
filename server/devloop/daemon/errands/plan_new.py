"""`devloop plan new "…"`: a plan from words, an issue or a document; a person sees it before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from devloop.daemon.errands import planning
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, Proposal, errand_task
from devloop.daemon.errands.sources import as_data, source
from devloop.daemon.importing import REPLACED
from devloop.errors import Refused, UsageError
from devloop.lists import some
from devloop.runs.spec import TaskSpec

EXAMPLE: Final = 'devloop plan new "Let people log in with a passkey"'
_NEW: Final = "Hand in a whole new plan as phases; `changes` stays empty."
_MORE: Final = (
    "There is a plan already, below. Hand in only what is new, as phases that go behind its own; a new task may wait "
    "for tasks that are there, by their ids."
)


async def build(project: Project, asked: Asked) -> TaskSpec:
    found = await source(project, asked)
    if not asked.text and found is None:
        asked.required(EXAMPLE)
    add, replace = asked.flag("add"), asked.flag("replace")
    if add and replace:
        raise UsageError("Either it is added to the plan, or it replaces it.", hint="Say one of --add and --replace.")
    before = await asyncio.to_thread(planning.there, project)
    if before is not None and not (add or replace):
        raise Refused(
            f"There is a plan already: {before[0].relative}.",
            hint=f"--add puts new phases behind its own, --replace keeps it in {REPLACED}/ and begins anew; "
            "`devloop plan revise` changes it.",
        )
    if replace and before is not None and (runs := await project.open_runs()):
        raise Refused("Runs of this plan are open; it is not replaced now.", hint=f"End them first: {some(runs, 5)}.")
    title = asked.text.split("\n")[0] or (found.title or found.label if found is not None else "")
    parts = [asked.text, _MORE if add and before is not None else _NEW]
    if found is not None:
        parts.append(as_data(f"What is to be planned, from {found.label}", found.text))
    if add and before is not None:
        parts.append(as_data("The plan that is there", planning.outline(before[1]), planning.MAX_OUTLINE))
    return errand_task(
        "plan-new",
        f"Plan: {title}",
        given={
            "add": add,
            "replace": replace,
            "agreed": asked.flag("yes"),
            "source": found.label if found is not None else "",
        },
        notes="\n\n".join(filter(None, parts)),
        agent="task-planner",
        mode="planner",
    )


def _how(given: Mapping[str, Any]) -> dict[str, bool]:
    return {name: given.get(name) is True for name in ("add", "replace")}


async def preview(project: Project, accepted: Accepted) -> Proposal:
    return await planning.preview_new(project, accepted, **_how(accepted.given))


async def take_effect(project: Project, accepted: Accepted) -> str:
    return await planning.create(project, accepted, **_how(accepted.given))


COMMAND: Final = Command("plan-new", build, take_effect, preview=preview)
