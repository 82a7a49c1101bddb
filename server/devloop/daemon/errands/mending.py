"""What a person does about findings beside dismissing them: a task in the plan, or an agent that mends it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from devloop.daemon.errands import planning
from devloop.daemon.errands.model import Accepted, Project
from devloop.daemon.errands.scopes import opened
from devloop.daemon.findings.records import Finding
from devloop.errors import Refused, UsageError
from devloop.plan.lines import clean
from devloop.redact import one_line

PHASE: Final = "Review findings"
MOST: Final = 50
"""Findings that become tasks at once."""

Row = dict[str, Any]


async def add_to_plan(project: Project, ids: Sequence[str]) -> str:
    """A task for each finding, in a phase of its own at the end; one that is there already is added no second time."""
    if len(ids) > MOST:
        raise UsageError(f"Those are {len(ids)} findings, {MOST} at most.")
    found = [await project.findings.find(each) for each in dict.fromkeys(ids)]
    given = planning.there(project)
    if given is None:
        raise Refused("There is no plan to add a task to.", hint="Begin one: devloop init")
    name = next((phase.name for phase in given[1].phases if phase.name.lower().endswith(PHASE.lower())), "")
    tasks = [task_of(finding) for _, finding in found]
    if name:
        data: Row = {"changes": [{"what": "add", "phase": name, **task} for task in tasks]}
    else:
        data = {"phases": [{"name": PHASE, "tasks": tasks}]}
    mark = " ".join(finding.id for _, finding in found)
    return await planning.change(project, Accepted("review", {}, mark, PHASE, None, {"data": data}, ""))


def task_of(finding: Finding) -> Row:
    """As a planner would hand it in."""
    verb = "Fix" if finding.severity in ("Critical", "High", "Medium") else "Improve"
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    return {
        "title": one_line(f"{verb} {place}: {clean(finding.problem, 100)}", 140),
        "acceptance": [
            clean(finding.fix, 300) or "What the review found is gone",
            "A test would notice if it came back",
        ],
        "files": [finding.path],
    }


async def to_fix(project: Project, finding: str) -> str:
    """What an agent is asked for. Raises `Refused` where it would not see the text that the finding is about."""
    _, found = await project.findings.find(finding)
    await _must_be_committed(project, found)
    place = f"{found.path}:{found.line}" if found.line else found.path
    lines = [f"Fix {place}: {one_line(found.problem, 120)}", "", f"A review found ({found.severity}, {found.kind}):"]
    lines.append(found.problem)
    if found.fix:
        lines.append(f"Its proposal: {found.fix}")
    if found.anchor.text:
        lines.append(f"The line as it was then: {found.anchor.text}")
    lines.append("Look first whether it is true. When it is, mend the cause, with a test where there can be one.")
    return "\n".join(lines)


async def _must_be_committed(project: Project, finding: Finding) -> None:
    """A worktree begins at a commit, and a finding about what nobody committed is about nothing there."""
    workspace = await opened(project)
    change = await workspace.uncommitted()
    if change.base == change.commit:
        return
    diff = await workspace.diff(change.base, change.commit, limit=0)
    if any(finding.path in (file.path, file.old_path) for file in diff.files):
        raise Refused(
            f"{finding.path} has changes that are not committed; an agent would not see them.",
            hint="Commit them first, then let the finding be fixed.",
        )
