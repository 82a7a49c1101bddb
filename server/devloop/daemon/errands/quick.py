"""`devloop quick "…"`: one small change, without a plan around it."""

from __future__ import annotations

from devloop.daemon.errands.model import Asked, Command, Project, errand_task
from devloop.runs.spec import TaskSpec

NOTES = (
    "This is a quick change: at most one question, at most five files, the tests that belong to it. When it turns out "
    "to be more (several systems, an open decision about the architecture, security), change nothing and say so: it "
    "then wants a plan."
)


async def build(project: Project, asked: Asked) -> TaskSpec:
    text = asked.required('devloop quick "Fix the typo in the greeting"')
    return errand_task(
        "quick",
        text,
        notes=f"{text}\n{NOTES}" if "\n" in text or len(text) > 200 else NOTES,
        agent=asked.word("agent") or None,
        mode=asked.word("mode") or None,
    )


COMMAND = Command("quick", build)
