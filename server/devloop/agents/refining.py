"""Whether a task that the engineer is about to build looks vague or large, so that others come first.

Only a suggestion, in a notice of the run and beside the choice: routing stays what it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from devloop.agents.definitions import CHAIN, Agent
from devloop.agents.routing import DEFAULT, Choice

MANY_CRITERIA: Final = 6
MANY_FILES: Final = 8
_VAGUE = re.compile(
    r"\b(overhaul|rework|redesign|revamp|rewrite|rethink|modernize|modernise|somehow|various|several things|and so on|"
    r"etc|improve|optimize|optimise|better|cleaner|as needed|where needed|everything|whole|entire|across the)\b",
    re.I,
)


class Large(Protocol):
    """A task of a plan and a task of a run both fit."""

    @property
    def title(self) -> str: ...
    @property
    def agent(self) -> str | None: ...
    @property
    def acceptance(self) -> Sequence[Any]: ...
    @property
    def files(self) -> Sequence[Any]: ...


def suggestion(agents: Mapping[str, Agent], task: Large, choice: Choice) -> str:
    """A sentence with the reason and the tag; "" where the task names who does it, another mode does it, or it is plain
    enough."""
    agent = agents.get(choice.agent)
    if task.agent or agent is None or choice.agent != DEFAULT or choice.mode != agent.mode or not agent.chain(CHAIN):
        return ""
    why = _why(task)
    earlier = ", ".join(agent.chain(CHAIN)[:-1])
    return f"This task looks {why}: with [agent:{agent.name}:{CHAIN}] {earlier} come first." if why else ""


def _why(task: Large) -> str:
    criteria, files = len(task.acceptance), len(task.files)
    large = [f"{criteria} criteria"] if criteria >= MANY_CRITERIA else []
    large += [f"{files} files"] if files >= MANY_FILES else []
    if large:
        return f"large ({', '.join(large)})"
    word = _VAGUE.search(task.title)
    if word is not None and not criteria and not files:
        return f"vague (“{word.group().lower()}”, without a criterion or a file)"
    return ""
