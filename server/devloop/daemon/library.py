"""`devloop/library`: the agents and skills there are, and why one of them would be used for a task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devloop import agents
from devloop import plan as plans
from devloop.agents import refining
from devloop.daemon import skill_list
from devloop.redact import one_line

Answer = dict[str, Any]


def library(root: Path, plan: plans.Plan | None, task: plans.Task | None) -> Answer:
    """`{"agents", "choice", "agent_problems", "skills", "problems"}`, the last of skills' files. `why` is null for what
    would not be used, and where no task is asked about. Blocks.

    `plan`: where `task` stands. Agents are those that ship and those of the repository that the person trusts.
    """
    found = agents.discover(root)
    phase = plan.phases[task.phase_index].name if plan and task and task.phase_index is not None else None
    choice = agents.route(found.agents, task, phase=phase) if task is not None else None
    suggestion = refining.suggestion(found.agents, task, choice) if task is not None and choice is not None else ""
    return {
        "agents": list(_agents(root, found.agents, choice)),
        "choice": choice.to_json() | ({"suggestion": suggestion} if suggestion else {}) if choice is not None else None,
        "agent_problems": [_problem(each) for each in found.problems],
        **skill_list.listed(root, task),
    }


def _problem(problem: agents.Problem) -> Answer:
    severity = "error" if problem.fatal else "warning"
    return {"path": problem.path, "line": problem.line, "severity": severity, "message": problem.text}


def _agents(root: Path, known: dict[str, agents.Agent], choice: agents.Choice | None) -> Iterator[Answer]:
    for agent in known.values():
        yield {
            "name": agent.name,
            "description": agent.description,
            "modes": [mode.name for mode in agent.modes],
            "tools": list(agent.tools),
            "path": agent.path if agent.source == "shipped" else str(root / agent.path),
            "source": agent.source,
            "why": one_line(choice.reason, 200) if choice is not None and choice.agent == agent.name else None,
        }
