"""Diagnostics about the state of the plan: header, status, phases, log."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.plan import edits, header, headings
from devloop.plan.events import log_name
from devloop.plan.headings import LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, Field, Phase, Plan, Problem, Severity

Fixes = tuple[tuple[str, tuple[Edit, ...]], ...]
_HEADER_LINES = 60
_PLAIN_FIELD = re.compile(r"[ \t]{0,3}[A-Za-z][A-Za-z ]{0,30}:[ \t]+[^\s*_]")
_BARE_PHASE = re.compile(r"Phase[ \t]+(?:[0-9]+\.[0-9]+|[0-9]+[A-Za-z]?|[A-Za-z])", re.IGNORECASE)
_STATUS_MARK = re.compile(
    r"(?<![ \t])[ \t]*(?:(?:[✅✔☑🚧⏳]\ufe0f?)|\((?:COMPLETE|DONE|完了|已完成)\)|\b(?:COMPLETE|DONE)\b|完了|已完成)"
)
_SHOWN = {"complete": "✅", "in_progress": "🚧"}


def find(plan: Plan) -> Iterator[Problem]:
    yield from _header(plan)
    yield from _status(plan)
    yield from _current_phase(plan)
    for phase in plan.phases:
        if phase.written and phase.status != "empty" and phase.written != phase.status:
            shown = phase.status.replace("_", " ")
            message = f"The heading of phase {phase.id} says {phase.written.replace('_', ' ')}, its tasks say {shown}"
            fixes = _glyph(plan, phase)
            # Only towards done: a phase that a person calls done may be so, and its boxes forgotten.
            certain = bool(fixes) and phase.status == "complete"
            yield Problem("phase-status-drift", "hint", phase.line, message, fixes=fixes, certain=certain)
    yield from _log(plan)


def _glyph(plan: Plan, phase: Phase) -> Fixes:
    """Write the status mark of a phase's heading anew; a pending phase has none (§10)."""
    text = body(plan.document.line(phase.line - 1))
    if len(text) > headings.MAX_LENGTH:
        return ()
    marks = list(_STATUS_MARK.finditer(text))
    if not marks:
        return ()
    mark = marks[-1]
    shown = _SHOWN.get(phase.status, "")
    gap = mark[0][: len(mark[0]) - len(mark[0].lstrip(" \t"))] if shown else ""
    changed = text[: mark.start()] + gap + shown + text[mark.end() :]
    head = headings.heading(phase.level, changed.strip("# \t")).phase
    if head is None or head.written != (phase.status if shown else ""):
        return ()
    edit = Edit(phase.line, mark.start(), phase.line, mark.end(), gap + shown, mark[0], text)
    return ((f"Write {shown}" if shown else f"Remove {mark[0].strip()}", (edit,)),)


def _header(plan: Plan) -> Iterator[Problem]:
    for field in plan.fields:
        if field.key in ("Created", "Updated") and not header.is_date(field.value):
            message = f"{field.key} is no date; write it as 2026-01-31 or 2026-01-31 12:30"
            yield Problem("bad-date", "hint", field.line, message, field.start, field.end)
    seen: set[str] = set()
    end = min(plan.tree.header_end - 1 if plan.tree.header_end else plan.document.count, _HEADER_LINES)
    for at in range(plan.document.front, end):
        step = plan.document.step(at)
        if step.quoted or step.kind not in (1, 11):  # text, item
            continue
        text = plan.document.line(at)
        near = header.nearly_field(text)
        if near is None or plan.field(near[0]) is not None or _in_heading(plan, at + 1):
            continue
        written = f"**{near[0]}**: {near[1]}"
        bare = body(text).rstrip()
        start = len(bare) - len(bare.lstrip()) if step.kind == 1 else 0
        edit = Edit(at + 1, start, at + 1, len(bare), written, bare[start:], body(text))
        message = f"A field of the header is written as {written}"
        # The first of its kind, as a line of its own; a bullet may be part of a list that goes on.
        plain = step.kind == 1 and not step.state.stack and near[0] not in seen
        certain = plain and _PLAIN_FIELD.match(text) is not None and bare.endswith(near[1])
        seen.add(near[0])
        fixes = ((f"Write {written}", (edit,)),)
        yield Problem("malformed-header", "info", at + 1, message, fixes=fixes, certain=certain)


def _in_heading(plan: Plan, line: int) -> bool:
    """Whether a line is the text of a heading that is underlined."""
    for section in plan.tree.sections:
        if section.line > line:
            break
        if line < section.line + section.heading_lines:
            return True
    return False


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
            certain = _BARE_PHASE.fullmatch(field.value.strip()) is not None  # other words would be lost
            yield Problem(
                "current-phase-drift", "hint", field.line, message, field.start, field.end, fixes=fix, certain=certain
            )


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
