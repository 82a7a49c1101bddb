"""What a hover says at a place of a plan: by the kind of what stands there."""

from __future__ import annotations

import stat
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from devloop import plan as plans
from devloop.lists import some
from devloop.lsp import meanings, plan_texts, run_texts, skill_texts
from devloop.lsp.plan_texts import Known
from devloop.lsp.texts import Sheet, size

_OF_TASK: Final = frozenset(("task-keyword", "task-id", "title", "code", "issue", "link", "story"))
_OF_PHASE: Final = frozenset(("phase-keyword", "phase-id", "phase-name"))
_OF_LOG: Final = frozenset(("log-stamp", "log-event", "log-text"))


def fill(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    """Say what there is to say about a span; nothing where there is nothing. Paths are not looked at here."""
    plan, at = known.plan, known.plan.graph.by_line.get(span.line)
    if span.kind in _OF_TASK and at is not None:
        plan_texts.task(sheet, known, at)
    elif span.kind in _OF_PHASE or (span.kind in _OF_TASK | {"heading"} and _phase_at(plan, span.line) is not None):
        phase = _phase_at(plan, span.line)
        if phase is not None:
            plan_texts.phase(sheet, known, phase)
    elif span.kind in _OF_LOG:
        _log(sheet, known, span.line)
    elif span.kind in _BY_KIND:
        _BY_KIND[span.kind](sheet, known, span, column)


def _phase_at(plan: plans.Plan, line: int) -> int | None:
    at = bisect_left(plan.phases, line, key=lambda each: each.line)
    return at if at < len(plan.phases) and plan.phases[at].line == line else None


def _marker(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    at = known.plan.graph.by_line.get(span.line)
    if at is not None:
        status = known.plan.tasks[at].status
        sheet.add(sheet.strong(f"[{span.value}]"), sheet.text(meanings.MARKERS[status]))
        return
    criterion = next((each for each in known.plan.criteria if each.line == span.line), None)
    if criterion is not None:
        sheet.add(sheet.strong("Criterion"), "met" if criterion.done else "open")


def _criterion(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    found = next((each for each in known.plan.criteria if each.line == span.line), None)
    if found is None:
        sheet.add(sheet.text(meanings.META["acceptance"]))
        return
    where = f"of task {found.parent}" if found.parent else ""
    sheet.add(sheet.strong("Criterion"), sheet.text(where), "– met" if found.done else "– open")


def _dependency(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    plan = known.plan
    things = plans.named_at(plan, span.line, column) if span.kind != "dependency" else ()
    needs = plan.graph.resolver.references(span.value) if span.kind == "dependency" else ()
    members = [at for need in needs for at in need.members]
    members += [plan.graph.by_line[each.line] for each in things if isinstance(each, plans.Task)]
    phases = [each for each in things if isinstance(each, plans.Phase)]
    if any(need.whole_phase for need in needs):
        wanted = span.value.split()[-1].lower()
        phases += [each for each in plan.phases if each.id.lower() == wanted][:1]
    if phases:
        plan_texts.phase(sheet, known, plan.phases.index(phases[0]))
    elif len(members) == 1:
        plan_texts.task(sheet, known, members[0])
    elif members:
        plan_texts.tasks(sheet, known, members)
    for need in needs:
        if need.unknown:
            sheet.add("There is no", sheet.text(_called(need.text)) + " in this plan.")
        elif not need.members and not need.whole_phase:
            sheet.add(sheet.text(_called(need.text)), "is archived, and done.")


def _called(name: str) -> str:
    return name if name.lower().startswith(("task ", "phase ")) else f"task {name}"


def _phase_reference(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    found = next((at for at, each in enumerate(known.plan.phases) if each.id.lower() == span.value.lower()), None)
    if found is None:
        sheet.add("There is no phase", sheet.text(span.value) + " in this plan.")
    else:
        plan_texts.phase(sheet, known, found)


def _tag(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    meaning = meanings.TAGS.get(span.value)
    if meaning:
        sheet.add(sheet.strong(f"[{span.value}]"), sheet.text(meaning))


def _limit(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    before = [each for each in plans.spans(known.plan, span.line) if each.kind == "tag-name" and each.end <= span.start]
    if before:
        _tag(sheet, known, before[-1], column)


def _story(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    sheet.add("Part of story", sheet.text(span.value.strip("[]")) + ".")


def _agent(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    found = known.agents.get(span.value)
    if found is None:
        sheet.add(
            "There is no agent", sheet.text(span.value) + ".", "There are:", some(map(sheet.text, known.agents), 6)
        )
        at = known.plan.graph.by_line.get(span.line)
        if at is not None:
            sheet.add("Agent:", plan_texts.agent(sheet, known, known.plan.tasks[at]))
        return
    sheet.add(sheet.strong(found.name), "–", sheet.text(found.description))
    modes = some((sheet.text(mode.name) for mode in found.modes if mode.name != found.mode), 6)
    sheet.add("Mode without another word:", sheet.text(found.mode), f"(others: {modes})" if modes else "")


def _mode(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    before = [each for each in plans.spans(known.plan, span.line) if each.kind == "agent" and each.end <= span.start]
    of = f"of {before[-1].value}" if before else ""
    agent = known.agents.get(before[-1].value) if before else None
    mode = agent.find(span.value) if agent is not None else None
    sheet.add("Mode", sheet.strong(span.value), sheet.text(of))
    if mode is not None:
        sheet.add(sheet.text(mode.description), "It only reads." if mode.access == "read" else "")
    elif agent is not None:
        sheet.add("There is no such mode. There are:", some((sheet.text(each.name) for each in agent.modes), 6))
    if before:
        _agent(sheet, known, before[-1], column)


def _model(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    sheet.add(sheet.strong(span.value), "–", sheet.text(meanings.TAGS["model"]))


def _skill(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    skill_texts.skill(sheet, known.skills, span.value, skill_texts.task_at(known.plan, span.line))


def _group(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    plan = known.plan
    at = plan.graph.by_line.get(span.line)
    if at is None:
        sheet.add(sheet.text(meanings.TAGS["parallel"]))
        return
    mine = plan.tasks[at]
    inside = [
        each for each in plan.tasks if mine.group and each.group == mine.group and each.phase_index == mine.phase_index
    ]
    where = f"of phase {mine.phase}" if mine.phase else ""
    sheet.add(sheet.strong(f"Group {span.value}"), sheet.text(where))
    sheet.add("May run at the same time:", some((plan_texts.name(sheet, each) for each in inside[:9]), 8))


def _meaning(table: dict[str, str]) -> Callable[[Sheet, Known, plans.Span, int], None]:
    def say(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
        if (meaning := table.get(span.value) or table.get(span.value.lower())) is not None:
            sheet.add(sheet.strong(span.value), "–", sheet.text(meaning))

    return say


def _header(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    _meaning(meanings.HEADER)(sheet, known, span, column)
    if span.value in ("Status", "Current Phase"):
        sheet.add(plan_texts.progress(known.plan.stats.tasks))


def _heading(sheet: Sheet, known: Known, span: plans.Span, column: int) -> None:
    sections = known.plan.sections
    at = bisect_right(sections, span.line, key=lambda each: each.line) - 1
    if at < 0:
        return
    section = sections[at]
    if section.kind in meanings.SECTIONS:
        sheet.add(sheet.text(meanings.SECTIONS[section.kind]))
        if section.kind == "criterion":
            inside = [each for each in known.plan.criteria if section.line < each.line <= section.last_line]
            sheet.add(f"{sum(each.done for each in inside)} of {len(inside)} met")
    elif at == 0:
        plan_texts.plan(sheet, known)


def _log(sheet: Sheet, known: Known, line: int) -> None:
    at = bisect_left(known.plan.log, line, key=lambda each: each.line)
    if at >= len(known.plan.log) or known.plan.log[at].line != line:
        return
    entry = known.plan.log[at]
    if entry.event in meanings.LOG:
        sheet.add(sheet.text(meanings.LOG[entry.event]))
    for named in entry.tasks[:3]:
        for index in known.plan.graph.by_id.get(named.lower(), ())[:1]:
            task = known.plan.tasks[index]
            sheet.add(sheet.strong(f"Task {task.id}"), sheet.text(task.title), f"({meanings.STATUS[task.status]})")
            if (view := known.runs.get(task.line)) is not None:
                run_texts.add(sheet, view)


_BY_KIND: Final[dict[str, Callable[[Sheet, Known, plans.Span, int], None]]] = {
    "marker": _marker,
    "criterion": _criterion,
    "dependency": _dependency,
    "task-reference": _dependency,
    "log-task": _dependency,
    "log-phase": _phase_reference,
    "phase-reference": _phase_reference,
    "tag": _tag,
    "tag-name": _tag,
    "tag-value": _limit,
    "limit": _limit,
    "story": _story,
    "agent": _agent,
    "mode": _mode,
    "model": _model,
    "skill": _skill,
    "group": _group,
    "meta-key": _meaning(meanings.META),
    "header-key": _header,
    "header-value": _header,
    "phase-key": _meaning(meanings.PHASE),
    "heading": _heading,
}


# Paths


def path_at(plan: plans.Plan, span: plans.Span) -> tuple[str, bool] | None:
    """The path that a span names, and whether its task creates it; None for other spans and for web addresses."""
    target = span.target.partition("#")[0] if span.kind == "link" else span.value
    if span.kind not in ("path", "link") or not target or "://" in target or ":" in target.partition("/")[0]:
        return None
    before = bisect_right(plan.tasks, span.line, key=lambda each: each.line) - 1
    named: Sequence[plans.FileRef] = plan.tasks[before].files if before >= 0 else ()
    return target, any(ref.path == target and ref.new for ref in named)


def look(root: Path, places: Sequence[Path], path: str, new: bool) -> str:
    """What there is under a path of the workspace, in words. Touches the disk: not for the daemon's loop.

    Nothing is said of what lies outside of the workspace, also where a link leads there. `places`: folders that the
    path may be meant from.
    """
    if any(mark in path for mark in "*?["):
        return "A pattern: it stands for every file that matches it."
    outside = False
    for place in places:
        try:
            found = (place / path).resolve()
            if not found.is_relative_to(root.resolve()):
                outside = True
                continue
            status = found.stat()
        except (OSError, ValueError, RuntimeError):
            continue
        if stat.S_ISDIR(status.st_mode):
            return "A folder."
        return f"Exists, {size(status.st_size)}."
    if outside:
        return "Leads out of the workspace."
    return "Does not exist yet; the task creates it." if new else "Does not exist."
