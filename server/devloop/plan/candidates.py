"""What a plan itself offers for a place: ids, groups, keys, values, the next task and phase."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_uppercase
from typing import Final, Literal, NamedTuple

from devloop.lists import some
from devloop.plan import header
from devloop.plan.model import MARKERS, Plan
from devloop.plan.numbering import next_lead, next_phase_id
from devloop.plan.outlook import Outlook
from devloop.plan.tree import Node

CandidateKind = Literal["", "task", "phase"]


class Candidate(NamedTuple):
    """`text` is what is written; `detail` explains it. `kind`: what it stands for, where that is a task or phase.

    `worse`: it fits, but would make a cycle or name something twice; such ones come last.
    """

    text: str
    detail: str = ""
    kind: CandidateKind = ""
    worse: bool = False


_MARKERS: Final = (" ", "x", "~", "!", "-")  # what a person may set; devloop's own aliases are read only
_TAGS: Final = {
    "depends:": "tasks it waits for",
    "parallel:": "group of tasks that may run together",
    "agent:": "agent, or agent:mode",
    "model:": "model or tier",
    "skill:": "skills that the agent has from the start",
    "sequential": "runs alone",
    "background": "picked last",
    "P": "may run together with its neighbours",
    "budget:": "limit in dollars, such as 2.50",
    "turns:": "limit of turns",
    "timeout:": "limit of time, such as 30m",
}
_META: Final = {
    "Acceptance": "what has to be true when it is done",
    "Files": "files it is about",
    "Depends": "tasks it waits for",
    "Notes": "hints for the agent",
    "Verify": "command that checks it, in back-ticks",
    "May change tests": "existing tests whose change it allows",
    "Effort": "XS to XL",
    "Agent": "agent, or agent:mode",
    "Model": "model or tier",
    "Skills": "skills that the agent has from the start",
    "Owner": "who looks after it",
    "Requirements": "requirements it fulfils",
}
_HEADER: Final = (
    *("Created", "Updated", "Status", "Current Phase", "Complexity", "Estimate", "Goal", "Source"),
    *("Previous Plan", "Spike Reference", "Issue", "Branch"),
)
_PHASE_KEYS: Final = ("Goal", "Complexity", "Dependencies", "Parallelizable", "Parallel Groups")
_SIZES: Final = ("XS", "S", "M", "L", "XL")


def markers() -> tuple[Candidate, ...]:
    return tuple(Candidate(mark, MARKERS[mark].replace("_", " ")) for mark in _MARKERS)


def tag_names(text: str) -> tuple[Candidate, ...]:
    """Tags that the line does not have yet; `depends` may stand there several times."""
    low = text.lower()
    return tuple(
        Candidate(name, detail)
        for name, detail in _TAGS.items()
        if name == "depends:" or f"[{name.lower()}" not in low.replace(" ", "")
    )


def phase_tags() -> tuple[Candidate, ...]:
    return (Candidate("parallel:", "full, partial, none, or a group"),)


def phase_groups(plan: Plan, phase: int | None) -> tuple[Candidate, ...]:
    fixed = (
        Candidate("full", "all tasks of the phase may run together"),
        Candidate("partial", "some may"),
        Candidate("none", "one after the other"),
    )
    return (*fixed, *(Candidate(name, detail) for name, detail in _groups(plan, phase).items() if name != "full"))


def groups(plan: Plan, index: int) -> tuple[Candidate, ...]:
    """The groups of the task's phase, then the next letter that none has."""
    known = _groups(plan, plan.tasks[index].phase_index, index)
    fresh = next((letter for letter in ascii_uppercase if letter not in known), None)
    found = tuple(Candidate(name, detail) for name, detail in known.items())
    return (*found, Candidate(fresh, "new group")) if fresh else found


def _groups(plan: Plan, phase: int | None, without: int = -1) -> dict[str, str]:
    members: dict[str, list[str]] = {}
    for at, task in enumerate(plan.tasks):
        if task.group and task.phase_index == phase and at != without:
            members.setdefault(task.group, []).append(task.id)
    return {name: f"with {some(ids, 5)}" for name, ids in sorted(members.items())}


