"""`devloop onboard` and `devloop bootstrap`: a project that devloop comes to, and one that begins with requirements.

devloop makes its own files by itself; an agent writes what agents and people should know of the project: documents, and
nothing else (`Errand.only`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from devloop.daemon.errands.model import Accepted, Asked, Command, Project, errand_task
from devloop.errors import UsageError
from devloop.lists import some
from devloop.redact import one_line, printable
from devloop.runs.spec import TaskSpec
from devloop.state import onboarding

DOCUMENTS: Final = ("**/*.md",)
GUIDE: Final = "AGENTS.md"
MAX_DOCUMENTS: Final = 20
MAX_TEXT: Final = 60_000
"""Characters of all requirements together: about 15,000 tokens."""
_GUIDE = (
    "Write {guide}: what somebody who works here for the first time has to know, people and agents alike. What it is, "
    "in two sentences; how to set it up, build, test and check it, with commands that you tried; where things are, "
    "with paths; conventions, with a place that shows each; what not to touch. At most 120 lines; where a document "
    "says it already, name that document."
)
_BEGIN = (
    "It does not exist yet: say how it will be, decide what has to be decided and give the reason, and ask where the "
    "requirements contradict themselves. Then write README.md: what it is and for whom. No code: that is what the plan "
    "is for."
)


async def steps(project: Project, asked: Asked) -> dict[str, Any]:
    """What setting up would do: `{"steps": [{what, path, source}], "project"}`."""
    minimal = asked.flag("minimal")
    found = await asyncio.to_thread(onboarding.steps, project.root, minimal=minimal)
    known = await asyncio.to_thread(onboarding.shown, project.root)
    return {"steps": [step.to_json() for step in found], "project": known}


async def build_onboard(project: Project, asked: Asked) -> TaskSpec:
    guide = _guide(project)
    known = await asyncio.to_thread(onboarding.shown, project.root)
    there = f"{guide} is there: keep what is right in it, mend what is not." if (project.root / guide).is_file() else ""
    notes = [
        _GUIDE.format(guide=guide),
        there,
        asked.text,
        f"What devloop found: {json.dumps(known, ensure_ascii=False)}",
    ]
    return errand_task(
        "onboard",
        "Describe the project for those who will work on it",
        agent="doc-generator",
        files=(guide,),
        only=DOCUMENTS,
        skills=("project-context",),
        notes="\n".join(filter(None, notes)),
    )


async def build_bootstrap(project: Project, asked: Asked) -> TaskSpec:
    """Options: `documents` (`[{name, text}]`), `stack` (the person's words)."""
    documents = _documents(asked.options.get("documents"))
    stack = asked.word("stack")
    guide = _guide(project)
    names = ", ".join(documents)
    parts = [
        f"The project is to be begun from its requirements ({names}). {_GUIDE.format(guide=guide)} {_BEGIN}",
        f"Stack, as the person wants it: {stack}" if stack else "No stack is named: choose one, or ask.",
        asked.text,
        *(f"{name}, as data:\n{text}" for name, text in documents.items()),
    ]
    return errand_task(
        "bootstrap",
        f"Begin the project from {names}",
        given={"documents": list(documents)},
        agent="doc-generator",
        files=(guide, "README.md"),
        only=DOCUMENTS,
        skills=("project-bootstrap",),
        notes="\n\n".join(filter(None, parts)),
    )


def _guide(project: Project) -> str:
    """The name that is in use here; else the one that every agent reads."""
    return next((name for name in (GUIDE, "CLAUDE.md") if (project.root / name).is_file()), GUIDE)


def _documents(wanted: Any) -> dict[str, str]:
    if not isinstance(wanted, list) or not wanted:
        raise UsageError("Which requirements?", hint="Name their files: devloop bootstrap requirements.md")
    if len(wanted) > MAX_DOCUMENTS:
        raise UsageError(f"That are {len(wanted)} documents; {MAX_DOCUMENTS} at most.")
    found: dict[str, str] = {}
    for each in wanted:
        if not isinstance(each, Mapping) or not all(isinstance(each.get(key), str) for key in ("name", "text")):
            raise UsageError("`documents` must be a list of {name, text}.")
        text = printable(each["text"]).strip()
        if not text:
            raise UsageError(f"{one_line(each['name'], 80)} is empty.")
        found[one_line(each["name"], 80)] = text
    size = sum(map(len, found.values()))
    if size > MAX_TEXT:
        raise UsageError(
            f"That is too long ({size} characters, {MAX_TEXT} at most).", hint="Name the documents that decide most."
        )
    return found


async def set_up(project: Project, accepted: Accepted) -> str:
    """devloop's own files, beside what the agent wrote."""
    template = "blank" if accepted.command == "bootstrap" else "onboarding"
    done = await asyncio.to_thread(onboarding.take, project.root, datetime.now().astimezone(), template=template)
    made = [step.path for step in done if step.what not in ("keep", "leave")]
    said = f"Set up: {some(made, 8)}." if made else ""
    names = list(accepted.given.get("documents") or ())
    following = (
        f"A plan from it: devloop plan new --from {names[0]} --replace." if names else "Go on: devloop continue."
    )
    return " ".join(filter(None, (said, following)))


ONBOARD: Final = Command("onboard", build_onboard, set_up, {"steps": steps})
BOOTSTRAP: Final = Command("bootstrap", build_bootstrap, set_up)
