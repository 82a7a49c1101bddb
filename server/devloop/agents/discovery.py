"""Which agents there are: those that ship with devloop, and those of a repository that a person trusts as they stand.

A later place overrides an earlier one: shipped, `.claude/agents`, `.devloop/agents`. Which one won is stated. What is
not trusted is read for its problems and is otherwise not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from devloop import trust
from devloop.agents.definitions import Agent, Problem
from devloop.agents.reading import read_agent
from devloop.paths import StateDir

SHIPPED: Final = Path(__file__).parent / "shipped"
PLACES: Final = (("claude", ".claude/agents/"), ("repository", ".devloop/agents/"))
"""Of two agents with one name the one in the later place counts."""


@dataclass(frozen=True)
class Clash:
    """Two agents with one name: which counts, which does not, and why."""

    name: str
    winner: str
    loser: str
    reason: str


@dataclass(frozen=True)
class Library:
    """`inert`: (name, path) of agents that nobody has trusted as they stand."""

    agents: dict[str, Agent]
    problems: tuple[Problem, ...] = ()
    clashes: tuple[Clash, ...] = ()
    inert: tuple[tuple[str, str], ...] = ()


@cache
def _shipped() -> tuple[Agent, ...]:
    found = []
    for path in sorted(SHIPPED.glob("*.md"), key=lambda each: (each.stem != "engineer", each.stem)):
        agent, problems = read_agent(path.read_text("utf-8"), str(path))
        assert agent is not None and not problems, f"{path}: {problems}"
        found.append(agent)
    return tuple(found)


def load_agents(root: Path | None = None) -> dict[str, Agent]:
    """The agents that can do a task at `root`, by name; without a root only those that ship with devloop. May block."""
    return discover(root).agents if root is not None else {agent.name: agent for agent in _shipped()}


@dataclass
class _Known:
    """What was found last at a root, and what it was found in."""

    signature: object = None
    library: Library = field(default_factory=lambda: Library({}))


_known: dict[tuple[Path, Path], _Known] = {}


def discover(root: Path, store: Path | None = None) -> Library:
    """All agents at `root`; `store` is the person's list of what they trust there. Never raises on what a tree holds.
    Cheap while nothing changes: then only the files' dates are looked at."""
    store = store or StateDir.of(root).trust_file
    known = _known.setdefault((root, store), _Known())
    signature = _signature(root, store)
    if known.signature != signature:
        known.library = _discover(root, store)
        known.signature = signature
    return known.library


def _signature(root: Path, store: Path) -> object:
    found: list[object] = []
    for path in (*(root / place for _, place in PLACES), store):
        try:
            found.append((path.stat().st_mtime_ns, path.stat().st_size))
            if path.is_dir():
                found += [(each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in sorted(path.iterdir())]
        except OSError:
            found.append(None)
    return tuple(found)


def _discover(root: Path, store: Path) -> Library:
    items = trust.state(root, store)
    found: list[Agent] = list(_shipped())
    problems: list[Problem] = []
    inert: list[tuple[str, str]] = []
    for source, place in PLACES:
        for state in items:
            if state.item.kind == "agent" and f"{state.item.path}/".startswith(place):
                agent, wrong = _read(state, source)
                problems += wrong
                if agent is not None and state.status == "trusted":
                    found.append(agent)
                elif agent is not None:
                    inert.append((agent.name, agent.path))
    agents, clashes = _settle(found)
    problems += [Problem(clash.loser, 1, clash.reason) for clash in clashes if not clash.loser.startswith("shipped")]
    return Library(agents, tuple(problems), tuple(clashes), tuple(inert))


def _read(state: trust.ItemState, source: str) -> tuple[Agent | None, Sequence[Problem]]:
    item = state.item
    if item.refused:
        return None, [Problem(item.path, 1, item.refused, fatal=True)]
    try:
        text = item.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, [Problem(item.path, 1, "it is no UTF-8 text", fatal=True)]
    return read_agent(text, item.path, source=source)


def _settle(found: Iterable[Agent]) -> tuple[dict[str, Agent], list[Clash]]:
    agents: dict[str, Agent] = {}
    clashes: list[Clash] = []
    for agent in found:
        before = agents.get(agent.name)
        if before is not None:
            winner, loser = _place(agent), _place(before)
            same = before.source == agent.source
            why = (
                "of two in one folder the later file name counts" if same else "the repository's own folder counts most"
            )
            clashes.append(Clash(agent.name, winner, loser, f"agent {agent.name} of {winner} counts instead: {why}"))
        agents[agent.name] = agent
    return agents, clashes


def _place(agent: Agent) -> str:
    return f"shipped/{agent.name}.md" if agent.source == "shipped" else agent.path