def dependencies(plan: Plan, index: int | None, phase: int | None, listed: str, prefix: str) -> tuple[Candidate, ...]:
    """Tasks and phases that a task (or a phase) may wait for: those that make no cycle first, nearest above first.

    Left out: the task itself, what the list names already, what neither begins with the prefix nor has it in its title.
    """
    named = {name.strip().lower() for name in re.split(r"[,;&]|\band\b", listed.replace("`", ""))}
    waiting = _waiting(plan, index, phase)
    own = plan.tasks[index].line if index is not None else plan.phases[phase].line if phase is not None else 0
    low = prefix.strip().lower()
    above: list[Candidate] = []
    below: list[Candidate] = []
    bad: list[Candidate] = []
    for key, members in plan.graph.by_id.items():
        at = members[0] if members[0] != index else members[-1]
        task = plan.tasks[at]
        if at == index or key in named or not (key.startswith(low) or low in task.title.lower()):
            continue
        if at in waiting:
            bad.append(Candidate(task.id, task.title, "task", True))
        else:
            (above if task.line < own else below).append(Candidate(task.id, task.title, "task"))
    found = [*reversed(above), *below]
    phases, late = _phases(plan, index, phase, low, named)
    return (*phases, *found, *bad, *late) if phase is not None else (*found, *phases, *bad, *late)


def _phases(
    plan: Plan, index: int | None, phase: int | None, low: str, named: set[str]
) -> tuple[list[Candidate], list[Candidate]]:
    """Phases in front of the place, and those behind it or around it."""
    around = set(plan.graph.phase_chain(index)) if index is not None else {phase}
    line = plan.tasks[index].line if index is not None else plan.phases[phase].line if phase is not None else 0
    good: list[Candidate] = []
    late: list[Candidate] = []
    for at, one in enumerate(plan.phases):
        text = f"Phase {one.id}"
        if at in around or text.lower() in named or not (text.lower().startswith(low) or low in one.name.lower()):
            continue
        (good if one.line < line else late).append(Candidate(text, one.name, "phase", one.line >= line))
    return good, late


def _waiting(plan: Plan, index: int | None, phase: int | None) -> set[int]:
    """The tasks that wait for the task, or for a task of the phase, directly or through others; itself included."""
    if index is not None:
        own = [index]
    elif phase is not None:
        own = [at for at in range(len(plan.tasks)) if phase in plan.graph.phase_chain(at)]
    else:
        return set()
    return {*own, *Outlook(plan).waiters(*own)}


def meta_keys(task: Node) -> tuple[Candidate, ...]:
    """Metadata keys the task does not have yet."""
    present = {meta.key for meta, _ in task.metas}
    return tuple(Candidate(key, detail) for key, detail in _META.items() if key.lower() not in present)


def header_keys(plan: Plan) -> tuple[Candidate, ...]:
    present = {field.key for field in plan.fields}
    return tuple(Candidate(key) for key in _HEADER if key not in present)


def phase_keys(plan: Plan, phase: int) -> tuple[Candidate, ...]:
    present = plan.tree.phases[phase].fields
    return tuple(Candidate(key) for key in _PHASE_KEYS if key.lower() not in present)


def header_values(plan: Plan, key: str, phase: int | None) -> tuple[Candidate, ...]:
    """Values of a field with a fixed set of them."""
    if phase is not None:
        choices: Iterable[str] = ("full", "partial", "none") if key == "parallelizable" else ()
        return sizes() if key == "complexity" else tuple(Candidate(choice) for choice in choices)
    if key == "status":
        return tuple(Candidate(text) for text in header.WRITTEN.values())
    if key == "current phase":
        found = [Candidate(f"Phase {one.id}", one.name, "phase", one.status == "complete") for one in plan.phases]
        return (*sorted(found, key=lambda one: one.worse), Candidate("Complete"))
    return sizes() if key in ("complexity", "estimate", "estimated size") else ()


def sizes() -> tuple[Candidate, ...]:
    return tuple(Candidate(size) for size in _SIZES)


def tasks_to_come(plan: Plan, phase: int | None, text: str, *, lead: bool = False) -> tuple[Candidate, ...]:
    """A new task with the next id of the phase; `lead`: only what stands behind the box."""
    start = next_lead(plan, plan.phases[phase] if phase is not None else None)
    if lead:
        gap = "" if text.endswith((" ", "\t")) else " "
        return (Candidate(gap + start, "new task", "task"),) if start else ()
    bullet = text.strip()[:1]
    return (Candidate(f"{bullet if bullet and bullet in '-*+' else '-'} [ ] {start}", "new task", "task"),)


def phases_to_come(plan: Plan, level: int) -> tuple[Candidate, ...]:
    """A heading for the next phase, at the level of the others unless one is given."""
    usual = plan.phases[-1].level if plan.phases else 2
    return (Candidate(f"{'#' * (level or usual)} Phase {next_phase_id(plan)}: ", "new phase", "phase"),)
