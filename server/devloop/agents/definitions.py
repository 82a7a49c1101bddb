"""Agent definitions: Markdown with front matter of `key: value` lines; the body is the system prompt.

A definition that ships with devloop is part of the program; one in a repository is inert until it is trusted and is
not read here yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True)
class Agent:
    """`tools` are names of `devloop.tools`; `prompt` is the system prompt, byte-stable for a conversation."""

    name: str
    description: str
    mode: str
    tools: tuple[str, ...]
    prompt: str


def parse_agent(text: str) -> Agent:
    """Raises ValueError that names what is missing."""
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    fields = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields[key.strip()] = value.strip()
    missing = [key for key in ("name", "description", "tools") if not fields.get(key)]
    if missing or not body.strip():
        raise ValueError(f"an agent needs {', '.join(missing) or 'a body'}")
    tools = tuple(name.strip() for name in fields["tools"].split(","))
    return Agent(fields["name"], fields["description"], fields.get("mode", "default"), tools, body.strip())


@cache
def load_agents() -> dict[str, Agent]:
    """The agents that ship with devloop, by name."""
    agents = [parse_agent(path.read_text("utf-8")) for path in sorted(SHIPPED.glob("*.md"))]
    return {agent.name: agent for agent in agents}
