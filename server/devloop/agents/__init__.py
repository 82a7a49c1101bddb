"""Who does a task: agent definitions in Markdown, and the choice of agent and mode for a task."""

from devloop.agents.definitions import Agent, load_agents
from devloop.agents.routing import Choice, route

__all__ = ["Agent", "Choice", "load_agents", "route"]
