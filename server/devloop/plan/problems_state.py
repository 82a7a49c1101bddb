"""Diagnostics about the state of the plan: header, status, phases, log."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.plan import edits, header
from devloop.plan.events import log_name
from devloop.plan.headings import LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, Field, Phase, Plan, Problem, Severity

_HEADER_LINES = 60


def find(plan: Plan) -> Iterator[Problem]:
    yield from _header(plan)
    yield from _status(plan)
    yield from _current_phase(plan)
    for phase in plan.phases:
        if phase.written and phase.status != "empty" and phase.written != phase.status:
            shown = phase.status.replace("_", " ")
            message = f"The heading of phase {phase.id} says {phase.written.replace('_', ' ')}, its tasks say {shown}"
            yield Problem("phase-status-drift", "hint", phase.line, message)
    yield from _log(plan)


def _header(plan: Plan) -> Iterator[Problem]:
    for field in plan.fields:
        if field.key in ("Created", "Updated") and not header.is_date(field.value):
            message = f"{field.key} is no date; write it as 2026-01-31 or 2026-01-31 12:30"
            yield Problem("bad-date", "hint", field.line, message, field.start, field.end)
    end = min(plan.tree.header_end - 1 if plan.tree.header_end else plan.document.count, _HEADER_LINES)
    for at in range(plan.document.front, end):
        step = plan.document.step(at)
        if step.quoted or step.kind not in (1, 11):  # text, item
            continue
        text = plan.document.line(at)
        near = header.nearly_field(text)
        if near is None or plan.field(near[0]) is not None:
            continue
        written = f"**{near[0]}**: {near[1]}"
        edit = Edit(at + 1, 0, at + 1, len(body(text)), written, body(text))
        message = f"A field of the header is written as {written}"
        yield Problem("malformed-header", "info", at + 1, message, fixes=((f"Write {written}", (edit,)),))


def _set(plan: Plan, field: Field, status: str, code: str, severity: Severity, message: str) -> Problem:
    written = edits.status_written(status)
    fix = ((f"Set Status to {written}", edits.set_header(plan, "Status", written)),)
    return Problem(code, severity, field.line, message, field.start, field.end, fixes=fix)


def _status(plan: Plan) -> Iterator[Problem]:
    field = plan.field("Status")
    if field is None:
        return
    stats = plan.stats.tasks
    known = header.status(field.value)
    if not known:
        names = ", ".join(header.WRITTEN.values())
        message = f"Unknown status {field.value!r}; known: {names}"
        yield _set(plan, field, plan.status, "unknown-status", "info", message)
        return
    open_tasks = stats.total - stats.done
    if known == "complete" and open_tasks:
        message = f"Status says Complete, but {open_tasks} of {stats.total} tasks are not done"
        yield _set(plan, field, "in_progress", "status-drift", "warning", message)
    elif known == "planning" and open_tasks and (stats.completed or stats.in_progress):
        message = "Status says Planning, but tasks have been started"
        yield _set(plan, field, "in_progress", "status-drift", "warning", message)
    elif stats.total and not open_tasks and known not in ("review", "complete", "archived"):
        message = "All tasks are done, but the status is neither Review nor Complete"
        yield _set(plan, field, "review", "plan-complete", "info", message)


def _current_phase(plan: Plan) -> Iterator[Problem]:
    field = plan.field("Current Phase")
    if field is None or not plan.phases:
        return
    said = header.current_phase(field.value)
    following = next((phase for phase in plan.phases if phase.status in ("pending", "in_progress")), None)
    if said.none_left or said.phases:
        named = _named(plan, said.phases)
        agrees = (following is None) if named is None else (following is not None and named.status != "complete")
        if following is None and named is plan.phases[-1]:
            agrees = True  # the last phase, done
        if not agrees:
            value = f"Phase {following.id}" if following else "Complete"
            fix = ((f"Set Current Phase to {value}", edits.set_header(plan, "Current Phase", value)),)
            message = f"Current Phase says {field.value!r}; the markers say {value}"
            yield Problem("current-phase-drift", "hint", field.line, message, field.start, field.end, fixes=fix)


def _named(plan: Plan, names: tuple[str, ...]) -> Phase | None:
    """The first named phase that isn't complete, else the last named one; None when none is left or known."""
    phases = [phase for name in names for phase in plan.phases if phase.id.lower() == name.lower()]
    return next((phase for phase in phases if phase.status != "complete"), phases[-1] if phases else None)


def _log(plan: Plan) -> Iterator[Problem]:
    has_log = any(section.heading.kind == LOG for section in plan.tree.sections)
    logged = _logged_names(plan) if has_log else frozenset()
    reasons = {name.lower() for line in plan.log if line.event == "blocked" for name in line.tasks}
    for task in plan.tasks:
        if not task.pickable:
            continue
        if task.status == "complete" and has_log and log_name(task) not in logged:
            message = f"{task.label} is done, but the log does not say so"
            yield Problem("unlogged-completion", "hint", task.line, message)
        elif task.status == "blocked" and not task.notes and log_name(task) not in reasons:
            message = f"{task.label} is blocked; say why in a Notes bullet or in the log"
            yield Problem("blocked-without-reason", "hint", task.line, message)


def _logged_names(plan: Plan) -> frozenset[str]:
    """Names that the log calls completed or committed, ranges and phases resolved."""
    names: set[str] = set()
    phases: set[str] = set()
    for line in plan.log:
        if line.event == "phase_complete":
            phases.add(line.text.replace("*", "").split()[1].lower())
        if line.event not in ("completed", "committed"):
            continue
        for name in line.tasks:
            names.add(name.lower())
            for mark in ("-", "–", ".."):
                left, found, right = name.lower().partition(mark)
                if found and left in plan.graph.by_id and right in plan.graph.by_id:
                    first, last = plan.graph.by_id[left][0], plan.graph.by_id[right][-1]
                    names.update(log_name(plan.tasks[at]) for at in range(first, last + 1))
    if phases:
        names.update(log_name(task) for task in plan.tasks if (task.phase or "").lower() in phases)
    return frozenset(names)
