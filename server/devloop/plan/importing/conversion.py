"""What the readers of Markdown lists share: edits carried out, refactorings tried, tasks compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from devloop.errors import DevloopError
from devloop.plan.build import parse
from devloop.plan.edits import apply_to
from devloop.plan.importing.model import Told
from devloop.plan.model import Edit, Plan


def after(plan: Plan, edits: tuple[Edit, ...]) -> Plan:
    return parse(apply_to(plan.document, edits), name=plan.name) if edits else plan


def tried(plan: Plan, convert: Callable[[Plan], tuple[Edit, ...]], told: Told, line: int = 0) -> Plan:
    try:
        return after(plan, convert(plan))
    except DevloopError as problem:
        told.problem(problem.sentences, line=line)
        return plan


def facts(plan: Plan) -> Counter[tuple[str, str]]:
    return Counter((task.title, task.status) for task in plan.tasks)
