"""Task lists in Markdown: converted by the refactorings that the editor offers too, so that all else stays as it is.

What a refactoring refuses stays in its form, which devloop reads as well, and is told as a problem.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from devloop.errors import DevloopError
from devloop.plan import edits as plan_edits
from devloop.plan.build import parse
from devloop.plan.edits import append_log, set_header
from devloop.plan.headings import CRITERION, LOG
from devloop.plan.importing import bullets, spec_kit, words
from devloop.plan.importing.conversion import after, facts, tried
from devloop.plan.importing.model import MAX_CHARS, Told
from devloop.plan.lines import body
from devloop.plan.model import DONE, Plan, Task
from devloop.plan.refactor.convert import is_kiro, kiro
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.headings import convertible, from_headings

MAX_CONVERTED: Final = 2000  # the refactorings compare each task with all others
STATUS: Final = {"planning": "Planning", "in_progress": "In Progress", "review": "Review"}
_NUMBER = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4}){0,3})[.):]?[ \t]+(\S.*)$")


def read(kind: str, text: str, told: Told, source: str) -> Plan:
    """The plan that a list in Markdown becomes."""
    if len(text) > MAX_CHARS:
        told.problem(f"The file has {len(text):,} characters; {MAX_CHARS:,} are read at most")
        return parse("# Plan: Imported\n\n## Phase 1: Tasks\n")
    plan = parse(text)
    if max(len(plan.tasks), len(plan.sections)) > MAX_CONVERTED and kind != "plan":
        told.problem(f"More than {MAX_CONVERTED:,} tasks or headings are not converted; they stay as they are")
    elif kind == "spec-kit":
        plan = spec_kit.read(plan, told)
    elif kind == "kiro":
        plan = _kiro(plan, told)
    elif kind == "headings":
        plan = _headings(plan, told)
    elif kind == "bullets":
        plan = _bullets(plan, told)
    if kind != "plan":
        plan = _phases(plan, told)
        plan = _named(plan, kind, source)
    if not plan.tasks:
        told.problem("There are no tasks")
    return plan


# Kiro, cc-sdd


def _kiro(plan: Plan, told: Told) -> Plan:
    """What a task with parts says of itself, and a phase can't say, goes before it becomes a phase."""
    draft = Draft(plan)
    parts: dict[str, list[Task]] = {}
    for task in plan.tasks:
        head, dot, _ = task.id.partition(".")
        if dot:
            parts.setdefault(head, []).append(task)
    for task in plan.tasks:
        box = plan.tree.tasks[plan.graph.by_line[task.line]].box
        below = parts.get(task.id, ())
        if not (is_kiro(task) and task.id.isdecimal() and below) or box is None:
            continue
        if task.done and not all(other.done for other in below):
            draft.replace(task.line, box.column, box.column + 1, " ")
            told.problem(f"{task.id} was ticked, but not all of its parts; the phase is open", line=task.line)
        line = body(plan.document.line(task.line - 1))
        for tag in box.tags:
            if tag.known:
                draft.replace(task.line, box.body + tag.start, box.body + tag.end, "")
                told.note("lost", f"[{tag.text}] of {task.id}: it became a phase", line=task.line)
        mark = re.search(r"[ \t]\([Pp]\)[ \t]*$", line) if box.marked else None
        if mark is not None:
            draft.replace(task.line, mark.start(), mark.end(), "")
            told.note("lost", f"(P) of {task.id}: it became a phase", line=task.line)
        if box.optional:
            draft.replace(task.line, box.column + 2, box.column + 3, "")
            told.note("lost", f"{task.id} was optional: it became a phase", line=task.line)
    prepared = after(plan, draft.edits())
    converted = tried(prepared, kiro, told)
    if converted is prepared:
        return plan
    told.note("changed", f"{len(converted.phases) - len(plan.phases)} numbers became phases")
    return converted


# Headings, bullets


def _headings(plan: Plan, told: Told) -> Plan:
    lines = convertible(plan)
    if not lines and not plan.tasks:
        plan = _numbered(plan, told)
        lines = convertible(plan)
    if not lines:
        return plan
    try:
        plan, count = after(plan, from_headings(plan)), len(lines)
    except DevloopError:
        count = 0
        for line in reversed(lines):  # from below: lines above stay where they are
            before = plan
            plan = tried(plan, partial(from_headings, line=line), told, line)
            count += plan is not before
    told.note("changed", f"{count} headings became tasks; the text below them is indented")
    if bullets.plain_bullets(plan):
        told.note("kept", "Bullets of phases are no tasks; with --as bullets they would be")
    return plan


