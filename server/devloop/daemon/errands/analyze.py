"""`devloop analyze`: what makes the code hard to change, as a report and as tasks of the plan.

The report lies in `.devloop/reports/`, beside those of scanners: it says where the code is weak, is one person's until
they share it, and is written anew by the next analysis of the same area. So git leaves it alone (state-files §1).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from devloop.agents import analysis
from devloop.daemon.errands import planning
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, Proposal, errand_task
from devloop.errors import Refused, UsageError
from devloop.own_files import write
from devloop.redact import one_line
from devloop.runs.spec import TaskSpec

REPORTS: Final = ".devloop/reports"
TO: Final = ("plan", "report", "both")
LEFT_OUT: Final = "plan"


async def build(project: Project, asked: Asked) -> TaskSpec:
    categories = _categories(asked)
    to = asked.word("to")
    if to and to not in TO:
        raise UsageError(f"{one_line(to, 40)!r} is no place for it.", hint=f"Choose: {', '.join(TO)}.")
    if not to:
        to = "both" if await asyncio.to_thread(planning.there, project) is not None else "report"
    area = one_line(asked.text, 120)
    notes = [
        f"Analyze {asked.text}." if asked.text else "Analyze the project as a whole; its own code, not what it uses."
    ]
    if categories:
        notes.append(f"Only these categories: {', '.join(categories)}.")
    return errand_task(
        "analyze",
        f"Analyze {area or 'the project'}",
        given={"area": area, "categories": list(categories), "to": to},
        agent="engineer",
        mode="analyst",
        notes="\n".join(notes),
    )


def _categories(asked: Asked) -> tuple[str, ...]:
    given = asked.options.get("categories") or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise UsageError("`categories` must be a list of words.")
    wanted = [each.strip().lower().replace("-", " ") for each in given if each.strip()]
    unknown = [each for each in wanted if each not in analysis.CATEGORIES]
    if unknown:
        known = ", ".join(analysis.CATEGORIES)
        raise UsageError(f"{one_line(unknown[0], 60)!r} is no category.", hint=f"There are: {known}.")
    return tuple(dict.fromkeys(wanted))


async def preview(project: Project, accepted: Accepted) -> Proposal | None:
    """What its tasks make of the plan; nothing where they are not wanted or there are none."""
    drafted = _drafted(accepted)
    if drafted is None:
        return None
    if await asyncio.to_thread(planning.there, project) is None:
        return await planning.preview_new(project, drafted, add=False, replace=False)
    return replace(await planning.preview_change(project, drafted), optional=True)


async def take_effect(project: Project, accepted: Accepted) -> str:
    """The report, and unless the person leaves them out the tasks. Raises `Refused` where nothing could be done."""
    said = []
    if accepted.given.get("to") != "plan" or not _found(accepted):
        said.append(f"{await asyncio.to_thread(write_report, project, accepted)} is written.")
    drafted = _drafted(accepted)
    if drafted is None:
        return " ".join(said)
    if LEFT_OUT in accepted.leave_out:
        return " ".join([*said, "The plan stays as it is."])
    try:
        if await asyncio.to_thread(planning.there, project) is None:
            said.append(await planning.create(project, drafted, add=False, replace=False))
        else:
            said.append(await planning.change(project, drafted))
    except Refused as problem:
        if not said:
            raise
        said.append(problem.sentences)
    return " ".join(said)


def _found(accepted: Accepted) -> tuple[analysis.Improvement, ...]:
    categories = accepted.given.get("categories")
    return analysis.read(accepted.data, categories if isinstance(categories, list) else ())


def _drafted(accepted: Accepted) -> Accepted | None:
    """The same as a planner's result; None where no tasks are wanted or found."""
    found = _found(accepted)
    if accepted.given.get("to") == "report" or not found:
        return None
    return replace(accepted, report={"data": analysis.draft(found, accepted.title)})


def write_report(project: Project, accepted: Accepted) -> str:
    """The file's path below the root."""
    area = re.sub(r"[^a-z0-9]+", "-", str(accepted.given.get("area") or "").lower()).strip("-")[:60]
    name = f"{REPORTS}/refactoring{f'-{area}' if area else ''}.md"
    text = analysis.report(accepted.data, _found(accepted), accepted.title, f"{datetime.now().astimezone():%Y-%m-%d}")
    write(project.root, name, text.encode())
    return name


COMMAND: Final = Command("analyze", build, take_effect, preview=preview)
