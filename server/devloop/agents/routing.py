"""Which agent and mode do a task: the task's own tag, else the default. The reason is shown with the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devloop.agents.definitions import Agent

DEFAULT = "engineer"


@dataclass(frozen=True)
class Choice:
    agent: str
    mode: str
    reason: str


def route(agents: Mapping[str, Agent], *, agent: str | None, mode: str | None) -> Choice:
    """`agent` and `mode` are what the task's tag says, None where it says nothing."""
    if agent and agent in agents:
        named = f"{agent}:{mode}" if mode else agent
        return Choice(agent, mode or agents[agent].mode, f"the task names [agent:{named}]")
    if agent:
        return Choice(DEFAULT, agents[DEFAULT].mode, f"there is no agent {agent!r}; {DEFAULT} does it instead")
    return Choice(DEFAULT, mode or agents[DEFAULT].mode, "the default")
