"""`devloop/library`: the agents and skills there are, and why one of them would be used for a task."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from devloop import agents, shipped
from devloop import plan as plans
from devloop.agents.definitions import SHIPPED
from devloop.redact import one_line

log = logging.getLogger(__name__)

Answer = dict[str, Any]

MAX_SKILL: Final = 1024 * 1024


def library(task: plans.Task | None) -> Answer:
    """`{"agents", "skills"}`. `why` is null for what would not be used, and where no task is asked about. Blocks.

    Only what ships with devloop is listed: what lies in a repository is not read yet, and no skill is loaded by a run
    yet, so no skill says why.
    """
    return {"agents": list(_agents(task)), "skills": list(_skills())}


def _agents(task: plans.Task | None) -> Iterator[Answer]:
    known = agents.load_agents()
    choice = agents.route(known, agent=task.agent, mode=task.mode) if task is not None else None
    for agent in known.values():
        yield {
            "name": agent.name,
            "description": agent.description,
            "modes": [agent.mode],
            "tools": list(agent.tools),
            "path": str(SHIPPED / f"{agent.name}.md"),
            "source": "shipped",
            "why": one_line(choice.reason, 200) if choice is not None and choice.agent == agent.name else None,
        }


def _skills() -> Iterator[Answer]:
    for path in sorted(shipped.folder("skills").glob("*/SKILL.md")):
        try:
            text = path.read_bytes()[:MAX_SKILL].decode("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            log.warning("a skill could not be read: %s", problem)
            continue
        fields = _front_matter(text)
        yield {
            "name": one_line(fields.get("name") or path.parent.name, 80),
            "description": one_line(fields.get("description", ""), 1024),
            "path": str(path),
            "source": "shipped",
            "triggers": [],
            "why": None,
            "chars": len(text),
        }


def _front_matter(text: str) -> dict[str, str]:
    """The `key: value` lines between the first two `---`."""
    head, _, rest = text.partition("\n---")
    if not head.startswith("---\n") or not rest:
        return {}
    pairs = (line.partition(":") for line in head.splitlines()[1:])
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}
