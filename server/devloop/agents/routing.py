"""Which agent and mode do a task, how sure that is, and why. Pure; far below a millisecond.

In this order: the task's own word (tag or metadata), the words of its title, the files it names, the heading of its
phase, the default. The reason is shown with the choice, and the person can change it before the run. Rules: agents
reference §1.2. One rule beside it: what a task begins with says more than what it contains, because "Fix the security
hole" is no scan and "Add a review page" no review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from devloop.agents.definitions import Agent
from devloop.agents.triggers import STARTS, Hit, hits

DEFAULT: Final = "engineer"
Confidence = Literal["high", "medium", "low"]


class Asked(Protocol):
    """What routing looks at. A task of a plan and a task of a run both fit."""

    @property
    def title(self) -> str: ...
    @property
    def agent(self) -> str | None: ...
    @property
    def mode(self) -> str | None: ...
    @property
    def phase(self) -> str | None: ...
    @property
    def files(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Choice:
    """`ask`: two agents fit alike and nothing decides; `others` are what else would fit, as `agent:mode`."""

    agent: str
    mode: str
    reason: str
    confidence: Confidence = "high"
    ask: bool = False
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "agent": self.agent,
            "mode": self.mode,
            "reason": self.reason,
            "confidence": self.confidence,
            "ask": self.ask,
            "others": list(self.others),
        }


def route(agents: Mapping[str, Agent], task: Asked, *, unattended: bool = False, phase: str | None = None) -> Choice:
    """`phase`: the title of the phase, where the task itself only names its number. Unattended, a choice that would
    be asked about is the default."""
    if task.agent:
        return _tagged(agents, task)
    listed = tuple(agents.values())
    choice = _by_words(agents, listed, task.title)
    choice = choice or _by_files(agents, task.files) or _by_phase(agents, listed, phase or task.phase or "")
    if choice is None:
        return _default(agents, "the default")
    if choice.ask and unattended:
        return _default(agents, f"the default, as nobody is asked here ({choice.reason})")
    return choice


def _default(agents: Mapping[str, Agent], reason: str, confidence: Confidence = "low") -> Choice:
    return Choice(DEFAULT, agents[DEFAULT].mode, reason, confidence)


def _tagged(agents: Mapping[str, Agent], task: Asked) -> Choice:
    named = f"{task.agent}:{task.mode}" if task.mode else f"{task.agent}"
    agent = agents.get(task.agent or "") or next(
        (each for name, each in agents.items() if name.lower() == (task.agent or "").lower()), None
    )
    if agent is None:
        return _default(agents, f"there is no agent {task.agent!r}; {DEFAULT} does it instead")
    if task.mode:
        mode = agent.find(task.mode)
        if mode is None and (modes := agent.chain(task.mode)):
            reason = f"the task names the chain {' → '.join(modes)}, which begins with it"
            return Choice(agent.name, modes[0], reason)
        if mode is None:
            return Choice(
                agent.name,
                agent.mode,
                f"{agent.name} has no mode {task.mode!r}; {agent.mode} does it instead",
                "low",
            )
        return Choice(agent.name, mode.name, f"the task names [agent:{named}]")
    if agent.name != DEFAULT and len(agent.modes) > 1 and (found := hits((agent,), task.title)):
        reason = f"the task names [agent:{named}], and “{found[0].phrase}” its mode"
        return Choice(agent.name, found[0].mode, reason)
    return Choice(agent.name, agent.mode, f"the task names [agent:{named}]")


def _by_words(agents: Mapping[str, Agent], listed: tuple[Agent, ...], title: str) -> Choice | None:
    found = hits(listed, title)
    if not found:
        return None
    first = found[0]
    rivals = [hit for hit in found[1:] if hit.agent != first.agent]
    others = tuple(dict.fromkeys(f"{hit.agent}:{hit.mode}" for hit in found[1:4]))
    if rivals and rivals[0].rank == first.rank:
        reason = f"“{first.phrase}” speaks for {first.agent}, “{rivals[0].phrase}” for {rivals[0].agent}"
        return Choice(first.agent, first.mode, reason, "low", True, others)
    where = "begins with" if first.strength == STARTS else "says"
    return Choice(first.agent, first.mode, f"the task {where} “{first.phrase}”", _sure(first, rivals), False, others)


def _sure(first: Hit, rivals: Sequence[Hit]) -> Confidence:
    if first.strength == STARTS and (not rivals or first.words >= 2):
        return "high"
    return "medium" if first.strength == STARTS or not rivals else "low"


_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|e2e)/|(^|/)test_[^/]*$|[._-](test|spec)s?\.[a-z]+$|_test\.[a-z]+$", re.I
)
_DOC = re.compile(r"(^|/)docs?/|\.(md|rst|adoc|mdx)$|(^|/)(readme|changelog|license|contributing)(\.[a-z]+)?$", re.I)


def _by_files(agents: Mapping[str, Agent], files: Sequence[Any]) -> Choice | None:
    """All files of one kind say what kind of work it is."""
    paths = [str(getattr(file, "path", file)) for file in files]
    for pattern, kind, agent, mode in _kinds(agents):
        if paths and all(pattern.search(path) for path in paths):
            return Choice(agent, mode, f"all its files are {kind}", "medium")
    return None


def _kinds(agents: Mapping[str, Agent]) -> Iterator[tuple[re.Pattern[str], str, str, str]]:
    for pattern, kind, agent, mode in (
        (_TEST, "tests", "qa-engineer", "generator"),
        (_DOC, "documents", "doc-generator", "default"),
    ):
        if agent in agents and (found := agents[agent].find(mode)) is not None:
            yield pattern, kind, agent, found.name


_PHASES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\b(documentation|docs)\b", re.I), "doc-generator", "default"),
    (re.compile(r"\b(tests|testing|test coverage|qa|quality assurance)\b", re.I), "qa-engineer", "generator"),
    (re.compile(r"\b(code review|review)\b", re.I), "code-reviewer", "default"),
    (re.compile(r"\b(refactoring|clean-?up)\b", re.I), "engineer", "refactorer"),
    (re.compile(r"\b(exploration|research|discovery)\b", re.I), "engineer", "explorer"),
)


def _by_phase(agents: Mapping[str, Agent], listed: tuple[Agent, ...], phase: str) -> Choice | None:
    """The heading of a phase that is about one thing only ("Documentation", not "Tests and release")."""
    found = [row for row in _PHASES if row[1] in agents and agents[row[1]].find(row[2]) and row[0].search(phase)]
    if len(found) != 1:
        return None
    pattern, agent, mode = found[0]
    word = pattern.search(phase)
    assert word is not None
    return Choice(agent, mode, f"its phase is about “{word.group().lower()}”", "low")
