"""Who does a task: agent definitions in Markdown, their modes, and the choice of agent and mode for a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devloop.later import later

if TYPE_CHECKING:
    from devloop.agents.definitions import Agent, Mode, Problem
    from devloop.agents.discovery import discover, load_agents
    from devloop.agents.fixing import check_text
    from devloop.agents.reading import read_agent
    from devloop.agents.routing import Choice, route
else:
    __getattr__ = later(
        __name__,
        definitions="Agent Mode Problem",
        discovery="discover load_agents",
        fixing="check_text",
        reading="read_agent",
        routing="Choice route",
    )

__all__ = [
    "Agent",
    "Choice",
    "Mode",
    "Problem",
    "check_text",
    "discover",
    "load_agents",
    "read_agent",
    "route",
]
