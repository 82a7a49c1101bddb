"""Problems of a plan that its text alone can't show: files, time, other plans (plan-format §17)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from devloop import plan as plans
from devloop.daemon.documents import PlanText
from devloop.plan.problems_external import stale_plan, tests_named, unknown_names, unknown_skills

if TYPE_CHECKING:
    from devloop.agents import Agent

MAX_FILES = 2_000
"""Files that are looked for; a plan that names more is not checked to the end."""


def all_problems(found: PlanText, plan: plans.Plan, root: Path, now: datetime) -> tuple[plans.Problem, ...]:
    """The plan's problems with those of its surroundings among them, in the order of lines."""
    more = problems_outside(plan, root, now, found.others)
    return tuple(sorted((*plan.problems, *more), key=lambda each: (each.line, each.start)))


def problems_outside(
    plan: plans.Plan, root: Path, now: datetime, others: Sequence[str] = ()
) -> tuple[plans.Problem, ...]:
    """`missing-file`, `stale-plan`, `multiple-plans`, `unknown-agent`, `unknown-skill` and `untrusted-skill`. Looks at
    the disk: not on the loop."""
    found = [
        *_missing_files(plan, root),
        *stale_plan(plan, now.astimezone()),
        *_others(others),
        *_agents(plan, root),
        *_skills(plan, root),
    ]
    return tuple(sorted(found, key=lambda each: (each.line, each.start)))


def _missing_files(plan: plans.Plan, root: Path) -> Iterator[plans.Problem]:
    looked = 0
    for task in plan.tasks:
        files = [(file.path, False) for file in task.files if not (file.new or file.glob)]
        for path, test in (*files, *((path, True) for path in tests_named(task))) if not task.done else ():
            looked += 1
            if looked > MAX_FILES:
                return
            if _is_missing(root, path):
                yield plans.Problem("missing-file", "hint", task.line, f"{task.label} names {path}, which is not there")
            elif test and (root / path).is_dir():
                told = f"{task.label} may change no test by naming a folder: write {path.rstrip('/')}/**"
                yield plans.Problem("missing-file", "hint", task.line, told)


def _is_missing(root: Path, path: str) -> bool:
    """Only paths inside the root are looked at; others are the parser's `path-outside`."""
    inside = os.path.normpath(path)
    if Path(inside).is_absolute() or inside.startswith("..") or "\0" in inside:
        return False
    try:
        return not os.path.lexists(root / inside)
    except OSError:
        return False


def _agents(plan: plans.Plan, root: Path) -> Iterator[plans.Problem]:
    """Modes and chains as their agents spell them, and as `Agent.find` and `Agent.chain` take them."""
    if not any(task.agent or task.mode for task in plan.tasks):
        return  # then there is nothing to compare, and the agents need not be read, nor what reads them
    from devloop import agents

    known = agents.load_agents(root)
    modes = {f"{name}:{mode.name}" for name, agent in known.items() for mode in agent.modes}
    said = {(task.agent, task.mode) for task in plan.tasks if task.agent and task.mode}
    found = {f"{name}:{mode}" for name, mode in said if name in known and _known(known[name], mode)}
    yield from unknown_names(plan, {*known, *modes, *found})


def _known(agent: Agent, mode: str) -> bool:
    return agent.find(mode) is not None or bool(agent.chain(mode))


def _skills(plan: plans.Plan, root: Path) -> Iterator[plans.Problem]:
    if any(task.skills and not task.done for task in plan.tasks):
        from devloop.daemon import skill_list

        library = skill_list.look(root).library
        waiting = {each.name: f"{each.note} ({each.where})" for each in library.found if each.state == "untrusted"}
        yield from unknown_skills(plan, library.active, waiting)


def _others(others: Sequence[str]) -> Iterator[plans.Problem]:
    if others:
        text = f"there are other plans: {', '.join(others)}; this one counts"
        yield plans.Problem("multiple-plans", "info", 1, text)
