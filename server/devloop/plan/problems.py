"""Diagnostics."""

from __future__ import annotations

from devloop.plan.model import Plan, Problem


def find_problems(plan: Plan) -> tuple[Problem, ...]:
    return ()
