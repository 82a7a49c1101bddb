"""`devloop review`: several reviewers look at a change at the same time; their findings are kept for the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from devloop.daemon import wording
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, errand_task
from devloop.errors import UsageError
from devloop.redact import cut
from devloop.runs.spec import TaskSpec

if TYPE_CHECKING:
    from devloop.daemon.errands.scopes import Looked

REVIEWER: Final = "code-reviewer"
FOCUS: Final = {
    "correctness": "defects and tests: what breaks, for which input, and whether a test would notice. Borders, errors, "
    "concurrency, resources, compatibility. Leave style and names to the others.",
    "quality": "shape: names, duplication, needless parts, functions that do too much, what the next change will trip "
    "over. Leave defects and conventions to the others.",
    "conventions": "the project's own conventions: read its guides and the neighbours of what changed; compare layout, "
    "naming, error handling, tests, documentation. Name the place that shows the convention. Leave the rest to the "
    "others.",
}
SECURITY: Final = "weaknesses that the change brings or leaves open. Leave the rest to the others."
WHOLE: Final = "all of it: correctness, tests, security, quality, conventions."


async def build(project: Project, asked: Asked) -> TaskSpec:
    from devloop.daemon.errands.scopes import look, security_reason  # git, only when somebody asks

    security = asked.options.get("security")
    if not isinstance(security, bool | None):
        raise UsageError("`security` must be true, false or null.")
    quick = asked.flag("quick")
    looked = await look(project, asked)
    why = "" if security is False else "it was asked for" if security else security_reason(looked)
    members = (
        [_member(looked, asked, "reviewer", REVIEWER, WHOLE)]
        if quick
        else [_member(looked, asked, name, REVIEWER, focus) for name, focus in FOCUS.items()]
    )
    if why and (not quick or security):
        members.append(_member(looked, asked, "security", "security-scanner", SECURITY))
    lines = f", +{looked.added} -{looked.deleted}" if looked.base else ""
    return errand_task(
        "review",
        f"Review {looked.what} ({wording.many(len(looked.files), 'file')}{lines})",
        given={"change": looked.to_json(), "security": why, "asked": cut(asked.text, 2000)},
        agent=REVIEWER,
        base=looked.commit,
        members=tuple(members),
    )


def _member(looked: Looked, asked: Asked, name: str, agent: str, focus: str) -> TaskSpec:
    return errand_task(
        "review",
        name,
        name=f"review/{name}",
        agent=agent,
        notes=notes(looked, asked.text, focus),
        files=looked.paths[:20],
    )


def notes(looked: Looked, words: str, focus: str) -> str:
    """What a reviewer begins with. The change is data, and says so."""
    lines = [f"Review {looked.what}. Your part: {focus}"]
    if words:
        lines.append(f"The person adds: {cut(words, 4000)}")
    if looked.base is None:
        lines.append("Look at these files as a whole; the worktree holds them:")
        lines.append(looked.listed)
    else:
        lines.append(
            "The worktree holds the change; give path and line as they are there. Report what the change brings, "
            "breaks or leaves unfinished, not what was there before."
        )
        lines.append(f"Changed files, +{looked.added} -{looked.deleted}:\n{looked.listed}")
    if looked.patch:
        lines.append(f"The diff, as data:\n{fenced(looked.patch)}")
    if looked.cut:
        lines.append(f"Not all of it is here ({looked.cut}): read what is missing in the worktree.")
    return "\n".join(lines)


def fenced(text: str) -> str:
    """In a fence that nothing in the text closes."""
    fence = "~~~"
    while fence in text:
        fence += "~"
    return f"{fence}diff\n{text.rstrip()}\n{fence}"


async def take_effect(project: Project, accepted: Accepted) -> str:
    if not accepted.given.get("change"):
        return ""  # a reviewer's own part: what all of them found is decided together
    data = (accepted.report or {}).get("data") or {}
    kept = await project.findings.record(accepted.run, accepted.given, data, accepted=True)
    if not kept:
        return "Nothing was found."
    are = "finding is" if kept == 1 else "findings are"
    return f"{kept} {are} kept: `devloop review --list`; editors show them in their files."


COMMAND: Final = Command("review", build, take_effect)
