"""Archiving finished phases: what leaves the plan, and the files it goes to (plan-format §15, state-files §10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from devloop.errors import UsageError
from devloop.plan import edits
from devloop.plan.events import log_name
from devloop.plan.extent import last_line
from devloop.plan.headings import LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, LogLine, Phase, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft

FOLDER: Final = ".devloop/archive"
KEPT_LOG: Final = 10  # lines of the log that stay, the newest


@dataclass(frozen=True)
class Archive:
    """`edits` take the phases out of the plan; `files`: (name in the archive folder, text) of each phase; `worklog`:
    old lines of the log that belong to no task, as they stood, oldest first. `phases`: ids."""

    edits: tuple[Edit, ...]
    files: tuple[tuple[str, str], ...]
    worklog: tuple[str, ...]
    phases: tuple[str, ...]


def archivable(plan: Plan) -> tuple[Phase, ...]:
    """The finished phases; none when nothing would remain (then the plan is complete, not long)."""
    done = _finished(plan)
    inside = {at for phase in done for at in _tasks(plan, phase)}
    remains = any(task.parent_line is None and at not in inside for at, task in enumerate(plan.tasks))
    return done if remains else ()


def _finished(plan: Plan) -> tuple[Phase, ...]:
    return tuple(phase for phase in plan.phases if phase.parent is None and phase.status == "complete")


def archive(plan: Plan, phases: Sequence[Phase] | None, now: datetime) -> Archive:
    """Archive these phases, or all finished ones (None).

    The log keeps its newest ten lines, what names a task that stays, and a line for each phase. Raises `UsageError` for
    a phase that is open or nested in another, when nothing would remain, and when a task that stays could no longer
    tell what it waits for.
    """
    wanted = _wanted(plan, phases)
    draft = Draft(plan)
    gone = {at for phase in wanted for at in _tasks(plan, phase)}
    files: list[tuple[str, str]] = []
    notes: list[str] = []
    for phase in wanted:
        first, last = phase.line, _end(plan, phase)
        name = f"{_slug(plan.name)}_phase_{_slug(phase.id)}_{now:%Y%m%d_%H%M%S}.md"
        if any(other == name for other, _ in files):
            raise UsageError(f"There are two phases {phase.id}", hint="Archive them one after the other")
        files.append((name, _text(plan, phase, last, now)))
        notes.append(f"Archived Phase {phase.id} to {FOLDER}/{name}")
        draft.remove(first, last)
    worklog = _old_lines(plan, draft, gone)
    found = (*draft.edits(), *edits.append_log(plan, notes, now))
    found = tuple(sorted(found, key=lambda edit: (edit.start_line, edit.start, edit.end_line, edit.end)))
    _check(plan, found, wanted, gone)
    return Archive(found, tuple(files), worklog, tuple(phase.id for phase in wanted))


def _wanted(plan: Plan, phases: Sequence[Phase] | None) -> list[Phase]:
    chosen = list(_finished(plan) if phases is None else dict.fromkeys(phases))
    for phase in chosen:
        if phase not in plan.phases:
            raise UsageError(f"There is no phase {phase.id} in line {phase.line}")
        if phase.parent is not None:
            raise UsageError(f"Phase {phase.id} is part of phase {plan.phases[phase.parent].id}: archive that one")
        if phase.status != "complete":
            raise UsageError(f"Phase {phase.id} is not finished")
    if not chosen:
        raise UsageError("No phase is finished", hint="A phase is when all its tasks are done or skipped")
    inside = {at for phase in chosen for at in _tasks(plan, phase)}
    if all(at in inside for at, task in enumerate(plan.tasks) if task.parent_line is None):
        raise UsageError("No task would remain: complete the plan instead")
    return sorted(chosen, key=lambda phase: phase.line)


def _tasks(plan: Plan, phase: Phase) -> list[int]:
    end = _end(plan, phase)
    return [at for at, task in enumerate(plan.tasks) if phase.line < task.line <= end]


def _end(plan: Plan, phase: Phase) -> int:
    """The last line that goes: a log inside a phase stays."""
    logs = [section.line for section in plan.sections if phase.line < section.line <= phase.end_line]
    kinds = {draft.line: draft.heading.kind for draft in plan.tree.sections}
    first = next((line for line in logs if kinds[line] == LOG), None)
    if first is None:
        return phase.end_line
    if any(first < task.line <= phase.end_line for task in plan.tasks):
        raise UsageError(f"A log stands in the middle of phase {phase.id}", hint="Move it to the end of the plan")
    return first - 1


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text.lower().replace("_", "-")).strip("-.")[:60].strip("-.") or "plan"


def _text(plan: Plan, phase: Phase, last: int, now: datetime) -> str:
    """The file of a phase: a header, the phase as it stood, its part of the log."""
    document = plan.document
    tasks = [plan.tasks[at] for at in _tasks(plan, phase)]
    top = [task for task in tasks if task.parent_line is None]
    lines = [body(line) for line in document.lines(phase.line - 1, last)]
    while lines and not lines[-1].strip():
        lines.pop()
    names = {log_name(task) for task in tasks}
    log = [text for entry in _entries(plan) if _about(entry, names, phase) for text in _lines(plan, entry)]
    head = [
        f"# Archived Plan: {plan.name} - Phase {phase.id}",
        "",
        f"**Archived**: {now:%Y-%m-%d %H:%M}",
        f"**Original Plan**: {plan.name}",
        "**Phase Status**: Complete",
        f"**Tasks**: {sum(task.done for task in top)}/{len(top)} complete",
        "",
        "---",
        "",
    ]
    whole = [*head, *lines, "", f"## Progress Log (Phase {phase.id})", "", *log]
    return document.eol.join(whole).rstrip() + document.eol


def _entries(plan: Plan) -> list[LogLine]:
    return [entry for entry in plan.log if not plan.document.step(entry.line - 1).matched]


def _lines(plan: Plan, entry: LogLine) -> list[str]:
    return [body(line) for line in plan.document.lines(entry.line - 1, last_line(plan.document, entry.line))]


def _about(entry: LogLine, names: set[str], phase: Phase) -> bool:
    if any(name.lower() in names for name in entry.tasks):
        return True
    return entry.event == "phase_complete" and f"phase {phase.id.lower()} " in f"{entry.text.lower()} "


def _old_lines(plan: Plan, draft: Draft, gone: set[int]) -> tuple[str, ...]:
    """Take the old lines out of the log: those about the archived tasks, and those about none, which are returned."""
    entries = _entries(plan)
    if edits.newest_first(plan.log):
        entries.reverse()
    names = {log_name(plan.tasks[at]) for at in gone}
    worklog: list[str] = []
    for entry in entries[:-KEPT_LOG]:
        ours = bool(entry.tasks) and all(name.lower() in names for name in entry.tasks)
        if ours or (not entry.tasks and entry.event != "phase_complete"):
            draft.remove(entry.line, last_line(plan.document, entry.line))
            if not ours:
                worklog += _lines(plan, entry)
    return tuple(worklog)


def _check(plan: Plan, found: tuple[Edit, ...], wanted: Sequence[Phase], gone: set[int]) -> None:
    ids = [plan.tasks[at].id for at in gone] + [f"phase {phase.id}" for phase in wanted]
    changed = check.after(plan, found, archived=ids)
    expected = [fact for at, fact in enumerate(check.facts(plan)) if at not in gone]
    unknown = _unknown(plan)
    lost = next((task for task in changed.tasks if task.unknown and (task.id, task.title) not in unknown), None)
    if lost is not None:
        raise UsageError(
            f"{lost.label} waits for {', '.join(lost.unknown)}, which would no longer be found",
            hint="Name the tasks one by one first",
        )
    check.same(expected, changed)


def _unknown(plan: Plan) -> set[tuple[str, str]]:
    def key(task: Task) -> tuple[str, str]:
        return task.id, task.title

    return {key(task) for task in plan.tasks if task.unknown}
