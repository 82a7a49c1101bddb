"""devloop's own export (`plan show --json`, `plan export`) back to a plan: everything but prose comes round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from devloop.plan.importing import shared_json, words
from devloop.plan.importing.json_reading import Object
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told
from devloop.plan.importing.writing import file_piece
from devloop.plan.lines import clean
from devloop.plan.model import DEFAULT_MARKERS, MARKERS
from devloop.plan.problems_tasks import leaves_repository
from devloop.plan.tags import SKILL, find, skills

_GROUP = re.compile(r"[\w-]{1,40}$")
_NEIGHBOURS = re.compile(r"P[0-9]+$")
_KEY = re.compile(r"[A-Za-z][A-Za-z /-]{0,38}$")
_KNOWN: Final = (
    *("name", "status", "status_text", "fields", "tasks", "phases", "criteria", "log", "stats", "problems", "path"),
    *("uri", "sha256", "open", "goal", "current", "devloop"),
)


def read(value: Any, told: Told) -> DraftPlan:
    if not isinstance(value, Mapping):
        told.problem("There is no object with tasks and phases")
        value = {}
    root = Object(value, "", told)
    draft = DraftPlan(root.text("name") or "Imported plan")
    _, fields = root.raw("fields")
    if isinstance(fields, Mapping):
        for key, text in fields.items():
            if _KEY.match(key) and isinstance(text, str):
                draft.fields.append((key, text))
            else:
                told.problem("No field of a plan's header; left out", path=f"fields.{clean(key, 60)}")
    elif fields is not None:
        told.problem("Not an object; left out", path="fields")
    rows = shared_json.limited(root.objects("tasks"), told)
    if not rows:
        told.problem("There are no tasks")
    tasks = [_task(row) for row in rows]
    phases = root.objects("phases")
    _place(draft, phases, rows, tasks, told)
    known = shared_json.by_name(tasks, told)
    for each, phase in zip(phases, (phase for phase in draft.phases if phase.path), strict=True):
        gate = DraftTask(phase.name, path=phase.path)
        shared_json.wait_for(gate, each.texts("depends_on"), known, told)
        phase.waits_for = gate.needs
    for row, task in zip(rows, tasks, strict=True):
        shared_json.wait_for(task, row.texts("depends_on"), known, told)
    for row in root.objects("criteria"):
        _criterion(row, draft, known)
    draft.log = [(_stamp(row), row.text("text")) for row in root.objects("log")]
    root.asked.update(_KNOWN)
    for key in root.left():
        told.note("lost", f"{clean(key, 60)!r}: no part of a plan")
    told.note("lost", "Prose, code and comments: the JSON of a plan has its tasks, phases, criteria and log only")
    return draft


def _stamp(row: Object) -> str:
    stamp = row.text("stamp")
    return stamp if re.fullmatch(r"[0-9][0-9T:.Z+ UTC-]{7,40}", stamp) else ""


def _task(row: Object) -> DraftTask:
    task = DraftTask(row.text("title"), row.text("id").strip(), row.path)
    _, explicit = row.raw("explicit")
    task.explicit = explicit is not False
    task.marker = _marker(row, task)
    task.optional = row.flag("optional")
    for tag in row.texts("tags"):
        known = find(f"[{tag}]")
        if len(known) != 1 or not known[0].known or known[0].end != len(tag) + 2:
            row.told.problem(f"{clean(tag, 60)!r} is no tag; left out", path=row.path)
        elif known[0].name not in ("depends", "parallel"):
            task.tags.append(" ".join(tag.split()))
    _group(row, task)
    _who(row, task)
    task.acceptance = [("", text) for text in row.texts("acceptance")]
    task.requirements = [text for each in row.texts("requirements") if (text := clean(each).replace(",", " "))]
    task.details = row.texts("details")
    task.notes = words.lines(row.text("notes"))
    task.verify = words.lines(row.text("verify"))
    shared_json.fact(row, task, "Effort", "effort")
    shared_json.fact(row, task, "Owner", "owner")
    tests = [piece for text in row.texts("may_change_tests") if (piece := file_piece(text))]
    if tests:
        task.facts.append(("May change tests", ", ".join(tests)))
    for other in row.objects("extra"):
        key = other.text("key")
        if _KEY.match(key):
            task.facts.append((key, other.text("value")))
        else:
            row.told.problem("No metadata of a task; left out", path=other.path)
    for ref in row.objects("files"):
        _file(ref, task)
    return task


def _marker(row: Object, task: DraftTask) -> str:
    mark, status = row.text("marker") if row.values.get("marker") != " " else " ", row.text("status")
    row.asked.update(("marker", "status"))
    if len(mark) == 1 and mark.isprintable() and mark not in "[]" and MARKERS.get(mark, "unknown") == status:
        return mark
    if status == "deferred":
        return ">"
    return DEFAULT_MARKERS[status] if status in DEFAULT_MARKERS else shared_json.marker(row, task, "status")


def _group(row: Object, task: DraftTask) -> None:
    """Groups of neighbours are made by `[P]` and stand in the tags; others get their own tag."""
    group = row.text("group")
    if not group or (_NEIGHBOURS.match(group) and "P" in (tag.upper() for tag in task.tags)):
        return
    if _GROUP.match(group) and group.lower() not in ("none", "partial"):
        task.tags.append(f"parallel:{group}")
    else:
        row.told.problem(f"{clean(group, 60)!r} is no name of a group; left out", path=row.path)


def _who(row: Object, task: DraftTask) -> None:
    """Agent, model and skills that metadata named; what tags named stands in the tags."""
    names = {tag.partition(":")[0].lower() for tag in task.tags}
    agent, mode, model = row.text("agent"), row.text("mode"), row.text("model")
    if agent and "agent" not in names:
        task.facts.append(("Agent", f"{agent}:{mode}" if mode else agent))
    if model and "model" not in names:
        task.facts.append(("Model", model))
    lists = [tag.partition(":")[2] for tag in task.tags if tag.partition(":")[0].lower() in SKILL]
    tagged = {name for each in lists for name in skills(each)}
    listed = [name for each in row.texts("skills") for name in skills(clean(each)) if name not in tagged]
    if listed:
        task.facts.append(("Skills", ", ".join(listed)))


def _file(ref: Object, task: DraftTask) -> None:
    path, new = ref.text("path"), ref.flag("new")
    _, lines = ref.raw("lines")
    span = None
    if isinstance(lines, list) and len(lines) == 2 and all(type(n) is int and 0 <= n < 10**9 for n in lines):
        span = (lines[0], lines[1])
    piece = file_piece(path, new=new, span=span) if path and not leaves_repository(path) else ""
    if piece:
        task.files.append(piece)
    else:
        ref.told.problem(f"{clean(path, 120)!r} is no path inside the repository; left out", path=ref.path)


def _criterion(row: Object, draft: DraftPlan, known: Mapping[str, DraftTask]) -> None:
    text, done, parent = row.text("text"), row.flag("done"), row.text("parent").lower()
    if not text.strip():
        return
    if parent in known:
        task = known[parent]
        mark = "x" if done else " "
        at = next((n for n, one in enumerate(task.acceptance) if one == ("", text)), None)
        if at is None:
            task.acceptance.append((mark, text))
        else:
            task.acceptance[at] = (mark, text)
    else:
        draft.criteria.append((row.text("section"), done, text))


# Phases and steps


def _place(draft: DraftPlan, found: list[Object], rows: list[Object], tasks: list[DraftTask], told: Told) -> None:
    """Put tasks into phases, in the order they have; steps below their task."""
    phases = [(_phase(row), *_reach(row)) for row in found]
    by_id: dict[str, DraftPhase] = {}
    for phase, _, _ in phases:
        by_id.setdefault(phase.id.lower(), phase)
    before = DraftPhase("", "")
    draft.phases = [before, *(phase for phase, _, _ in phases)]
    lasts: dict[str, DraftTask] = {}
    last: DraftPhase = before
    for row, task in zip(rows, tasks, strict=True):
        parent = row.text("parent").lower()
        if parent and parent in lasts and lasts[parent] is not task:
            lasts[parent].children.append(task)
        else:
            if parent:
                told.problem(f"There is no task {clean(parent, 60)!r} above it; it became a task", path=task.path)
            last = _phase_of(row, phases, by_id, last, draft, told)
            last.tasks.append(task)
        lasts[task.name.lower()] = task
    _shallow(draft, told)
    for phase in draft.phases:
        _whole_group(phase)


def _phase(row: Object) -> DraftPhase:
    level = row.number("level")
    phase = DraftPhase(row.text("id").strip() or "?", row.text("name"), min(4, max(1, int(level or 2))), path=row.path)
    phase.goal = row.text("goal")
    return phase


def _reach(row: Object) -> tuple[float, float]:
    first, last = row.number("line"), row.number("end_line")
    return (first, last) if first is not None and last is not None and first <= last else (0.0, -1.0)


def _phase_of(
    row: Object,
    phases: list[tuple[DraftPhase, float, float]],
    by_id: Mapping[str, DraftPhase],
    last: DraftPhase,
    draft: DraftPlan,
    told: Told,
) -> DraftPhase:
    """The phase whose lines have the task, else the one with its id; without one a place of its own."""
    name, line = row.text("phase").lower(), row.number("line")
    if not name:
        if last.id:
            at = draft.phases.index(last) + 1
            draft.phases.insert(at, DraftPhase("", "Further tasks", level=1 if last.level == 1 else 2))
            return draft.phases[at]
        return last
    inside = [phase for phase, first, end in phases if line and first < line <= end and phase.id.lower() == name]
    if inside:
        return inside[-1]
    if name not in by_id:
        told.problem(f"There is no phase {clean(name, 60)!r}", path=row.path)
    return by_id.get(name, last)


def _shallow(draft: DraftPlan, told: Told) -> None:
    """Steps below more than a dozen others move up: a plan is indented by two columns for each."""
    waiting = [(task, 0) for phase in draft.phases for task in phase.tasks]
    while waiting:
        task, depth = waiting.pop()
        if depth >= 12 and task.children:
            told.problem("Steps are nested too deeply; the deepest were left out", path=task.path)
            task.children = []
        waiting += ((child, depth + 1) for child in task.children)


def _whole_group(phase: DraftPhase) -> None:
    """`full` is the group of a phase, not of a task."""
    full = [task for task in phase.tasks if "parallel:full" in task.tags]
    if full and phase.id:
        phase.tag = "full"
    for task in full:
        task.tags.remove("parallel:full")
