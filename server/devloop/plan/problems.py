"""Every diagnostic that follows from the text alone (plan-format §17)."""

from __future__ import annotations

from devloop.plan import problems_graph, problems_state, problems_tasks, problems_text
from devloop.plan.model import Plan, Problem


def find_problems(plan: Plan) -> tuple[Problem, ...]:
    """All of them, by line. What needs a clock, files or git is in `problems_external`."""
    found: list[Problem] = []
    for part in (problems_text, problems_tasks, problems_graph, problems_state):
        found += part.find(plan)
    found.sort(key=lambda problem: (problem.line, problem.start, problem.code))
    return tuple(found)
