"""Who does a task: agent definitions in Markdown, their modes, and the choice of agent and mode for a task."""

from devloop.agents.definitions import Access, Agent, Mode, Problem, read_agent
from devloop.agents.discovery import Clash, Library, discover, load_agents
from devloop.agents.fixing import check_text
from devloop.agents.routing import Choice, route

__all__ = [
    "Access",
    "Agent",
    "Choice",
    "Clash",
    "Library",
    "Mode",
    "Problem",
    "check_text",
    "discover",
    "load_agents",
    "read_agent",
    "route",
]
