"""What can be done at a line, cheap enough to be asked at every move of a cursor; the edits only when one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from devloop.errors import UsageError
from devloop.plan.model import Edit, Phase, Plan, Task
from devloop.plan.refactor import archiving, convert, explicit, headings, moving, splitting, states
from devloop.plan.tree import TASK

T = TypeVar("T")
Needs = Literal["", "reason", "phase", "title"]


@dataclass(frozen=True)
class Offer:
    """`kind` and `line` name it for `carry_out`; `needs`: what has to be asked before; `choices`: (answer, label) when
    the answer is one of these."""

    kind: str
    title: str
    line: int
    needs: Needs = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Done:
    """`edits` of the plan; `archive` when files come to be as well."""

    edits: tuple[Edit, ...]
    archive: archiving.Archive | None = None


def refactorings(plan: Plan, line: int) -> tuple[Offer, ...]:
    """What applies at a line (1-based): to the task it belongs to, to the heading it is."""
    task = _task_at(plan, line)
    if task is not None:
        return tuple(_of_task(plan, task))
    at = next((n for n, s in enumerate(plan.tree.sections) if s.line <= line < s.line + s.heading_lines), None)
    if at is None:
        return ()
    section = plan.tree.sections[at]
    phase = next((phase for phase in plan.phases if phase.line == section.line), None)
    if phase is not None:
        return tuple(_of_phase(plan, phase))
    if section.heading.task_like:
        return tuple(_of_heading(plan, section.line))
    return tuple(_of_plan(plan, line)) if at == 0 else ()


def carry_out(plan: Plan, kind: str, line: int, now: datetime, answer: str = "") -> Done:
    """The edits of an offer. `answer`: reason, title, or line of the phase. Raises `UsageError` when it does not apply
    any more."""
    if kind in ("start", "block", "skip", "reopen", "split", "split-off", "move"):
        return Done(_on_task(plan, kind, _needed(_task_at(plan, line), line), now, answer))
    if kind in ("explicit-phases", "explicit-order"):
        where: Task | Phase = _task_at(plan, line) or _needed(_phase_at(plan, line), line)
        write = explicit.from_phases if kind == "explicit-phases" else explicit.from_order
        return Done(write(plan, where))
    if kind in ("archive", "archive-phase"):
        phases = [_needed(_phase_at(plan, line), line)] if kind == "archive-phase" else None
        found = archiving.archive(plan, phases, now)
        return Done(found.edits, found)
    if kind == "convert-heading":
        return Done(headings.from_headings(plan, line))
    whole = {
        "convert-headings": headings.from_headings,
        "convert-spec-kit": convert.spec_kit,
        "convert-kiro": convert.kiro,
    }
    if kind not in whole:
        raise UsageError(f"There is no refactoring {kind!r}")
    return Done(whole[kind](plan))


def _on_task(plan: Plan, kind: str, task: Task, now: datetime, answer: str) -> tuple[Edit, ...]:
    if kind == "start":
        return states.start(plan, task, now)
    if kind == "block":
        return states.block(plan, task, answer, now)
    if kind == "skip":
        return states.skip(plan, task, answer, now)
    if kind == "reopen":
        return states.reopen(plan, task, now)
    if kind == "split":
        return splitting.split(plan, task)
    if kind == "split-off":
        if not answer.strip():
            raise UsageError("Say what the second task is called")
        return splitting.split(plan, task, answer)
    phase = _phase_at(plan, int(answer)) if answer.isdecimal() else None
    if phase is None:
        raise UsageError(f"There is no phase in line {answer or '?'}")
    return moving.move(plan, task, phase)


def _needed(found: T | None, line: int) -> T:
    if found is None:
        raise UsageError(f"Line {line} is not what it was", hint="Look at it again")
    return found


def _task_at(plan: Plan, line: int) -> Task | None:
    """The task that a line begins, or belongs to as a bullet or as text."""
    node = plan.tree.nodes.get(line)
    while node is not None and node.kind != TASK:
        node = node.parent
    return plan.tasks[node.index] if node is not None else None


def _phase_at(plan: Plan, line: int) -> Phase | None:
    return next((phase for phase in plan.phases if phase.line == line), None)


def _of_task(plan: Plan, task: Task) -> list[Offer]:
    line, name = task.line, task.label
    found: list[Offer] = []
    if not task.pickable:
        return found
    if task.status in ("pending", "unknown"):
        found.append(Offer("start", f"Start {name}", line))
    if not task.done and task.status != "blocked":
        found.append(Offer("block", f"Block {name}…", line, "reason"))
    if not task.done:
        found.append(Offer("skip", f"Skip {name}…", line, "reason"))
    if task.status != "pending":
        found.append(Offer("reopen", f"Reopen {name}", line))
    if not task.done:
        cut = splitting.parts(plan, task)
        if cut is not None:
            found.append(Offer("split", f"Split into “{cut[0]}” and “{cut[1]}”", line))
        found.append(Offer("split-off", f"Split off a part of {name}…", line, "title"))
    if task.parent_line is None:
        others = tuple(
            (str(phase.line), f"Phase {phase.id}: {phase.name}".rstrip(": "))
            for at, phase in enumerate(plan.phases)
            if at != task.phase_index
        )
        if others:
            found.append(Offer("move", f"Move {name} to another phase…", line, "phase", others))
        if not task.done:
            found += _explicit(plan, line, [plan.graph.by_line[line]])
    if convert.is_spec_kit(task):
        found.append(Offer("convert-spec-kit", "Convert the spec-kit list to devloop tasks", line))
    if convert.is_kiro(task):
        found.append(Offer("convert-kiro", "Convert the numbered list to phases and tasks", line))
    return found


def _explicit(plan: Plan, line: int, tasks: list[int]) -> list[Offer]:
    found = []
    if any(plan.graph.phase_needs[phase] for at in tasks for phase in plan.graph.phase_chain(at)):
        found.append(Offer("explicit-phases", "Write what the phase waits for as dependencies", line))
    if tasks:
        found.append(Offer("explicit-order", "Write the order as dependencies", line))
    return found


def _of_phase(plan: Plan, phase: Phase) -> list[Offer]:
    index = plan.phases.index(phase)
    tasks = [
        at
        for at, task in enumerate(plan.tasks)
        if task.parent_line is None and not task.done and index in plan.graph.phase_chain(at)
    ]
    found = _explicit(plan, phase.line, tasks)
    finished = archiving.archivable(plan)
    if phase in finished:
        found.append(Offer("archive-phase", f"Archive phase {phase.id}", phase.line))
        if len(finished) > 1:
            found.append(Offer("archive", f"Archive {len(finished)} finished phases", phase.line))
    return found


def _of_heading(plan: Plan, line: int) -> list[Offer]:
    lines = headings.convertible(plan)
    found = [Offer("convert-heading", "Make it a task", line)] if line in lines else []
    if len(lines) > 1:
        found.append(Offer("convert-headings", f"Make {len(lines)} headings tasks", line))
    return found


def _of_plan(plan: Plan, line: int) -> list[Offer]:
    """At the title: what concerns the whole plan."""
    found = []
    finished = archiving.archivable(plan)
    if finished:
        many = f"{len(finished)} finished phases" if len(finished) > 1 else f"phase {finished[0].id}"
        found.append(Offer("archive", f"Archive {many}", line))
    lines = headings.convertible(plan)
    if lines:
        many = f"{len(lines)} headings tasks" if len(lines) > 1 else "one heading a task"
        found.append(Offer("convert-headings", f"Make {many}", line))
    if any(convert.is_spec_kit(task) for task in plan.tasks):
        found.append(Offer("convert-spec-kit", "Convert the spec-kit list to devloop tasks", line))
    if any(convert.is_kiro(task) for task in plan.tasks):
        found.append(Offer("convert-kiro", "Convert the numbered list to phases and tasks", line))
    return found