def _numbered(plan: Plan, told: Told) -> Plan:
    """Headings such as `1.2 Title` as `Task 1.2: Title`, and `1. Group` above them as phases. Only where a person says
    that the headings are tasks: most documents with numbers are no plans."""
    found = {at: _NUMBER.match(section.heading.text) for at, section in enumerate(plan.tree.sections)}
    leaves = {at: match for at, match in found.items() if match and "." in match[1]}
    groups = {match[1].partition(".")[0] for match in leaves.values()}
    draft, count = Draft(plan), 0
    for at, match in found.items():
        section = plan.tree.sections[at]
        if match is None or section.heading_lines != 1 or section.kind in (LOG, CRITERION):
            continue
        marks = "#" * section.heading.level
        if at in leaves and section.heading.level > 1:
            draft.rewrite(section.line, f"{marks} Task {match[1]}: {match[2]}")
            count += 1
        elif match[1] in groups and 2 <= section.heading.level <= 4:
            draft.rewrite(section.line, f"{marks} Phase {match[1]}: {match[2]}")
    if count:
        told.note("changed", f"{count} numbered headings were taken for tasks")
    return after(plan, draft.edits())


def _bullets(plan: Plan, told: Told) -> Plan:
    count = len(plan.tasks)
    plan = after(plan, bullets.as_tasks(plan))
    told.note("changed", f"{len(plan.tasks) - count} bullets became tasks")
    return plan


# Around the tasks


def _phases(plan: Plan, told: Told) -> Plan:
    """Where a list has no phase, the headings above its tasks become phases; without one a heading is added."""
    if not plan.tasks or plan.phases:
        return plan
    draft, number = Draft(plan), 0
    holders = list(dict.fromkeys(plan.tree.tasks[at].section for at, task in enumerate(plan.tasks) if not task.parent))
    for at in holders:
        section = plan.tree.sections[at] if at >= 0 else None
        plain = section is not None and section.heading.level in (2, 3, 4) and section.heading_lines == 1
        if section is None or not plain or section.kind in (LOG, CRITERION):
            continue
        number += 1
        text = words.phase_name(str(number), section.heading.text)
        draft.rewrite(section.line, f"{'#' * section.heading.level} Phase {number}: {text}")
    if not number:
        task = plan.tasks[0]
        gap = task.line > 1 and body(plan.document.line(task.line - 2)).strip()
        draft.insert(task.line - 1, [*([""] if gap else []), "## Phase 1: Tasks", ""])
    changed = after(plan, draft.edits())
    if facts(changed) != facts(plan):
        told.problem("The headings above the tasks can't become phases; they stay")
        return plan
    told.note("changed", f"{number} headings became phases" if number else "A phase was put around the tasks")
    return changed


def _named(plan: Plan, kind: str, source: str) -> Plan:
    """A name that says what the plan is about: without the word for its kind, or that of its folder."""
    section = next((each for each in plan.tree.sections if each.heading.level == 1), None)
    folder = re.split(r"[\\/]", source)[-2] if re.search(r"[^\\/][\\/][^\\/]+$", source) else ""
    folder = words.heading(folder) if folder.strip(". ") else ""
    if section is None or plan.tree.title is None:
        name = folder or "Imported"
        front = plan.document.front
        return after(plan, (plan_edits.insert(plan.document, front, [f"# Plan: {name}", ""]),))
    title = plan.tree.title
    bare = re.sub(r"^(?:Implementation )?Tasks[ \t]*(?::|[-–—])[ \t]*", "", title, flags=re.IGNORECASE).strip()
    generic = bare.casefold() in ("implementation plan", "tasks", "task list", "plan", "todo")
    name = folder if generic and folder else bare
    if section.heading_lines != 1 or name == title or kind not in ("spec-kit", "kiro"):
        return plan
    draft = Draft(plan)
    draft.rewrite(section.line, f"# Plan: {name}")
    return after(plan, draft.edits())


def finished(plan: Plan, source: str, kind: str, now: str, told: Told) -> Plan:
    """With a status, the source, and a line in the log. `now`: `YYYY-MM-DD HH:MM`, empty for none."""
    wanted = [("Source", words.value(source))] if source else []
    if plan.field("Status") is None:
        top = plan.top_level
        state = "review" if top and all(task.status in DONE for task in top) else plan.status
        wanted.insert(0, ("Status", STATUS.get(state, "Planning")))
    if now and plan.field("Created") is None:
        wanted.insert(0, ("Created", now[:10]))
    before = facts(plan)
    for key, value in wanted:
        if plan.field(key) is None:
            plan = after(plan, set_header(plan, key, value))
    title = next((each for each in plan.sections if each.level == 1), None)
    if title is not None and plan.fields:
        end = max(field.line for field in plan.fields)
        if end < plan.document.count and body(plan.document.line(end)).strip():
            plan = after(plan, (plan_edits.insert(plan.document, end, [""]),))
    told_of = f"Imported from {source or 'a file'} ({kind})"
    if now or not any(section.kind == LOG for section in plan.sections):
        plan = after(plan, append_log(plan, told_of, now))
    if facts(plan) != before:
        told.problem("Adding the header changed how the tasks are read: look at the beginning of the file")
    return plan
